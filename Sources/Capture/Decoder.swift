import Wire

/// Counts a capture's packets per tunnel and per flow.
///
///     var decoder = Decoder()
///     decoder.read("node.pcap")
///     let report = decoder.report()
///     for identity in report.identities { print(identity.vni, identity.packets) }
///
/// Memory: what `SlotIndex` and the tables say, whatever the capture's length.
public struct Decoder: ~Copyable {
  /// How many diagnostics of each file are kept; the counts go on.
  public static let diagnosticLimit = 20

  public let ports: DecodingPorts
  /// Whether flows are counted, or identities alone.
  public let countsFlows: Bool
  public internal(set) var counts = PacketCounts()
  public private(set) var files: [String] = []
  public private(set) var diagnostics: [Diagnostic] = []

  var tunnels = TunnelTable()
  var flows = FlowTable()
  var addresses = AddressTable()
  /// What the first direct-server-return option of a flow said; for at most 4096 flows.
  var services: [FlowKey: DSROption] = [:]

  private var packetsBeforeFile: UInt64 = 0
  private var diagnosticsOfFile = 0

  // The ports that the short way looks for, as they stand in memory.
  private let vxlanPort: UInt32
  private let otherVXLANPort: UInt32
  private let genevePort: UInt32

  public init(ports: DecodingPorts = DecodingPorts(), countsFlows: Bool = true) {
    self.ports = ports
    self.countsFlows = countsFlows
    // An absent port becomes a value that no 16 bits have.
    func inMemory(_ port: UInt16?) -> UInt32 { port.map { UInt32($0.byteSwapped) } ?? .max }
    vxlanPort = inMemory(ports.vxlan.first)
    otherVXLANPort = inMemory(ports.vxlan.dropFirst().first)
    // A port in both lists is VXLAN's.
    genevePort = inMemory(ports.geneve.first { !ports.vxlan.contains($0) })
  }

  /// Starts a file: what follows is told under its name.
  public mutating func begin(file: String) {
    files.append(file)
    packetsBeforeFile = counts.packets
    diagnosticsOfFile = 0
  }

  /// Reads one file (`-` is standard input) to its end. A broken file ends with a diagnostic; its packets up to
  /// there are counted.
  public mutating func read(_ path: String) {
    begin(file: path)
    do {
      var reader = try CaptureReader(path: path)
      try reader.read(into: &self)
    } catch {
      fail(error)
    }
  }

  /// Takes down that a file could not be read to its end.
  public mutating func fail(_ error: CaptureError) {
    diagnostics.append(
      Diagnostic(kind: .file, file: error.file, offset: error.offset, text: error.reason))
  }

  mutating func note(_ kind: Diagnostic.Kind, _ offset: UInt64, _ text: String) {
    guard diagnosticsOfFile < Self.diagnosticLimit else { return }
    diagnosticsOfFile += 1
    diagnostics.append(
      Diagnostic(
        kind: kind, file: files.last ?? "", packet: counts.packets &- packetsBeforeFile, offset: offset,
        text: text))
  }
}

extension Decoder: PacketSink {
  /// Counts a packet, the long way.
  @inline(never)
  public mutating func take(_ packet: CapturedPacket) {
    counts.packets &+= 1
    if packet.captured < packet.original { counts.cut &+= 1 }
    count(TunnelDissection(packet, ports: ports), packet)
  }

  /// Counts what nearly every packet of a capture is: Ethernet, IPv4 without options, UDP, VXLAN or Geneve without
  /// options, and the same again with TCP or UDP inside, whole and with all lengths in order. The long way gives the
  /// same answer for these; a test holds the two against each other.
  @inline(__always)
  public mutating func takeQuickly(_ packet: CapturedPacket) -> Bool { countQuickly(packet) != nil }

  /// What the quick way found out.
  struct QuickCount {
    var tunnel: UInt32
    /// The inner frame starts at octet 50 and is an Ethernet frame.
    var innerLength: Int
  }

  /// The quick way itself; nil leaves the packet uncounted.
  @inline(__always)
  mutating func countQuickly(_ packet: CapturedPacket) -> QuickCount? {
    guard packet.linkType == .ethernet, packet.captured >= 98, packet.captured >= packet.original else {
      return nil
    }
    let outer = packet.base
    // Ethernet type 0x0800 and 0x45; not a fragment, and UDP.
    guard (outer.word(12) & 0x00ff_ffff) == 0x0045_0008, (outer.word(20) & 0xff00_ff3f) == 0x1100_0000 else {
      return nil
    }
    let udp = outer.word(36)
    let udpLength = Int(UInt16(truncatingIfNeeded: udp >> 16).byteSwapped)
    let total = outer.number16(16)
    guard total == udpLength + 20, 14 + total <= packet.captured else { return nil }
    let port = udp & 0xffff
    let tunnel = outer.word(42)
    var key = UInt64(outer.word(46).byteSwapped >> 8)
    if port == vxlanPort || port == otherVXLANPort {
      guard tunnel & 0x08 != 0 else { return nil }
    } else if port == genevePort {
      // Version 0, no options, an Ethernet frame inside.
      guard tunnel & 0xffff_00ff == 0x5865_0000 else { return nil }
      key |= TunnelTable.geneve
    } else {
      return nil
    }
    let inner = outer + 50
    let innerLength = udpLength - 16
    let innerTotal = inner.number16(16)
    let place = inner.word(20)
    guard (inner.word(12) & 0x00ff_ffff) == 0x0045_0008, place & 0xff3f == 0, 14 + innerTotal <= innerLength,
      key & 0xff_ffff != 0
    else { return nil }
    let transport = place >> 24
    if transport == 6 {
      let header = Int(inner.load(fromByteOffset: 46, as: UInt8.self) >> 4) * 4
      guard header >= 20, 20 + header <= innerTotal else { return nil }
    } else if transport == 17 {
      let length = inner.number16(38)
      guard length >= 8, 20 + length <= innerTotal else { return nil }
    } else {
      return nil
    }
    counts.packets &+= 1
    counts.tunnel &+= 1
    let bytes = UInt64(truncatingIfNeeded: innerLength)
    let number = tunnels.count(ends: outer.pair(26), key: key, bytes: bytes)
    if countsFlows {
      let ports = UInt64(inner.word(34).byteSwapped) << 32 | UInt64(number)
      flows.count(
        FlowKey(ends: inner.pair(26), ports: ports, kind: UInt64(transport)), bytes: bytes, time: packet.time)
    }
    return QuickCount(tunnel: number, innerLength: innerLength)
  }
}

extension UnsafeRawPointer {
  /// Four octets as they stand in memory, the first one lowest.
  @inline(__always) fileprivate func word(_ offset: Int) -> UInt32 {
    UInt32(littleEndian: loadUnaligned(fromByteOffset: offset, as: UInt32.self))
  }
  @inline(__always) fileprivate func number16(_ offset: Int) -> Int {
    Int(UInt16(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
  }
  /// Two IPv4 addresses, source and destination.
  @inline(__always) fileprivate func pair(_ offset: Int) -> UInt64 {
    UInt64(bigEndian: loadUnaligned(fromByteOffset: offset, as: UInt64.self))
  }
}
