import Capture
import Glibc
import Testing
import Wire

/// The captures in pcaps/samples, which every test run and user has; made by the writers, and remade with
/// `CILIATE_UPDATE_REFERENCES=1` (the compressed ones by gzip -n and zstd from kinds.pcapng).
private enum Samples {
  static func path(_ name: String) -> String { "\(SharedCaptures.root)/pcaps/samples/\(name)" }

  /// An HTTP conversation over VXLAN, and health checks: as a classic capture in microseconds.
  static func http() -> [UInt8] {
    var writer = PcapWriter(resolution: .microseconds)
    var time: UInt64 = 1_700_000_000_000_000_000
    func add(_ frame: TunnelFrame) {
      time += 250_000
      writer.write(time: time, bytes: frame.bytes())
    }
    for client in [52542, 52558] as [UInt16] {
      let there = TunnelFrame(sourcePort: client)
      var back = TunnelFrame(vni: 44370, sourcePort: 80, destinationPort: client)
      (back.client, back.server, back.returns) = (there.server, there.client, true)
      for payload in [0, 0, 75, 0, 0, 0, 0] { add(TunnelFrame(sourcePort: client, payload: payload)) }
      for payload in [0, 0, 238, 615, 0] {
        back.payload = payload
        add(back)
      }
    }
    for number in 0..<12 as Range<UInt16> {
      var probe = TunnelFrame(vni: 6, sourcePort: 39312 + number % 6, destinationPort: 4240)
      (probe.client, probe.server) = (IPv4Address(10, 244, 1, 119), IPv4Address(10, 244, 3, 10))
      add(probe)
      (probe.client, probe.server) = (probe.server, probe.client)
      (probe.sourcePort, probe.destinationPort, probe.vni) = (4240, probe.sourcePort, 4)
      probe.returns = true
      add(probe)
    }
    return writer.bytes
  }

  /// Every link type, outer header, tunnel and content.
  static func kinds() -> [UInt8] { capture(TunnelFrame.allKinds().map { ($0.bytes(), $0.link.type) }) }

  /// Direct server return by each of its carriers, and what is opaque.
  static func dsr() -> [UInt8] {
    var geneve = TunnelFrame(port: 6081)
    geneve.geneveOptions = [0x01, 0x4b, 0x81, 2, 10, 96, 0, 1, 0x1f, 0x90, 0, 0]
    var option = TunnelFrame()
    option.innerOptions = [0x9a, 8, 0x90, 0x1f, 1, 0, 96, 10]
    var esp = TunnelFrame().bytes()
    esp[23] = 50
    return capture([
      (geneve.bytes(), .ethernet), (option.bytes(), .ethernet), (Array(option.bytes()[50...]), .ethernet),
      (TunnelFrame(port: 51871).bytes(), .ethernet), (esp, .ethernet),
    ])
  }
}

@Test(arguments: ["http.pcap", "kinds.pcapng", "dsr.pcapng"])
func `the samples are what the writers make`(name: String) throws {
  let made = name == "http.pcap" ? Samples.http() : name == "dsr.pcapng" ? Samples.dsr() : Samples.kinds()
  if getenv("CILIATE_UPDATE_REFERENCES") != nil { try OutputFile.write(made, to: Samples.path(name)) }
  let stored = try readWholeFile(Samples.path(name))
  #expect(stored == made)
}

@Test(arguments: ["kinds.pcapng.gz", "kinds.pcapng.zst"])
func `compressed samples read like the plain one`(name: String) throws {
  var (plain, compressed) = (CollectedPackets(), CollectedPackets())
  var reader = try CaptureReader(path: Samples.path("kinds.pcapng"))
  try reader.read(into: &plain)
  var inflating = try CaptureReader(path: Samples.path(name))
  try inflating.read(into: &compressed)
  #expect(plain.packets.count == TunnelFrame.allKinds().count && plain.packets == compressed.packets)
  // Cut short, it says so.
  let folder = try TemporaryFolder()
  _ = lines(of: "head -c 3000 '\(Samples.path(name))' > '\(folder.path)/cut'")
  var cut = try CaptureReader(path: "\(folder.path)/cut")
  #expect(throws: CaptureError.self) { try cut.read(into: &compressed) }
}

@Test func `the HTTP sample: identities and conversations`() throws {
  let report = try report(of: Samples.path("http.pcap"))
  #expect(report.vnis == "62651:14 4:12 6:12 44370:10")
  var conversations: [String] = []
  report.forEachConversation { there, back in
    if there.destinationPort == 80 {
      conversations.append(
        "\(there.sourcePort) \(there.packets) \(there.vni) \(back?.packets ?? 0) \(back?.vni ?? 0)")
    }
    return true
  }
  #expect(conversations == ["52542 7 62651 5 44370", "52558 7 62651 5 44370"])
}

@Test func `the DSR sample: options and opaque tunnels are counted`() throws {
  let report = try report(of: Samples.path("dsr.pcapng"))
  #expect(report.counts.dsr == 3 && report.counts.wireguard == 1 && report.counts.ipsec == 1)
  #expect((0..<report.flowCount).map { report.flow($0).dsr?.carrier } == [.geneve, .ipv4])
}
