import Capture

/// A packet that stays.
struct CollectedPacket: Equatable {
  var octets: [UInt8]
  var original: Int
  var time: UInt64
  var linkType: LinkType
  var interface: Int
  var offset: UInt64
}

/// Keeps every packet and interface that a reader hands on.
struct CollectedPackets: PacketSink {
  var packets: [CollectedPacket] = []
  var interfaces: [String] = []

  mutating func take(_ packet: CapturedPacket) {
    packets.append(
      CollectedPacket(
        octets: Array(packet.octets), original: packet.original, time: packet.time, linkType: packet.linkType,
        interface: packet.interface, offset: packet.offset))
  }

  mutating func declare(interface: Int, name: String, linkType: LinkType) {
    interfaces.append("\(interface):\(name):\(linkType)")
  }

  /// Reads a whole capture; the error is what ended it early.
  static func read(_ bytes: [UInt8]) -> (CollectedPackets, CaptureError?) {
    var sink = CollectedPackets()
    var reader = CaptureReader(name: "test", memory: bytes)
    do {
      try reader.read(into: &sink)
      return (sink, nil)
    } catch {
      return (sink, error)
    }
  }
}

/// Integers in either byte order, for building captures by hand.
struct Octets {
  var bigEndian: Bool
  var bytes: [UInt8] = []

  mutating func put<I: FixedWidthInteger>(_ value: I) {
    withUnsafeBytes(of: bigEndian ? value.bigEndian : value.littleEndian) { bytes += $0 }
  }

  /// A pcapng block of this type with its two lengths.
  mutating func block(_ type: UInt32, _ body: (inout Octets) -> Void) {
    var inner = Octets(bigEndian: bigEndian)
    body(&inner)
    while inner.bytes.count % 4 != 0 { inner.bytes.append(0) }
    put(type)
    put(UInt32(inner.bytes.count + 12))
    bytes += inner.bytes
    put(UInt32(inner.bytes.count + 12))
  }

  mutating func section() {
    block(0x0a0d_0d0a) {
      $0.put(0x1a2b_3c4d as UInt32)
      $0.put(1 as UInt16)
      $0.put(0 as UInt16)
      $0.put(UInt64.max)
    }
  }

  mutating func interface(
    _ linkType: UInt16, snapLength: UInt32 = 0, resolution: UInt8?, offset: Int64? = nil
  ) {
    block(1) {
      $0.put(linkType)
      $0.put(0 as UInt16)
      $0.put(snapLength)
      if let resolution {
        $0.put(9 as UInt16)
        $0.put(1 as UInt16)
        $0.bytes += [resolution, 0, 0, 0]
      }
      if let offset {
        $0.put(14 as UInt16)
        $0.put(8 as UInt16)
        $0.put(offset)
      }
      $0.put(0 as UInt32)
    }
  }

  mutating func enhancedPacket(interface: UInt32, ticks: UInt64, _ packet: [UInt8], captured: UInt32? = nil) {
    block(6) {
      $0.put(interface)
      $0.put(UInt32(truncatingIfNeeded: ticks >> 32))
      $0.put(UInt32(truncatingIfNeeded: ticks))
      $0.put(captured ?? UInt32(packet.count))
      $0.put(UInt32(packet.count))
      $0.bytes += packet
    }
  }
}
