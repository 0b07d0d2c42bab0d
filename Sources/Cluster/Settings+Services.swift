import Wire

extension Settings {
  public enum EnforcementMode: String, Hashable, Sendable, CaseIterable { case `default`, always, never }

  public enum DenyResponse: String, Hashable, Sendable, CaseIterable { case none, icmp }

  public struct PolicySettings: Hashable, Sendable {
    public var enforcement = EnforcementMode.default
    /// `policyAuditMode`: denied packets pass, and are told of.
    public var auditMode = false
    /// `policyCIDRMatchMode` holds `nodes`: CIDR rules match nodes too.
    public var cidrMatchesNodes = false
    /// `enableNonDefaultDenyPolicies`.
    public var nonDefaultDeny = true
    /// `k8sNetworkPolicy.enabled`.
    public var kubernetesPolicies = true
    /// `k8sClusterNetworkPolicy.enabled` (1.20).
    public var clusterNetworkPolicies = false
    /// `policyDenyResponse` (1.19 and later).
    public var denyResponse = DenyResponse.none
    /// `endpointLockdownOnMapOverflow`.
    public var lockdownOnMapOverflow = false
    public var hostFirewall = false
    public var l7Proxy = true
    /// `authentication.enabled` (mutual authentication).
    public var authentication = false
    /// `nodeSelectorLabels`: nodes have identities by their labels, and policies may name them.
    public var nodeSelectorLabels = false
    /// `clustermesh.policyDefaultLocalCluster`; on from 1.19.
    public var defaultLocalCluster = true

    public init() {}
  }

  public enum LoadBalancerMode: String, Hashable, Sendable, CaseIterable { case snat, dsr, hybrid }

  public enum LoadBalancerAlgorithm: String, Hashable, Sendable, CaseIterable { case random, maglev }

  public enum Acceleration: String, Hashable, Sendable, CaseIterable {
    case disabled, native
    case bestEffort = "best-effort"
    case generic
    case testingOnly = "testing-only"
  }

  public enum DSRDispatch: String, Hashable, Sendable, CaseIterable { case opt, ipip, geneve }

  public enum NoBackendResponse: String, Hashable, Sendable, CaseIterable { case reject, drop }

  public struct LoadBalancer: Hashable, Sendable {
    public var mode = LoadBalancerMode.snat
    public var algorithm = LoadBalancerAlgorithm.random
    public var acceleration = Acceleration.disabled
    public var dsrDispatch = DSRDispatch.opt
    /// `loadBalancer.serviceTopology`: zone hints count.
    public var serviceTopology = false
    /// `maglev.tableSize`: a prime.
    public var maglevTableSize = 16_381
    /// `maglev.hashSeed`: 12 octets in base64; empty for Cilium's own.
    public var maglevHashSeed = ""
    public var nodePorts: ClosedRange<UInt16> = 30_000...32_767
    /// `nodePort.addresses`; empty for the addresses of the detected devices.
    public var nodePortAddresses: [CIDR] = []
    public var nodePortBindProtection = true
    public var directRoutingDevice = ""
    public var noBackendResponse = NoBackendResponse.reject
    /// `enableNoServiceEndpointsRoutable` (1.19 and later).
    public var noEndpointsRoutable = true
    public var internalTrafficPolicy = true
    public var ipam = true
    /// `defaultLBServiceIPAM`.
    public var defaultIPAM = "lbipam"
    public var nodeIPAM = false
    public var localRedirectPolicies = false

    public init() {}
  }

  public struct HubbleSettings: Hashable, Sendable {
    public var enabled = true
    public var relay = false
    public var redact = false
    public var redactURLQuery = false
    public var redactUserInfo = true
    public var policyCorrelation = true

    public init() {}
  }

  public enum EncryptionType: String, Hashable, Sendable, CaseIterable { case ipsec, wireguard, ztunnel }

  public struct Encryption: Hashable, Sendable {
    public var enabled = false
    public var type = EncryptionType.ipsec
    public var nodeEncryption = false

    public init() {}
  }

  public enum DNSRejectCode: String, Hashable, Sendable, CaseIterable { case refused, nameError }

  public struct DNSProxy: Hashable, Sendable {
    public var rejectCode = DNSRejectCode.refused
    /// Seconds; answers with a shorter TTL are kept as long.
    public var minTTLSeconds = 0
    public var maxIPsPerHostname = 1000
    /// nil leaves it to the chart: on unless CNI chaining.
    public var transparentMode: Bool?
    public var preAllocateIdentities = true

    public init() {}
  }

  /// Whole features that are on or off.
  public struct Features: Hashable, Sendable {
    public var sctp = false
    public var egressGateway = false
    public var bandwidthManager = false
    public var bgpControlPlane = false
    public var l2Announcements = false
    public var nat46x64Gateway = false
    public var pmtuDiscovery = false
    public var endpointHealthChecking = true
    public var healthChecking = true
    public var ingressController = false
    public var gatewayAPI = false
    /// `envoy.enabled`: its own DaemonSet rather than in the agent's pod.
    public var envoyDaemonSet = true

    public init() {}
  }
}
