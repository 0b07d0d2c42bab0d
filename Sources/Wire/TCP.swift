// TCP. Source: RFC 9293, section 3.1.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |          Source port          |       Destination port        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                        Sequence number                        |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                     Acknowledgment number                     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |Offset | Rsrvd |C|E|U|A|P|R|S|F|            Window             |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |           Checksum            |        Urgent pointer         |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |                    Options, 0 … 40 octets                     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of a TCP segment: data offset at least 5, the whole header inside.
public struct TCPView: ~Escapable {
  public let bytes: RawSpan
  /// In octets, 20…60.
  public let headerLength: Int

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(TCPHeader.minimumByteCount, .tcp)
    let length = Int(bytes.unchecked8(TCPHeader.Offset.flags) >> 4) * 4
    guard length >= TCPHeader.minimumByteCount else {
      throw .invalid(.tcp, "headerLength", needed: "at least 20", had: UInt64(length))
    }
    try bytes.require(length, .tcp, "options")
    self.bytes = bytes
    headerLength = length
  }

  @inlinable public var sourcePort: UInt16 { bytes.unchecked16(TCPHeader.Offset.sourcePort) }
  @inlinable public var destinationPort: UInt16 { bytes.unchecked16(TCPHeader.Offset.destinationPort) }
  @inlinable public var sequence: UInt32 { bytes.unchecked32(TCPHeader.Offset.sequence) }
  @inlinable public var acknowledgment: UInt32 { bytes.unchecked32(TCPHeader.Offset.acknowledgment) }
  @inlinable public var flags: TCPFlags {
    TCPFlags(rawValue: bytes.unchecked16(TCPHeader.Offset.flags) & 0xfff)
  }
  @inlinable public var window: UInt16 { bytes.unchecked16(TCPHeader.Offset.window) }
  @inlinable public var checksum: UInt16 { bytes.unchecked16(TCPHeader.Offset.checksum) }
  @inlinable public var urgentPointer: UInt16 { bytes.unchecked16(TCPHeader.Offset.urgentPointer) }
  @inlinable public var options: RawSpan {
    @_lifetime(copy self) get { bytes.window(from: TCPHeader.minimumByteCount, to: headerLength) }
  }
  @inlinable public var payload: RawSpan {
    @_lifetime(copy self) get { bytes.dropping(headerLength) }
  }
}

/// The eight control bits of a TCP header and the four reserved ones above them.
public struct TCPFlags: OptionSet, Hashable, Sendable {
  /// 0…0xfff.
  public var rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable public static var fin: TCPFlags { TCPFlags(rawValue: 0x01) }
  @inlinable public static var syn: TCPFlags { TCPFlags(rawValue: 0x02) }
  @inlinable public static var rst: TCPFlags { TCPFlags(rawValue: 0x04) }
  @inlinable public static var psh: TCPFlags { TCPFlags(rawValue: 0x08) }
  @inlinable public static var ack: TCPFlags { TCPFlags(rawValue: 0x10) }
  @inlinable public static var urg: TCPFlags { TCPFlags(rawValue: 0x20) }
  @inlinable public static var ece: TCPFlags { TCPFlags(rawValue: 0x40) }
  @inlinable public static var cwr: TCPFlags { TCPFlags(rawValue: 0x80) }
}

extension TCPFlags: CustomStringConvertible {
  /// The names in the order of Hubble's compact output, `SYN, ACK`; reserved bits as a number.
  public var description: String {
    let names: [(TCPFlags, String)] = [
      (.fin, "FIN"), (.syn, "SYN"), (.rst, "RST"), (.psh, "PSH"), (.ack, "ACK"), (.urg, "URG"),
      (.ece, "ECE"), (.cwr, "CWR"),
    ]
    var parts = names.filter { contains($0.0) }.map(\.1)
    if rawValue > 0xff { parts.append(hexadecimal(rawValue & 0xff00, digits: 3)) }
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }
}

/// A TCP header.
public struct TCPHeader: WireHeader {
  public var sourcePort: UInt16
  public var destinationPort: UInt16
  public var sequence: UInt32
  public var acknowledgment: UInt32
  public var flags: TCPFlags
  public var window: UInt16
  public var checksum: UInt16
  public var urgentPointer: UInt16
  public var options: TCPOptions

  public init(
    sourcePort: UInt16, destinationPort: UInt16, flags: TCPFlags, sequence: UInt32 = 0,
    acknowledgment: UInt32 = 0, window: UInt16 = 64240, urgentPointer: UInt16 = 0,
    options: TCPOptions = [], checksum: UInt16 = 0
  ) {
    self.sourcePort = sourcePort
    self.destinationPort = destinationPort
    self.sequence = sequence
    self.acknowledgment = acknowledgment
    self.flags = flags
    self.window = window
    self.checksum = checksum
    self.urgentPointer = urgentPointer
    self.options = options
  }

  public static let name = WireProtocol.tcp
  @inlinable public static var minimumByteCount: Int { 20 }
  public var byteCount: Int { Self.minimumByteCount + options.octets.count }

  /// Where the fields stand, in octets from the start of the header.
  public enum Offset {
    @inlinable public static var sourcePort: Int { 0 }
    @inlinable public static var destinationPort: Int { 2 }
    @inlinable public static var sequence: Int { 4 }
    @inlinable public static var acknowledgment: Int { 8 }
    @inlinable public static var flags: Int { 12 }
    @inlinable public static var window: Int { 14 }
    @inlinable public static var checksum: Int { 16 }
    @inlinable public static var urgentPointer: Int { 18 }
    @inlinable public static var options: Int { 20 }
  }

  public init(_ view: borrowing TCPView) {
    self.init(
      sourcePort: view.sourcePort, destinationPort: view.destinationPort, flags: view.flags,
      sequence: view.sequence, acknowledgment: view.acknowledgment, window: view.window,
      urgentPointer: view.urgentPointer, options: TCPOptions(octets: view.options.array),
      checksum: view.checksum)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try TCPView(bytes)) }

  public func validate() throws(WireError) {
    try Self.check(options: options.octets, unit: 4, atMost: 40)
    try Self.check(flags.rawValue, "flags", atMost: 0xfff)
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(sourcePort, at: offset + Offset.sourcePort)
    bytes.store(destinationPort, at: offset + Offset.destinationPort)
    bytes.store(sequence, at: offset + Offset.sequence)
    bytes.store(acknowledgment, at: offset + Offset.acknowledgment)
    let words = UInt16(truncatingIfNeeded: byteCount / 4 & 15)
    bytes.store(words << 12 | flags.rawValue & 0xfff, at: offset + Offset.flags)
    bytes.store(window, at: offset + Offset.window)
    bytes.store(checksum, at: offset + Offset.checksum)
    bytes.store(urgentPointer, at: offset + Offset.urgentPointer)
    bytes.store(options.octets, at: offset + Offset.options)
  }
}
