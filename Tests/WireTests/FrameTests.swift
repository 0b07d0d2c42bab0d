import TestSupport
import Testing

@testable import Wire

let client = MACAddress("0a:58:0a:f4:01:0a")!
let server = MACAddress("0a:58:0a:f4:02:14")!

@Suite struct FrameTests {
  static let inner: [Layer] = [
    .ethernet(EthernetHeader(destination: server, source: client)),
    .ipv4(IPv4Header(source: IPv4Address(10, 244, 1, 10), destination: IPv4Address(10, 244, 2, 20))),
    .tcp(
      TCPHeader(
        sourcePort: 40000, destinationPort: 80, flags: .syn, sequence: 1000,
        options: [.maximumSegmentSize(1460), .selectiveAcknowledgmentPermitted])),
  ]
  static let outer: [Layer] = [
    .ethernet(EthernetHeader(destination: server, source: client)),
    .ipv4(IPv4Header(source: IPv4Address(172, 18, 0, 2), destination: IPv4Address(172, 18, 0, 3))),
    .udp(UDPHeader(sourcePort: 50000, destinationPort: 8472)),
    .vxlan(VXLANHeader(vni: 62651)),
  ]

  @Test func encapsulationIsMoreLayers() throws {
    let inner = try Frame.build(Self.inner)
    let whole = try Frame.build(Self.outer + Self.inner)
    #expect(whole.count == inner.count + 50)
    #expect(Array(whole[50...]) == inner)
    #expect(Array(whole[42..<50]) == hex("08 00 00 00 00 f4 bb 00"))
    #expect(
      Frame.dissect(whole).entries.map(\.path) == [
        "ethernet", "ipv4", "udp", "vxlan", "inner.ethernet", "inner.ipv4", "inner.tcp",
      ])
  }
}
