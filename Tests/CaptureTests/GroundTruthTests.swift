import Capture
import Testing
import Wire

@Suite(.enabled(if: SharedCaptures.areThere, "no ../shared/captures on this machine"))
struct GroundTruthTests {
  @Test(arguments: [
    ("vxlan_traffic.pcap", 48, 48, "62651:24 4:12 6:12"),
    ("dual_stack.pcap", 188, 26, "6:12 4:10 31754:2 48778:2"),
    ("intra_pod.pcap", 16, 0, ""),
    ("tcpdump-geneve.pcap", 39, 39, "11:20 10:19"),
    ("tcpdump-vxlan.pcap", 10, 10, "100:10"),
  ])
  func `packets per identity, with and without flows`(
    name: String, packets: UInt64, tunnel: UInt64, vnis: String
  ) throws {
    for countsFlows in [true, false] {
      let report = try report(of: SharedCaptures.path(name), countsFlows: countsFlows)
      #expect(report.counts.packets == packets)
      #expect(report.counts.tunnel == tunnel)
      #expect(report.vnis == vnis)
      #expect(report.counts.malformed == 0)
      #expect(report.diagnostics.isEmpty)
    }
  }

  @Test func `the two HTTP conversations of vxlan_traffic, both directions`() throws {
    let report = try report(of: SharedCaptures.path("vxlan_traffic.pcap"))
    var found: [String] = []
    for number in 0..<report.flowCount {
      let flow = report.flow(number)
      guard flow.destinationPort == 80, let reverse = report.reverse(of: number) else { continue }
      let back = report.flow(reverse)
      found.append(
        "\(flow.sourcePort) \(flow.vni) \(flow.packets) \(back.vni) \(back.packets) \(back.sourcePort)")
      #expect(flow.source == .ip(IPAddress("10.244.1.6")!))
      #expect(flow.destination == .ip(IPAddress("10.244.3.193")!))
      #expect(back.source == flow.destination && back.destination == flow.source)
      #expect(report.reverse(of: reverse) == number)
    }
    #expect(found == ["52542 62651 7 62651 5 80", "52558 62651 7 62651 5 80"])
  }

  @Test func `Geneve options, IPv6 inside and ARP`() throws {
    let geneve = try report(of: SharedCaptures.path("tcpdump-geneve.pcap"))
    #expect((0..<geneve.flowCount).allSatisfy { geneve.flow($0).tunnel == .geneve })
    let dual = try report(of: SharedCaptures.path("dual_stack.pcap"))
    let six = (0..<dual.flowCount).map { dual.flow($0) }.filter { $0.kind == .ipv6 }
    #expect(!six.isEmpty)
    let vxlan = try report(of: SharedCaptures.path("tcpdump-vxlan.pcap"))
    #expect((0..<vxlan.flowCount).contains { vxlan.flow($0).kind == .arp })
  }
}
