import Cluster
import ControlPlane
import MapABI
import Wire

/// Clusters that the tests are about.
enum Fixture {
  static func address(_ text: String) -> IPAddress { IPAddress(text) ?? .v4(.unspecified) }
  static func cidr(_ text: String) -> CIDR { CIDR(text) ?? CIDR(.v4(.unspecified)) }

  /// kind's three nodes, and Cilium as in the flagship scenario.
  static func kind(_ family: KindConfiguration.IPFamily = .ipv4) -> KindConfiguration {
    KindConfiguration(
      machines: [
        .init(role: .controlPlane), .init(role: .worker), .init(role: .worker),
      ], ipFamily: family, kubeProxy: false)
  }

  static func settings(_ family: KindConfiguration.IPFamily = .ipv4) -> Settings {
    var settings = Settings()
    settings.clusterName = "kind-kind"
    settings.ipam.mode = .kubernetes
    settings.kubeProxyReplacement.enabled = true
    settings.kubeProxyReplacement.socketLBHostNamespaceOnly = true
    settings.ipv4Enabled = family != .ipv6
    settings.ipv6Enabled = family != .ipv4
    return settings
  }

  static func state(_ kind: KindConfiguration = Fixture.kind(), _ objects: [ClusterObject] = [])
    -> ClusterState
  {
    ClusterState(kind.nodes.map(ClusterObject.node) + objects)
  }

  static func pod(
    _ name: String, in namespace: String = "default", on node: String? = nil, labels: Labels = [:],
    image: String = "", ports: [ContainerPort] = [], host: Bool = false
  ) -> Pod {
    Pod(
      metadata: Metadata(namespace: namespace, name: name, labels: labels),
      spec: PodSpec(
        containers: [Container(name: "main", image: image, ports: ports)], nodeName: node, hostNetwork: host))
  }

  static func pod(_ name: String) -> NamespacedName { NamespacedName(namespace: "default", name: name) }

  /// nginx-server on kind-worker; curl-client and other-client on kind-worker2.
  static let flagship: [ClusterObject] = [
    .pod(
      pod("nginx-server", on: "kind-worker", labels: ["app": "nginx-server"], image: "nginx:1.27")),
    .pod(
      pod(
        "curl-client", on: "kind-worker2", labels: ["app": "curl-client"], image: "curlimages/curl:8.9.1")),
    .pod(pod("other-client", on: "kind-worker2", image: "curlimages/curl:8.9.1")),
    .service(
      Service(
        metadata: Metadata(namespace: "default", name: "nginx-svc"), ports: [ServicePort(80)],
        selector: ["app": "nginx-server"])),
  ]

  static func controlPlane(_ family: KindConfiguration.IPFamily = .ipv4) -> ControlPlane {
    ControlPlane(settings: settings(family), network: kind(family).network)
  }
}

extension MapImage {
  /// The ipcache as lines: prefix, identity, tunnel endpoint.
  var ipcacheLines: [String] {
    maps.ipcache.entries.map { key, value in
      let bits = Int(key.prefixlen) - 32
      let tunnel =
        value.flags & 2 != 0
        ? " via \(value.tunnel_endpoint.address(value.flags & 4 != 0 ? .ipv6 : .ipv4))" : ""
      return "\(key.address)/\(bits) \(value.sec_identity)\(tunnel)"
    }.sorted()
  }

  /// A policy map as lines: direction, identity, protocol, port and its prefix, verdict, precedence.
  func policyLines(_ endpoint: UInt16) -> [String] {
    guard let table = maps.policies[endpoint] else { return [] }
    return table.entries.map { key, value in
      let bits = Int(key.prefixlen) - 40
      let port = bits > 8 ? " \(UInt16(bigEndian: key.dport))/\(bits - 8)" : ""
      let transport = bits > 0 ? " proto \(key.protocol)" : ""
      let auth = value.auth == 0 ? "" : " auth \(String(value.auth, radix: 16))"
      return "\(key.egress == 1 ? "egress" : "ingress") \(key.sec_label)\(transport)\(port)"
        + " \(value.bits & 1 == 1 ? "deny" : "allow") \(String(value.precedence, radix: 16))\(auth)"
    }
  }

  /// The IPv4 service map as lines.
  var serviceLines: [String] {
    maps.services4.map { key, value in
      let address = IPv4Address(bits: UInt32(bigEndian: key.address))
      return "\(address):\(UInt16(bigEndian: key.dport))/\(key.proto) scope \(key.scope)"
        + " slot \(key.backend_slot): backend \(value.backend_id) count \(value.count)/\(value.qcount)"
        + " revnat \(UInt16(bigEndian: value.rev_nat_index)) flags \(value.flags)/\(value.flags2)"
    }.sorted()
  }
}
