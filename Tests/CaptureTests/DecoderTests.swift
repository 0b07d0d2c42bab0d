import Testing
import Wire

@testable import Capture

/// A capture of frames, all on interfaces of their link types.
func capture(_ frames: [(bytes: [UInt8], link: LinkType)]) -> [UInt8] {
  var writer = PcapngWriter()
  var interfaces: [LinkType: Int] = [:]
  for (number, frame) in frames.enumerated() {
    let interface = interfaces[frame.link] ?? writer.addInterface(name: "\(frame.link)", linkType: frame.link)
    interfaces[frame.link] = interface
    writer.write(time: UInt64(number + 1) * 1_000_000, interface: interface, bytes: frame.bytes)
  }
  return writer.bytes
}

func decode(_ bytes: [UInt8], countsFlows: Bool = true) -> DecodeReport {
  var decoder = Decoder(countsFlows: countsFlows)
  decoder.begin(file: "test")
  do {
    var reader = CaptureReader(name: "test", memory: bytes)
    try reader.read(into: &decoder)
  } catch { decoder.fail(error) }
  return decoder.report()
}

/// Takes every packet the long way.
private struct LongWay: PacketSink, ~Copyable {
  var decoder = Decoder()
  mutating func take(_ packet: CapturedPacket) { decoder.take(packet) }
}

/// Everything a report says.
private func everything(_ report: borrowing DecodeReport) -> String {
  var output = TextOutput()
  report.writeJSON(to: &output, names: ReportNames())
  report.writeTable(to: &output, by: .flow, names: ReportNames())
  return output.text + report.diagnostics.map(\.description).joined(separator: "\n")
}

@Test func `the quick way and the long way say the same of mutated frames`() throws {
  var random = SplitMix(state: 5)
  let kinds = TunnelFrame.allKinds().filter { $0.link == .ethernet && $0.outer == .ipv4 }
  var writer = PcapngWriter()
  let interface = writer.addInterface(name: "eth0", linkType: .ethernet)
  var quick = 0
  for number in 0..<60_000 {
    var frame = kinds[Int.random(in: 0..<kinds.count, using: &random)]
    if Int.random(in: 0..<4, using: &random) > 0 { frame.inner = Bool.random(using: &random) ? .tcp4 : .udp4 }
    frame.payload = Int.random(in: 0..<40, using: &random)
    var bytes = frame.bytes()
    // Mostly one changed octet in the headers; sometimes none, sometimes several.
    for _ in 0..<Int.random(in: 0...2, using: &random) {
      bytes[Int.random(in: 0..<min(bytes.count, 110), using: &random)] = UInt8.random(
        in: 0...255, using: &random)
    }
    let length =
      Int.random(in: 0..<8, using: &random) == 0
      ? Int.random(in: 0...bytes.count, using: &random) : bytes.count
    writer.write(
      time: UInt64(number), interface: interface, bytes: bytes[..<length],
      originalLength: Bool.random(using: &random) ? bytes.count : length)
    quick += 1
  }
  var sink = LongWay()
  sink.decoder.begin(file: "test")
  var reader = CaptureReader(name: "test", memory: writer.bytes)
  try reader.read(into: &sink)
  let long = sink.decoder.report()
  let short = decode(writer.bytes)
  #expect(long.counts == short.counts)
  #expect(everything(long) == everything(short))
  #expect(short.counts.malformed > 1000 && short.counts.truncated > 100 && short.counts.tunnel > 20_000)
}

@Test func `conversations pair in both directions, whatever the tunnel's identity`() {
  var there = TunnelFrame(vni: 1000)
  there.sourcePort = 5555
  var back = TunnelFrame(vni: 2000)
  (back.client, back.server) = (there.server, there.client)
  (back.sourcePort, back.destinationPort) = (80, 5555)
  var other = back
  other.destinationPort = 5556
  let six = TunnelFrame(vni: 300, inner: .icmp6)
  let report = decode(
    capture([there, other, back, there, six].map { ($0.bytes(), $0.link.type) }))
  #expect(report.flowCount == 4)
  #expect(
    report.flow(0).packets == 2 && report.flow(0).first == 1_000_000 && report.flow(0).last == 4_000_000)
  // The tunnels of both go the same way here (as with direct server return): found all the same.
  #expect(report.reverse(of: 0) == 2 && report.reverse(of: 2) == 0)
  #expect(report.reverse(of: 1) == nil && report.reverse(of: 3) == nil)
  let peers = report.peers()
  #expect(peers[1000] == [2000] && peers[2000] == [1000] && peers[1500].isEmpty)
  #expect(report.identities.map(\.vni) == [1000, 2000, 300])
}

@Test func `many flows: growth, order and sums`() throws {
  var writer = PcapWriter()
  var bytes = TunnelFrame().bytes()
  let flows = 70_000
  for round in 0..<2 {
    for number in 0..<flows {
      bytes[76] = UInt8(number >> 16)
      bytes[77] = UInt8(number >> 8 & 255)
      bytes[78] = UInt8(number & 255)
      writer.write(time: UInt64(round * flows + number) * 1000, bytes: bytes)
    }
  }
  let report = decode(writer.bytes)
  #expect(report.flowCount == flows)
  for number in stride(from: 0, to: flows, by: 997) {
    let flow = report.flow(number)
    #expect(flow.packets == 2 && flow.bytes == UInt64(2 * (bytes.count - 50)))
    #expect(flow.first == UInt64(number) * 1000 && flow.last == UInt64(flows + number) * 1000)
  }
}

@Test func `flows made to collide do not slow the table down`() throws {
  // Equal hashes by construction: the same inner addresses and ports, another identity each.
  var writer = PcapWriter()
  var bytes = TunnelFrame().bytes()
  for number in 1...50_000 {
    (bytes[46], bytes[47], bytes[48]) = (UInt8(number >> 16), UInt8(number >> 8 & 255), UInt8(number & 255))
    writer.write(time: 1, bytes: bytes)
  }
  let report = decode(writer.bytes)
  #expect(report.flowCount == 50_000 && report.identities.count == 50_000)
  #expect((0..<50_000).allSatisfy { report.reverse(of: $0) == nil })
}

@Test func `what is wrong is counted and told`() {
  var zero = TunnelFrame()
  zero.vni = 0
  var malformed = TunnelFrame().bytes()
  malformed[64] = 0x95
  let report = decode(capture([(zero.bytes(), .ethernet), (malformed, .ethernet), ([1, 2, 3], .ethernet)]))
  #expect(report.counts.vniZero == 1 && report.counts.malformed == 2 && report.counts.tunnel == 2)
  #expect(report.diagnostics.map(\.packet) == [1, 2, 3])
  #expect(
    report.diagnostics.map(\.text) == [
      "vxlan packet with VNI 0: no identity", "IPv4 version 9", "Ethernet header incomplete",
    ])
  // Offsets are the file's: section and interface of 44 octets each, 28 octets before a packet, 4 behind it.
  let second = 88 + 28 + 104 + 4
  let offsets: [UInt64] = [88 + 28, UInt64(second + 28 + 64), UInt64(second + 28 + 104 + 4 + 28 + 3)]
  #expect(report.diagnostics.compactMap(\.offset) == offsets)
}
