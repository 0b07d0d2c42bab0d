import CDatapath
import MapABI
import Testing
import Wire

@testable import Views

@Suite struct MapViewTests {
  func info(_ identity: UInt32, _ endpoint: AddressWords = AddressWords(), key: UInt8 = 0, flags: UInt8 = 0)
    -> RemoteEndpointInfo
  {
    RemoteEndpointInfo(sec_identity: identity, tunnel_endpoint: endpoint, pad: 0, key: key, flags: flags)
  }

  func ipcache() throws -> NodeMaps {
    var maps = NodeMaps()
    maps.ipcache[exactly: IPCacheKey(try #require(CIDR("fd00::7/128")))] = info(
      7, v6("fc00::3"), key: 3, flags: 6)
    maps.ipcache[exactly: IPCacheKey(try #require(CIDR("10.244.2.187/32")))] = info(
      4437, AddressWords(IPv4Address(172, 21, 0, 3)), flags: 2)
    maps.ipcache[exactly: IPCacheKey(try #require(CIDR("0.0.0.0/0")))] = info(2)
    maps.ipcache[exactly: IPCacheKey(try #require(CIDR("10.244.2.0/24")), clusterID: 5)] = info(
      2, AddressWords(IPv4Address(172, 21, 0, 3)), flags: 11)
    return maps
  }

  @Test func ipcacheList() throws {
    #expect(
      IPCacheList.text(try ipcache())
        == expected(
          "IP PREFIX/ADDRESS   IDENTITY$",
          "0.0.0.0/0           identity=2 encryptkey=0 tunnelendpoint=0.0.0.0 flags=<none>         "
            + "                         $",
          "10.244.2.0/24@5     identity=2 encryptkey=0 tunnelendpoint=172.21.0.3 flags=skiptunnel,h"
            + "astunnel,remotecluster   $",
          "10.244.2.187/32     identity=4437 encryptkey=0 tunnelendpoint=172.21.0.3 flags=hastunnel"
            + "                         $",
          "fd00::7/128         identity=7 encryptkey=3 tunnelendpoint=fc00::3 flags=hastunnel,ipv6t"
            + "unnel                    $"))
    #expect(IPCacheList.text(NodeMaps()) == "")
  }

  @Test func ipcacheOfUnknownFamilyAndBadLength() {
    var maps = NodeMaps()
    maps.ipcache[exactly: IPCacheKey(prefixlen: 64, cluster_id: 0, pad1: 0, family: 9, ip: v6("::1"))] = info(
      1)
    maps.ipcache[exactly: IPCacheKey(prefixlen: 96, cluster_id: 0, pad1: 0, family: 1, ip: v6("::1"))] = info(
      2)
    maps.ipcache[exactly: IPCacheKey(prefixlen: 3, cluster_id: 0, pad1: 0, family: 2, ip: v6("::1"))] = info(
      3)
    let keys = IPCacheList.text(maps).split(separator: "\n").map { $0.prefix(17) }
    #expect(keys.dropFirst() == ["invalid Prefix   ", "                 ", "<unknown>        "])
  }

  @Test func ipcacheGet() throws {
    let maps = try ipcache()
    #expect(
      IPCacheList.text(maps, address: .v4(IPv4Address(9, 9, 9, 9)))
        == "9.9.9.9 maps to identity identity=2 encryptkey=0 tunnelendpoint=0.0.0.0 flags=<none>\n")
    #expect(
      IPCacheList.text(maps, address: .v6(.unspecified)) == ":: does not map to any identity\n")
  }

  @Test func tunnelList() throws {
    #expect(
      TunnelList.text(try ipcache()) == expected("TUNNEL       VALUE$", "10.244.2.0   172.21.0.3:0   $"))
  }

  @Test func endpointList() throws {
    var maps = NodeMaps()
    maps.endpoints[EndpointKey(.v4(IPv4Address(10, 244, 2, 127)))] = EndpointInfo(
      ifindex: 24, unused: 0, lxc_id: 232, flags: 0x1a, rt_info: 1,
      mac: MACBytes(try #require(MACAddress("ee:c9:0a:01:02:ff"))),
      node_mac: MACBytes(try #require(MACAddress("0a:00:00:00:00:01"))), sec_id: 4437, parent_ifindex: 8,
      pad0: 0,
      pad1: 0)
    var host = EndpointInfo()
    host.flags = 1
    maps.endpoints[EndpointKey(.v4(IPv4Address(10, 244, 2, 1)))] = host
    maps.endpoints[EndpointKey(ip: v6("::1"), family: 0, key: 0, cluster_id: 0)] = host
    let ipv6 = EndpointKey(ip: v6("fd00::1"), family: 2, key: 3, cluster_id: 4)
    maps.endpoints[ipv6] = host
    #expect(
      LocalEndpointList.text(maps)
        == expected(
          "IP ADDRESS       LOCAL ENDPOINT INFO$",
          "10.244.2.1:0     (localhost)                                                            "
            + "                                                       $",
          "10.244.2.127:0   id=232   sec_id=4437  flags=0x001A ifindex=24  mac=EE:C9:0A:01:02:FF no"
            + "demac=0A:00:00:00:00:01 parent_ifindex=8   rt_info:1   $",
          "fd00::1@4:3      (localhost)                                                            "
            + "                                                       $",
          "nil              (localhost)                                                            "
            + "                                                       $"))
  }

  @Test func metrics() {
    var maps = NodeMaps()
    func add(_ reason: UInt8, _ direction: UInt8, _ packets: UInt64, line: UInt16, file: UInt8) {
      maps.metrics[
        MetricsKey(
          reason: reason, dir: direction, line: line, file: file, reserved0: 0, reserved1: 0, reserved2: 0)] =
        Counters(packets: packets, bytes: packets * 100)
    }
    add(133, 1, 9, line: 2061, file: 2)
    add(133, 1, 10, line: 2062, file: 2)
    add(0, 2, 7, line: 53, file: 110)
    add(0, 1, 7, line: 4, file: 6)
    add(159, 3, 1, line: 0, file: 0)
    add(255, 9, 1, line: 0, file: 5)
    #expect(
      MetricsList.text(maps)
        == expected(
          "REASON          DIRECTION   PACKETS   BYTES   LINE   FILE$",
          "159, 0          SERVICE     1         100     0      unknown(0)$",
          "255, 0          UNKNOWN     1         100     0      bpf_sock.c$",
          "Policy denied   INGRESS     10        1000    2062   bpf_lxc.c$",
          "Policy denied   INGRESS     9         900     2061   bpf_lxc.c$",
          "Success         EGRESS      7         700     53     trace.h$",
          "Success         INGRESS     7         700     4      unknown(6)$"))
    #expect(MetricsList.text(NodeMaps()) == "")
  }

  @Test func auth() {
    var maps = NodeMaps()
    let second: UInt64 = 1_000_000_000 / 512
    maps.auth[AuthKey(local_sec_label: 4437, remote_sec_label: 9, remote_node_id: 3, auth_type: 1, pad: 0)] =
      AuthInfo(
        expiration: 1_767_323_045 * second + second / 2)
    maps.auth[AuthKey(local_sec_label: 12, remote_sec_label: 4437, remote_node_id: 0, auth_type: 7, pad: 0)] =
      AuthInfo(
        expiration: 0)
    #expect(
      AuthList.text(maps)
        == expected(
          "SRC IDENTITY   DST IDENTITY   REMOTE NODE ID   AUTH TYPE             EXPIRATION$",
          "12             4437           0                Unknown-auth-type-7   1970-01-01 00:00:00 +0000 UTC$",
          "4437           9              3                spire                 2026-01-02 03:04:05.499999744 +0000 UTC$"
        ))
    #expect(AuthList.text(NodeMaps()) == "")
  }

  @Test(
    arguments: [
      (951_782_400, "2000-02-29 00:00:00 +0000 UTC"), (4_107_542_399, "2100-02-28 23:59:59 +0000 UTC"),
      (4_107_542_400, "2100-03-01 00:00:00 +0000 UTC"), (253_402_300_800, "10000-01-01 00:00:00 +0000 UTC"),
    ] as [(UInt64, String)])
  func dates(_ seconds: UInt64, _ text: String) {
    #expect(AuthList.timeText(seconds * 1_953_125) == text)
  }

  @Test func nodeIDs() {
    var maps = NodeMaps()
    func add(_ family: UInt8, _ ip: AddressWords, _ id: UInt16, _ spi: UInt8) {
      maps.nodes[NodeKey(pad1: 0, pad2: 0, family: family, ip: ip)] = NodeValue(id: id, spi: spi, pad: 0)
    }
    add(2, v6("fc00::3"), 0x1f, 3)
    add(1, AddressWords(IPv4Address(172, 21, 0, 3)), 0x1f, 3)
    add(1, AddressWords(IPv4Address(172, 21, 0, 4)), 2, 0)
    add(0, v6("::1"), 0x1f, 0)
    #expect(
      NodeIDList.text(maps)
        == expected(
          "NODE ID   IP ADDRESSES   SPI$", "0x2       172.21.0.4     0$", "0x1f      172.21.0.3     3$",
          "0x1f      fc00::3        3$", "0x1f      <unknown>      0$"))
    #expect(
      NodeIDList.agentText(maps)
        == expected(
          "NODE ID   IP ADDRESSES   SPI$", "0x2       172.21.0.4$", "0x1f      172.21.0.3$",
          "          fc00::3$"))
    #expect(NodeIDList.text(NodeMaps()) == "")
  }

  @Test func mapRows() {
    var maps = NodeMaps()
    maps.addPolicy(232, identity: 1)
    maps.addBackend(1, v4(10, 0, 0, 1), 80)
    maps.nat4[CTTuple4()] = NATEntry4()
    let rows = MapRow.rows(maps)
    #expect(rows.contains(MapRow(name: "cilium_policy_v2_00232", entries: 1)))
    #expect(rows.contains(MapRow(name: "cilium_lb4_backends_v3", entries: 1)))
    #expect(rows.contains(MapRow(name: "cilium_snat_v4_external", entries: 0)))
    #expect(rows.map(\.name) == rows.map(\.name).sorted())
  }
}
