import Testing
import Views
import Wire

@Suite struct AgentViewTests {
  let identities = [
    IdentityRow(
      number: 4437, labels: ["k8s:io.kubernetes.pod.namespace=default", "k8s:app=nginx"], references: 2),
    IdentityRow(number: 1, labels: ["reserved:host", "reserved:kube-apiserver"]),
    IdentityRow(number: 16_777_217, labels: ["reserved:world", "cidr:2001-db8--/32"]),
    IdentityRow(number: 99, labels: []),
  ]

  @Test func identityList() {
    #expect(
      IdentityList.text(identities)
        == expected(
          "ID         LABELS$",
          "1          reserved:host$",
          "           reserved:kube-apiserver$",
          "4437       k8s:app=nginx$",
          "           k8s:io.kubernetes.pod.namespace=default$",
          "16777217   cidr:2001:db8::/32$",
          "           reserved:world$"))
    #expect(IdentityList.text([]) == expected("ID   LABELS$"))
  }

  @Test func identityListOfEndpoints() {
    // Each identity's first line is the only one with a third column.
    #expect(
      IdentityList.endpointsText(identities)
        == expected(
          "ID     LABELS                                    REFCOUNT$",
          "4437   k8s:app=nginx                             2    $",
          "       k8s:io.kubernetes.pod.namespace=default   $"))
  }

  @Test func endpointList() {
    let rows = [
      EndpointRow(
        id: 232, ingressEnforced: true, egressEnforced: false, identity: 4437,
        labels: ["k8s:b=2", "k8s:app=nginx"], ipv6: IPv6Address("fd00::7f"),
        ipv4: IPv4Address(10, 244, 2, 127)),
      EndpointRow(
        id: 12, ingress: .audited, egress: .disabled, identity: nil, labels: [], state: "waiting-for-identity"
      ),
    ]
    #expect(
      EndpointList.text(rows)
        == expected(
          "ENDPOINT   POLICY (ingress)   POLICY (egress)   IDENTITY        LABELS (source:key[=value])   "
            + "IPv6       IPv4           STATUS   $",
          "           ENFORCEMENT        ENFORCEMENT                                                     "
            + "                          $",
          "12         Disabled (Audit)   Disabled          <no label id>   no labels                     "
            + "                          waiting-for-identity   $",
          "232        Enabled            Disabled          4437            k8s:app=nginx                 "
            + "fd00::7f   10.244.2.127   ready                  $",
          "                                                                k8s:b=2                       "
            + "                                                 $"))
    #expect(
      EndpointList.text(rows.reversed().dropLast(), headers: false)
        == expected(
          "12   Disabled (Audit)   Disabled   <no label id>   no labels             waiting-for-identity   $")
    )
  }

  @Test func serviceList() {
    let rows = [
      ServiceRow(
        id: 10, frontend: "[fd00::1]:80/TCP", type: "NodePort", backends: [], isRemote: true),
      ServiceRow(
        id: 6, frontend: "10.96.130.157:80/TCP", type: "ClusterIP",
        backends: [
          .init(address: "10.244.1.233:80/TCP"), .init(address: "10.244.2.9:80/TCP", state: "terminating"),
        ]),
    ]
    #expect(
      ServiceList.text(rows)
        == expected(
          "ID   Frontend               Service Type        Backend                                $",
          "6    10.96.130.157:80/TCP   ClusterIP           1 => 10.244.1.233:80/TCP (active)      $",
          "                                                2 => 10.244.2.9:80/TCP (terminating)   $",
          "10   [fd00::1]:80/TCP       NodePort (Remote)                                          $"))
    #expect(ServiceList.text(rows, meshAffinity: true).contains("(active) (preferred)"))
  }

  @Test func nodeList() {
    let rows = [
      NodeRow(
        name: "kind-kind/kind-worker2", ipv4: IPv4Address(172, 21, 0, 4), ipv4Range: CIDR("10.244.2.0/24"),
        source: "custom-resource"),
      NodeRow(
        name: "kind-kind/kind-worker", ipv4: IPv4Address(172, 21, 0, 3), ipv4Range: CIDR("10.244.1.0/24"),
        ipv6: IPv6Address("fc00::3"), ipv6Range: CIDR("fd00:10:244:1::/64"), source: "local"),
    ]
    #expect(
      NodeList.text(rows)
        == expected(
          "Name                     IPv4 Address   Endpoint CIDR   IPv6 Address   Endpoint CIDR        Source$",
          "kind-kind/kind-worker    172.21.0.3     10.244.1.0/24   fc00::3        fd00:10:244:1::/64   local$",
          "kind-kind/kind-worker2   172.21.0.4     10.244.2.0/24                                       "
            + "custom-resource$"))
    #expect(NodeList.text([]) == "")
  }

  @Test func addressList() throws {
    let rows = [
      AddressRow(
        prefix: try #require(CIDR("10.244.2.187/32")), identity: 4437, source: "custom-resource",
        host: .v4(IPv4Address(172, 21, 0, 3)), encryptKey: 1),
      AddressRow(prefix: try #require(CIDR("0.0.0.0/0")), identity: 2, source: "unspec"),
      AddressRow(prefix: try #require(CIDR("10.244.1.5/32")), identity: 777, source: "k8s"),
      AddressRow(prefix: try #require(CIDR("fd00::1/32")), identity: 7, source: "kube-apiserver"),
    ]
    let names = IdentityNames([4437: ["k8s:b=2", "k8s:app=nginx"]])
    #expect(
      AddressList.text(rows, names: names)
        == expected(
          "IP                IDENTITY                  SOURCE$",
          "0.0.0.0/0         reserved:world            unspec$",
          "10.244.1.5/32     777                       k8s$",
          "10.244.2.187/32   k8s:app=nginx             custom-resource$",
          "                  k8s:b=2                   $",
          "fd00::/32         reserved:kube-apiserver   kube-apiserver$",
          "                  reserved:remote-node      $"))
    #expect(
      AddressList.text(Array(rows.prefix(2)), numeric: true, verbose: true)
        == expected(
          "IP                IDENTITY   SOURCE            HOST         ENCRYPT_KEY$",
          "0.0.0.0/0         2          unspec                         0$",
          "10.244.2.187/32   4437       custom-resource   172.21.0.3   1$"))
  }

  @Test func mapList() {
    #expect(
      MapList.text([
        MapRow(name: "cilium_ipcache_v2", entries: 12), MapRow(name: "cilium_x", entries: nil, errors: 2),
      ])
        == expected(
          "Name                Num entries   Num errors   Cache enabled$",
          "cilium_ipcache_v2   12            0            true$",
          "cilium_x            unknown       2            false$"))
  }
}
