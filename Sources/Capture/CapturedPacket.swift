/// A packet as a capture file holds it. The octets are borrowed: they are valid during the call that hands them on.
public struct CapturedPacket {
  /// The first captured octet; `captured` of them may be read.
  public var base: UnsafeRawPointer
  public var captured: Int
  /// The length on the wire.
  public var original: Int
  /// Nanoseconds since the epoch.
  public var time: UInt64
  public var linkType: LinkType
  /// The interface, counted from 0 in its section; 0 for classic captures.
  public var interface: Int
  /// Where the packet's octets start in the (decompressed) file.
  public var offset: UInt64

  @inline(__always)
  public init(
    base: UnsafeRawPointer, captured: Int, original: Int, time: UInt64, linkType: LinkType,
    interface: Int = 0, offset: UInt64 = 0
  ) {
    self.base = base
    self.captured = captured
    self.original = original
    self.time = time
    self.linkType = linkType
    self.interface = interface
    self.offset = offset
  }

  public var octets: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: captured) }
}

/// Takes packets one by one, in the order of the file.
public protocol PacketSink: ~Copyable {
  mutating func take(_ packet: CapturedPacket)
  /// A way for what nearly every packet is: takes the packet, or leaves it to `take` and says so.
  mutating func takeQuickly(_ packet: CapturedPacket) -> Bool
  /// Tells of an interface before its first packet; `name` is empty where the file has none.
  mutating func declare(interface: Int, name: String, linkType: LinkType)
}

extension PacketSink where Self: ~Copyable {
  @inline(__always)
  public mutating func takeQuickly(_ packet: CapturedPacket) -> Bool { false }
  public mutating func declare(interface: Int, name: String, linkType: LinkType) {}
}
