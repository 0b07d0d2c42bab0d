import Capture
import Testing

/// A capture with every kind of frame, as pcapng of either byte order.
private func corpus() -> [[UInt8]] {
  let frames = TunnelFrame.allKinds()
  let every = stride(from: 0, to: frames.count, by: 37).map { (frames[$0].bytes(), frames[$0].link.type) }
  var big = Octets(bigEndian: true)
  big.section()
  big.interface(1, resolution: 6)
  for frame in frames.prefix(12) { big.enhancedPacket(interface: 0, ticks: 1, frame.bytes()) }
  var classic = PcapWriter(resolution: .microseconds)
  for frame in frames.prefix(12) { classic.write(time: 5, bytes: frame.bytes()) }
  return [capture(every), big.bytes, classic.bytes]
}

/// Headers that lead in circles or nowhere.
private let nasty: [(String, [UInt8])] = {
  let macs = [UInt8](repeating: 2, count: 12)
  let ip6: [UInt8] = [0x60, 0, 0, 0, 0x05, 0, 0, 64] + [UInt8](repeating: 0xfd, count: 32)
  let udp: [UInt8] = [0, 1, 0x21, 0x18, 0, 40, 0, 0, 8, 0, 0, 0, 0, 0, 5, 0]
  let optioned: [UInt8] = [0x4f, 0, 0, 100, 0, 0, 0, 0, 64, 17, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
  return [
    ("300 VLAN tags", macs + (0..<300).flatMap { _ in [0x81, 0, 0, 1] as [UInt8] } + [8, 0]),
    (
      "options of length 0",
      macs + [8, 0] + optioned + [UInt8](repeating: 0, count: 1) + [0x9a, 0]
        + [UInt8](repeating: 0x9a, count: 80)
    ),
    ("option of length 1", macs + [8, 0] + optioned + [0x9a, 1] + [UInt8](repeating: 1, count: 78)),
    (
      "160 extension headers",
      macs + [0x86, 0xdd] + ip6 + (0..<160).flatMap { _ in [0, 0, 1, 4, 0, 0, 0, 0] as [UInt8] }
    ),
    ("extension header beyond the end", macs + [0x86, 0xdd] + ip6 + [0, 255, 0, 0, 0, 0, 0, 0]),
    (
      "fragment headers for ever",
      macs + [0x86, 0xdd] + [0x60, 0, 0, 0, 0, 80, 44, 64] + ip6[8...]
        + (0..<10).flatMap { _ in [44, 0, 0, 1, 0, 0, 0, 0] as [UInt8] }
    ),
    (
      "tunnel in tunnel",
      macs + [8, 0, 0x45, 0, 0, 72, 0, 0, 0, 0, 64, 17, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2] + udp + macs + [8, 0]
        + udp
    ),
    ("nothing", []), ("one octet", [0x45]), ("a type and no more", macs + [8, 0]),
  ]
}()

@Test(.timeLimit(.minutes(10)), arguments: nasty.indices)
func `headers that lead nowhere have an end`(index: Int) {
  let (name, bytes) = nasty[index]
  for link in [LinkType.ethernet, .raw, .null, .loop, .linuxSLL, .linuxSLL2, .ipv4, .ipv6] {
    for length in 0...bytes.count {
      _ = dissect(Array(bytes[..<length]), link)
      _ = dissect(Array(bytes[..<length]), link, original: 70_000)
    }
  }
  let report = decode(capture([(bytes, .ethernet)]))
  #expect(report.counts.packets == 1 && report.counts.tunnel <= 1, "\(name)")
}

@Test(.timeLimit(.minutes(2)))
func `a capture cut at every octet gives what was before the cut`() {
  for whole in corpus() {
    var last: UInt64 = 0
    for length in 0...whole.count {
      let report = decode(Array(whole[..<length]))
      #expect(report.counts.packets >= last, "cut at \(length)")
      last = report.counts.packets
      #expect(report.diagnostics.count { $0.kind == .file } <= 1)
    }
    #expect(last > 0)
  }
}

/// Captures of the repository, and the real ones where they are.
private let wholeFiles =
  ["pcaps/samples/http.pcap", "pcaps/samples/dsr.pcapng", "pcaps/golden/geneve-kind-worker.pcap"]
  .map { "\(SharedCaptures.root)/\($0)" }
  + ["vxlan_traffic.pcap", "tcpdump-geneve.pcap", "tcpdump-vxlan.pcap"]
  .compactMap { SharedCaptures.path($0) }

@Test(.timeLimit(.minutes(4)), arguments: wholeFiles)
func `a capture file cut at every octet is told as cut, unless it ends with a record`(path: String) throws {
  let whole = try readWholeFile(path)
  let (all, _) = CollectedPackets.read(whole)
  var (packets, clean) = (0, 0)
  for length in 1..<whole.count {
    let (sink, error) = CollectedPackets.read(Array(whole[..<length]))
    #expect(sink.packets.count >= packets && sink.packets.count <= all.packets.count)
    packets = sink.packets.count
    if let error {
      #expect(error.offset.map { $0 <= UInt64(length) } == true, "\(error)")
    } else {
      clean += 1
    }
  }
  // After each header and each packet but the last: nowhere else.
  #expect(clean >= all.packets.count && clean <= all.packets.count + 3)
}

@Test(.timeLimit(.minutes(2)))
func `mutated captures, seeded: no trap, no hang, and the file's flaw has an offset within it`() {
  var random = SplitMix(state: 20)
  let seeds = corpus()
  let special: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, 4, 12, 0x45, 0x60]
  var flawed = 0
  for round in 0..<12_000 {
    var bytes = seeds[round % seeds.count]
    for _ in 0..<Int.random(in: 1...6, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[place] = special.randomElement(using: &random) ?? 0
      case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
      case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...9, using: &random)))
      default: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0xff], at: place)
      }
    }
    let report = decode(bytes)
    for flaw in report.diagnostics where flaw.kind == .file {
      flawed += 1
      #expect(flaw.offset.map { $0 <= UInt64(bytes.count) } == true, "\(flaw)")
    }
  }
  #expect(flawed > 1000)
}

@Test func `compressed octets that are broken are told as such`() {
  var random = SplitMix(state: 4)
  for magic in [[0x1f, 0x8b, 8, 0] as [UInt8], [0x28, 0xb5, 0x2f, 0xfd], [0x50, 0x2a, 0x4d, 0x18]] {
    for _ in 0..<200 {
      let bytes = magic + (0..<40).map { _ in UInt8.random(in: 0...255, using: &random) }
      let (sink, error) = CollectedPackets.read(bytes)
      #expect(sink.packets.isEmpty && error != nil)
    }
  }
}
