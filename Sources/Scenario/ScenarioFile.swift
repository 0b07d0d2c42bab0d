import Cluster
import Manifests
import Wire

/// A scenario as its file says it: values only, no file that it names has been read.
public struct ScenarioFile: Equatable, Sendable {
  public var name = ""
  public var labels = Labels()
  public var cilium = CiliumInstallation()
  /// One, or several meshed ones. Empty when the manifests' Node objects make the cluster.
  public var clusters: [ClusterPlan] = []
  public var external: [ExternalHost] = []
  public var dns = WorldDNS()
  public var seed: UInt64 = 1
  public var kernel = KernelUse.auto
  public var manifests: [Located<String>] = []
  public var steps: [Step] = []
  public var artifacts = Artifacts()
  /// The path as the user gave it.
  public var file: String

  public init(file: String) { self.file = file }

  /// Whether the kernel's interpreters run.
  public enum KernelUse: String, Sendable, CaseIterable { case auto, required, off }

  /// What the run writes by itself.
  public struct Artifacts: Equatable, Sendable {
    public enum Flows: String, Sendable, CaseIterable { case compact, json, jsonpb }
    public enum Report: String, Sendable, CaseIterable { case html, json, text }

    public var pcap = false
    public var flows: Flows?
    public var report: Report?

    public init() {}
  }
}

/// `spec.cilium`.
public struct CiliumInstallation: Equatable, Sendable {
  /// A file of Helm values, or the values themselves.
  public enum Values: Equatable, Sendable {
    case file(Located<String>)
    case inline(YAMLValue)
  }

  public var profile = Profile.latest
  /// Later ones win.
  public var values: [Values] = []

  public init() {}
}

/// `spec.cluster`, or one of `spec.clusters`.
public struct ClusterPlan: Equatable, Sendable {
  /// `cluster.name` and `cluster.id`; nil leaves them to the Helm values.
  public var name: String?
  public var id: Int?
  public var kindFile: Located<String>?
  public var nodes: [Node] = []
  /// Empty leaves them to kind.
  public var podCIDRs: [CIDR] = []
  public var serviceCIDRs: [CIDR] = []
  /// Empty for the docker network that kind makes.
  public var subnets: [ClusterNetwork.Subnet] = []
  public var mtu: Int?
  /// Helm values and manifests of this cluster alone, in a mesh.
  public var values: [CiliumInstallation.Values] = []
  public var manifests: [Located<String>] = []
  public var location: SourceLocation

  public init(location: SourceLocation = .none) { self.location = location }
}

/// What the world's DNS answers.
public struct WorldDNS: Equatable, Sendable {
  /// A name's addresses, in the order of the answer.
  public struct Record: Equatable, Sendable {
    /// Lower case, without a final dot.
    public var name: String
    /// nil takes the name away; empty answers without address.
    public var addresses: [IPAddress]?
    public var location: SourceLocation

    public init(name: String, addresses: [IPAddress]?, location: SourceLocation = .none) {
      self.name = name
      self.addresses = addresses
      self.location = location
    }
  }

  /// By name.
  public var records: [Record] = []
  /// nil where a change leaves it as it was; 30 s to begin with.
  public var ttl: VirtualDuration?

  public init() {}
}
