import CDatapath
import MapABI
import Testing
import Wire

@testable import Views

@Suite struct LoadBalancerViewTests {
  /// Two backends behind a cluster address, a node port whose backend is gone, an IPv6 L7 service.
  let maps: NodeMaps = {
    var maps = NodeMaps()
    maps.addService(v4(10, 108, 51, 80), 80, slot: 2, backend: 8, id: 20)
    maps.addService(v4(10, 108, 51, 80), 80, backend: 0, count: 2, id: 20)
    maps.addService(v4(10, 108, 51, 80), 80, slot: 1, backend: 7, id: 20)
    maps.addService(v4(0, 0, 0, 0), 4000, slot: 1, backend: 9, id: 18, flags: 0x42)
    maps.addService(v4(0, 0, 0, 0), 4000, count: 1, id: 18, flags: 0x42, scope: 1)
    maps.addService(v6("fd00::1"), 443, backend: UInt32(UInt16(14096).bigEndian), id: 300, flags: 0x0440)
    maps.addService(v6("fd00::1"), 443, slot: 1, backend: 11, id: 300, flags: 0x0440)
    maps.addBackend(8, v4(10, 244, 1, 9), 8080, flags: 1)
    maps.addBackend(7, v4(10, 244, 2, 187), 80, cluster: 3)
    maps.addBackend(11, v6("fd00::9"), 8443)
    maps.reverseNAT4[UInt16(20).bigEndian] = ReverseNAT4(
      address: v4(10, 108, 51, 80), port: UInt16(80).bigEndian)
    maps.reverseNAT4[UInt16(300).bigEndian] = ReverseNAT4(
      address: v4(10, 0, 0, 1), port: UInt16(53).bigEndian)
    maps.reverseNAT6[UInt16(300).bigEndian] = ReverseNAT6(address: v6("fd00::1"), port: UInt16(443).bigEndian)
    return maps
  }()

  @Test func services() {
    #expect(
      LoadBalancerList.text(maps)
        == expected(
          "SERVICE ADDRESS           BACKEND ADDRESS (REVNAT_ID) (SLOT)$",
          "0.0.0.0:4000/TCP (1)      backend 9 not found                                            "
            + "           $",
          "0.0.0.0:4000/TCP/i (0)    0.0.0.0:0 (18) (0) [NodePort]                                  "
            + "           $",
          "10.108.51.80:80/TCP (0)   0.0.0.0:0 (20) (0) [ClusterIP, non-routable]                   "
            + "           $",
          "10.108.51.80:80/TCP (1)   10.244.2.187@3:80/TCP (20) (1)                                 "
            + "           $",
          "10.108.51.80:80/TCP (2)   10.244.1.9:8080/TCP (20) (2)                                   "
            + "           $",
          "[fd00::1]:443/TCP (0)     [::]:0 (300) (0) [ClusterIP, l7-load-balancer] (L7LB Proxy Port"
            + ": 14096)   $",
          "[fd00::1]:443/TCP (1)     [fd00::9]:8443/TCP (300) (1)                                   "
            + "           $"))
  }

  /// A host port, with the space before an absent proxy and the padding of a closed cell.
  @Test func aRowEndsInFourSpaces() {
    var maps = NodeMaps()
    maps.addService(v4(0, 0, 0, 0), 4000, count: 1, id: 18, flags: 0x08)
    #expect(
      LoadBalancerList.text(maps)
        == expected(
          "SERVICE ADDRESS        BACKEND ADDRESS (REVNAT_ID) (SLOT)$",
          "0.0.0.0:4000/TCP (0)   0.0.0.0:0 (18) (0) [HostPort, non-routable]    $"))
    #expect(LoadBalancerList.text(NodeMaps()) == "SERVICE ADDRESS   BACKEND ADDRESS (REVNAT_ID) (SLOT)\n")
  }

  @Test func frontends() {
    #expect(
      LoadBalancerList.text(maps, .frontends)
        == expected(
          "SERVICE ADDRESS           BACKEND ID$",
          "0.0.0.0:4000/TCP (1)      9 0[0] (18) [0x42 0x0]       $",
          "0.0.0.0:4000/TCP/i (0)    0 1[0] (18) [0x42 0x0]       $",
          "10.108.51.80:80/TCP (0)   0 2[0] (20) [0x0 0x0]        $",
          "10.108.51.80:80/TCP (1)   7 0[0] (20) [0x0 0x0]        $",
          "10.108.51.80:80/TCP (2)   8 0[0] (20) [0x0 0x0]        $",
          "[fd00::1]:443/TCP (0)     4151 0[0] (300) [0x40 0x4]   $",
          "[fd00::1]:443/TCP (1)     11 0[0] (300) [0x40 0x4]     $"))
  }

  @Test func backends() {
    var maps = maps
    maps.addBackend(12, v4(10, 244, 1, 10), 80, zone: 1)
    #expect(
      LoadBalancerList.text(maps, .backends)
        == expected(
          "ID   BACKEND ADDRESS (REVNAT_ID) (SLOT)$",
          "7    TCP://10.244.2.187@3   $",
          "8    TCP://10.244.1.9       $",
          "11   TCP://fd00::9          $",
          "12   TCP://10.244.1.10[]    $"))
  }

  @Test func reverseNAT() {
    #expect(
      LoadBalancerList.text(maps, .reverseNAT)
        == expected(
          "ID    BACKEND ADDRESS (REVNAT_ID) (SLOT)$",
          "20    10.108.51.80:80   $",
          "300   10.0.0.1:53       $",
          "      [fd00::1]:443     $"))
  }

  @Test(
    arguments: [
      (0x0000, "ClusterIP, non-routable"), (0x0040, "ClusterIP"), (0x0041, "ExternalIPs"),
      (0x0042, "NodePort"),
      (0x0060, "LoadBalancer"), (0x0048, "HostPort"), (0x0148, "HostPort"), (0x0140, "LocalRedirect"),
      (0x3042, "NodePort, InternalLocal, two-scopes"), (0x2046, "NodePort, Local, two-scopes"),
      (0x0050, "ClusterIP, sessionAffinity"), (0x00e0, "LoadBalancer, check source-range"),
      (0x40e0, "LoadBalancer, check source-range, deny"), (0x4040, "ClusterIP, quarantined"),
      (0x0240, "ClusterIP, 46x64"),
      (0x0440, "ClusterIP, l7-load-balancer"), (0x0848, "HostPort, loopback"),
      (0x0840, "ClusterIP, delegate-if-local"),
      (0x8042, "NodePort, dsr"),
      (
        0xffff,
        "ExternalIPs, Local, InternalLocal, two-scopes, sessionAffinity, check source-range, deny, 46x64, "
          + "l7-load-balancer, delegate-if-local, dsr"
      ),
    ] as [(UInt16, String)])
  func flags(_ flags: UInt16, _ text: String) {
    #expect(ServiceFlagsText.text(flags) == text)
  }

  @Test func serviceRows() {
    #expect(
      ServiceRow.rows(maps) == [
        ServiceRow(id: 18, frontend: "0.0.0.0:4000/TCP/i", type: "NodePort", backends: []),
        ServiceRow(
          id: 20, frontend: "10.108.51.80:80/TCP", type: "ClusterIP",
          backends: [
            .init(address: "10.244.2.187@3:80/TCP"),
            .init(address: "10.244.1.9:8080/TCP", state: "terminating"),
          ]),
        ServiceRow(
          id: 300, frontend: "[fd00::1]:443/TCP", type: "ClusterIP",
          backends: [.init(address: "[fd00::9]:8443/TCP"), .init(address: "[::1]:14096/TCP")]),
      ])
  }

  /// An address's wildcard entry drops what no service takes; it is no service.
  @Test func wildcardsAreNoServices() {
    var maps = maps
    maps.addService(v4(10, 108, 51, 80), 0, id: 0, transport: 0)
    #expect(ServiceRow.rows(maps).count == 3)
    #expect(LoadBalancerList.text(maps).contains("10.108.51.80:0/ANY (0)"))
  }
}
