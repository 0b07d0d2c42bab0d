// ARP for IPv4 over Ethernet. Source: RFC 826.
//
//   0                   1                   2                   3
//   0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |       Hardware type (1)       |    Protocol type (0x0800)     |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  | HW length (6) |Proto length(4)|           Operation           |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//  |      Sender hardware (6), sender protocol (4 octets)          |
//  |      Target hardware (6), target protocol (4 octets)          |
//  +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+

/// A checked view of an ARP message: IPv4 over Ethernet, no other pairing.
public struct ARPView: ~Escapable {
  public let bytes: RawSpan

  @inlinable @inline(__always) @_lifetime(copy bytes)
  public init(_ bytes: RawSpan) throws(WireError) {
    try bytes.require(ARPHeader.byteCount, .arp)
    // Hardware type, protocol type and the two lengths in one word.
    let pairing = bytes.unchecked64(0) >> 16
    guard pairing == 0x0001_0800_0604 else {
      throw .invalid(.arp, "pairing", needed: "IPv4 over Ethernet (0x000108000604)", had: pairing)
    }
    self.bytes = bytes
  }

  @inlinable public var operation: ARPOperation {
    ARPOperation(rawValue: bytes.unchecked16(ARPHeader.Offset.operation))
  }
  @inlinable public var senderMAC: MACAddress { bytes.uncheckedMAC(ARPHeader.Offset.senderMAC) }
  @inlinable public var sender: IPv4Address { bytes.uncheckedIPv4(ARPHeader.Offset.sender) }
  @inlinable public var targetMAC: MACAddress { bytes.uncheckedMAC(ARPHeader.Offset.targetMAC) }
  @inlinable public var target: IPv4Address { bytes.uncheckedIPv4(ARPHeader.Offset.target) }
}

/// What an ARP message asks or says.
public struct ARPOperation: RawRepresentable, Hashable, Sendable {
  public var rawValue: UInt16
  @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }

  @inlinable public static var request: ARPOperation { ARPOperation(rawValue: 1) }
  @inlinable public static var reply: ARPOperation { ARPOperation(rawValue: 2) }
}

extension ARPOperation: CustomStringConvertible {
  public var description: String {
    switch self {
    case .request: "request"
    case .reply: "reply"
    default: String(rawValue)
    }
  }
}

/// An ARP message.
public struct ARPHeader: WireHeader {
  public var operation: ARPOperation
  public var senderMAC: MACAddress
  public var sender: IPv4Address
  /// Zero in a request.
  public var targetMAC: MACAddress
  public var target: IPv4Address

  public init(
    operation: ARPOperation, senderMAC: MACAddress, sender: IPv4Address,
    targetMAC: MACAddress = MACAddress(bits: 0), target: IPv4Address
  ) {
    self.operation = operation
    self.senderMAC = senderMAC
    self.sender = sender
    self.targetMAC = targetMAC
    self.target = target
  }

  public static let name = WireProtocol.arp
  @inlinable public static var byteCount: Int { 28 }
  public var byteCount: Int { Self.byteCount }

  /// Where the fields stand, in octets from the start of the message.
  public enum Offset {
    @inlinable public static var operation: Int { 6 }
    @inlinable public static var senderMAC: Int { 8 }
    @inlinable public static var sender: Int { 14 }
    @inlinable public static var targetMAC: Int { 18 }
    @inlinable public static var target: Int { 24 }
  }

  public init(_ view: borrowing ARPView) {
    self.init(
      operation: view.operation, senderMAC: view.senderMAC, sender: view.sender, targetMAC: view.targetMAC,
      target: view.target)
  }

  public init(parsing bytes: RawSpan) throws(WireError) { self.init(try ARPView(bytes)) }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(0x0001_0800_0604_0000 | UInt64(operation.rawValue), at: offset)
    bytes.store(senderMAC, at: offset + Offset.senderMAC)
    bytes.store(sender, at: offset + Offset.sender)
    bytes.store(targetMAC, at: offset + Offset.targetMAC)
    bytes.store(target, at: offset + Offset.target)
  }
}
