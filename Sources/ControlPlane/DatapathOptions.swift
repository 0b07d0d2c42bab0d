import Cluster
import MapABI
import Wire

/// What the agent makes of the Helm values: the switches that the datapath is built and loaded with.
///
/// Source: Cilium `pkg/kpr`, `pkg/kpr/initializer`, `pkg/option/config.go`,
/// `pkg/datapath/linux/config/config.go` and `install/kubernetes/cilium/templates/cilium-configmap.yaml`.
public struct DatapathOptions: Hashable, Sendable {
  public var ipv4: Bool
  public var ipv6: Bool
  /// Packets between nodes are encapsulated.
  public var tunnel: Bool
  public var tunnelProtocol: Settings.TunnelProtocol
  public var tunnelPort: UInt16
  /// Tunnel packets go between the nodes' addresses of this family.
  public var underlayIPv6: Bool
  public var kubeProxyReplacement: Bool
  public var socketLB: Bool
  public var socketLBHostOnly: Bool
  public var bpfMasquerade: Bool
  /// Packets pass the host's stack between hooks; else programs ask the FIB and redirect.
  public var hostLegacyRouting: Bool
  /// Why, when the values did not ask for it.
  public var hostLegacyRoutingReason: String?
  public var endpointRoutes: Bool
  public var nodePort: Bool
  /// `to_netdev` is attached to the underlay device.
  public var devicesRequired: Bool
  /// 0 none, 2 low, 3 medium, 4 maximum.
  public var monitorAggregation: UInt8
  public var ctReportFlags: UInt8

  public init(_ settings: Settings) {
    ipv4 = settings.ipv4Enabled
    ipv6 = settings.ipv6Enabled
    tunnel = settings.routing.mode == .tunnel
    tunnelProtocol = settings.routing.tunnelProtocol
    tunnelPort = settings.routing.effectiveTunnelPort
    underlayIPv6 =
      switch settings.routing.underlay {
      case .ipv4: false
      case .ipv6: true
      case .auto: !settings.ipv4Enabled
      }
    let replacement = settings.kubeProxyReplacement
    kubeProxyReplacement = replacement.enabled
    socketLB = replacement.enabled || replacement.socketLB
    socketLBHostOnly = replacement.socketLBHostNamespaceOnly
    bpfMasquerade = settings.masquerade.bpf
    endpointRoutes = settings.routing.endpointRoutes
    let masquerades =
      settings.masquerade.ipv4 && settings.ipv4Enabled || settings.masquerade.ipv6 && settings.ipv6Enabled
    if settings.bpf.hostLegacyRouting {
      hostLegacyRouting = true
    } else if masquerades && !settings.masquerade.bpf {
      hostLegacyRouting = true
      hostLegacyRoutingReason = "BPF host routing requires enable-bpf-masquerade"
    } else if !replacement.enabled {
      hostLegacyRouting = true
      hostLegacyRoutingReason = "BPF host routing requires kube-proxy-replacement"
    } else {
      hostLegacyRouting = false
    }
    nodePort = replacement.enabled || settings.masquerade.bpf
    devicesRequired =
      replacement.enabled || settings.masquerade.bpf || settings.policy.hostFirewall
      || settings.encryption.enabled || settings.features.l2Announcements
    monitorAggregation =
      switch settings.bpf.monitorAggregation {
      case .none: 0
      case .low: 2
      case .medium: 3
      case .maximum: 4
      }
    ctReportFlags = DatapathOptions.tcpFlags(settings.bpf.monitorFlags)
  }

  /// The families that pods have.
  public var families: [AddressFamily] { (ipv4 ? [.ipv4] : []) + (ipv6 ? [.ipv6] : []) }
  public var isDualStack: Bool { ipv4 && ipv6 }

  /// The identity of what is outside the cluster.
  public func world(_ family: AddressFamily) -> UInt32 {
    guard isDualStack else { return IDENTITY_WORLD.number }
    return family == .ipv4 ? IDENTITY_WORLD_IPV4.number : IDENTITY_WORLD_IPV6.number
  }

  /// `all`, or names of flags joined by spaces or commas, as the octet of the TCP header.
  static func tcpFlags(_ text: String) -> UInt8 {
    let names = ["fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"]
    var flags: UInt8 = 0
    for word in text.lowercased().split(whereSeparator: { $0 == " " || $0 == "," }) {
      if word == "all" { return 0xff }
      if let bit = names.firstIndex(of: String(word)) { flags |= 1 << UInt8(bit) }
    }
    return flags
  }
}

extension DatapathOptions: CustomStringConvertible {
  /// One `name: value` line for each switch.
  public var description: String {
    let aggregation = ["none", "low", "low", "medium", "maximum"][min(Int(monitorAggregation), 4)]
    let lines = [
      ("families", families.map(\.rawValue).joined(separator: ", ")),
      ("routing", tunnel ? "tunnel, \(tunnelProtocol.rawValue) port \(tunnelPort)" : "native"),
      (
        "host routing",
        hostLegacyRouting ? "legacy" + (hostLegacyRoutingReason.map { " (\($0))" } ?? "") : "BPF"
      ),
      ("kube-proxy replacement", kubeProxyReplacement ? "true" : "false"),
      ("socket load balancing", socketLB ? (socketLBHostOnly ? "host namespace only" : "full") : "off"),
      ("per-packet load balancing", perPacketLB ? "true" : "false"),
      ("masquerading", bpfMasquerade ? "BPF" : "iptables"),
      ("endpoint routes", endpointRoutes ? "true" : "false"),
      ("monitor aggregation", aggregation),
    ]
    return lines.map { "\($0.0): \($0.1)" }.joined(separator: "\n")
  }

  /// Services are translated in the container's hook: whenever the socket hook does not see all pods' traffic.
  var perPacketLB: Bool { !socketLB || socketLBHostOnly }
}
