import Wire

/// How Cilium is installed: the Helm values that matter to packets, typed, with the chart's defaults.
///
/// These are the values as given. What the agent derives from several of them (host routing, socket load
/// balancing with kube-proxy replacement, map sizes) is ControlPlane's.
///
/// Source: `install/kubernetes/cilium/values.yaml` of each release, and `templates/cilium-configmap.yaml` for the
/// defaults of values that the chart leaves empty.
public struct Settings: Hashable, Sendable {
  public var profile: Profile

  /// `cluster.name`, `cluster.id` (0…511).
  public var clusterName = "default"
  public var clusterID = 0

  public var routing = Routing()
  public var ipv4Enabled = true
  public var ipv6Enabled = false
  public var ipam = IPAM()
  public var kubeProxyReplacement = KubeProxyReplacement()
  public var masquerade = Masquerade()
  public var bpf = BPF()
  public var policy = PolicySettings()
  public var loadBalancer = LoadBalancer()
  public var hubble = HubbleSettings()
  public var encryption = Encryption()
  public var dnsProxy = DNSProxy()
  public var features = Features()

  /// `operator.replicas`.
  public var operatorReplicas = 2

  /// The chart's defaults for a release.
  public init(profile: Profile = .latest) {
    self.profile = profile
    policy.defaultLocalCluster = profile >= .v119
  }
}

extension Settings {
  public enum RoutingMode: String, Hashable, Sendable, CaseIterable { case tunnel, native }

  public enum TunnelProtocol: String, Hashable, Sendable, CaseIterable {
    case vxlan, geneve

    /// The UDP port when `tunnelPort` is 0.
    public var defaultPort: UInt16 { self == .vxlan ? 8472 : 6081 }
  }

  public enum Underlay: String, Hashable, Sendable, CaseIterable { case auto, ipv4, ipv6 }

  public struct Routing: Hashable, Sendable {
    public var mode = RoutingMode.tunnel
    public var tunnelProtocol = TunnelProtocol.vxlan
    /// 0 for the protocol's own port.
    public var tunnelPort: UInt16 = 0
    /// `tunnelSourcePortRange`; 0-0 leaves the range to the kernel.
    public var tunnelSourcePorts: ClosedRange<UInt16> = 0...0
    public var underlay = Underlay.auto
    /// 0 for what the devices have.
    public var mtu = 0
    public var endpointRoutes = false
    public var autoDirectNodeRoutes = false
    public var directRoutingSkipUnreachable = false
    public var ipv4NativeCIDR: CIDR?
    public var ipv6NativeCIDR: CIDR?
    /// Device names or patterns; empty detects them.
    public var devices: [String] = []

    public init() {}

    /// The UDP port that tunnel packets go to.
    public var effectiveTunnelPort: UInt16 { tunnelPort == 0 ? tunnelProtocol.defaultPort : tunnelPort }
  }

  public enum IPAMMode: String, Hashable, Sendable, CaseIterable {
    case kubernetes
    case clusterPool = "cluster-pool"
    case multiPool = "multi-pool"
    case eni, azure, alibabacloud
    case crd
    case delegatedPlugin = "delegated-plugin"
  }

  public struct IPAM: Hashable, Sendable {
    public var mode = IPAMMode.clusterPool
    /// `ipam.operator.clusterPool…`: prefixes cut into one of `maskSize` per node.
    public var ipv4PodCIDRs = [CIDR("10.0.0.0/8")].compactMap(\.self)
    public var ipv4MaskSize = 24
    public var ipv6PodCIDRs = [CIDR("fd00::/104")].compactMap(\.self)
    public var ipv6MaskSize = 120

    public init() {}
  }

  public struct KubeProxyReplacement: Hashable, Sendable {
    public var enabled = false
    /// `socketLB.enabled`; with kube-proxy replacement the agent turns it on anyway.
    public var socketLB = false
    /// `socketLB.hostNamespaceOnly`: pods' traffic is translated per packet.
    public var socketLBHostNamespaceOnly = false
    public var socketLBTerminatePodConnections: Bool?
    public var socketLBTracing: Bool?
    /// `k8sServiceHost`, `k8sServicePort`; empty and 0 leave it to the kubernetes service.
    public var apiServerHost = ""
    public var apiServerPort = 0

    public init() {}
  }

  public struct Masquerade: Hashable, Sendable {
    /// `enableIPv4Masquerade`; the chart's default is on, except with ENI.
    public var ipv4 = true
    public var ipv6 = true
    /// `bpf.masquerade`: in eBPF rather than iptables.
    public var bpf = false
    /// `ipMasqAgent.enabled`.
    public var agent = false
    /// `egressMasqueradeInterfaces`.
    public var interfaces = ""

    public init() {}
  }

  public enum MonitorAggregation: String, Hashable, Sendable, CaseIterable {
    case none, low, medium, maximum
  }

  public enum DatapathMode: String, Hashable, Sendable, CaseIterable {
    case veth, netkit
    case netkitL2 = "netkit-l2"
    case auto
  }

  public struct BPF: Hashable, Sendable {
    public var hostLegacyRouting = false
    public var monitorAggregation = MonitorAggregation.medium
    /// `bpf.monitorInterval` in seconds.
    public var monitorIntervalSeconds = 5
    /// `bpf.monitorFlags`: `all`, or a list of TCP flags.
    public var monitorFlags = "all"
    /// nil for sizes that follow from the machine's memory.
    public var ctTCPMax: Int?
    public var ctAnyMax: Int?
    public var natMax: Int?
    public var neighMax: Int?
    public var policyMapMax = 16_384
    public var lbMapMax = 65_536
    public var preallocateMaps = false
    public var ctAccounting = false
    public var tproxy = false
    public var lbExternalClusterIP = false
    public var lbSourceRangeAllTypes = false
    public var lbAlgorithmAnnotation = false
    public var lbModeAnnotation = false
    public var datapathMode = DatapathMode.veth
    public var enableTCX = true
    public var traceEvents = true
    public var dropEvents = true
    public var policyVerdictEvents = true

    public init() {}
  }
}
