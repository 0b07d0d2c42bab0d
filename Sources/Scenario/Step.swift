import Cluster
import Manifests

/// One step: something that happens, and what is expected of it.
public struct Step: Equatable, Sendable {
  /// `step-N` when the file gives none.
  public var name: String
  public var verb: Verb
  public var expect: Expectation?
  public var location: SourceLocation

  public init(name: String, verb: Verb, expect: Expectation? = nil, location: SourceLocation = .none) {
    self.name = name
    self.verb = verb
    self.expect = expect
    self.location = location
  }

  public enum Verb: Equatable, Sendable {
    case apply(ManifestSource)
    case delete(Deletion)
    case patch(ObjectReference, merge: YAMLValue)
    case label(ObjectReference, [LabelChange])
    case annotate(ObjectReference, [LabelChange])
    case scale(ObjectReference, replicas: Int)
    case ready(pod: NamespacedName, Bool)
    case component(Component, on: NodeChoice, PowerState)
    case node(String, NodeState)
    case link(LinkChange)
    case dns(WorldDNS)
    case time(advance: VirtualDuration)
    case config([CiliumInstallation.Values])
    case probe(Probe)
    case matrix(MatrixProbe)
    case inject(Injection)
    case view(ViewRequest)
    case capture(CaptureCommand)

    /// The word that the file uses.
    public var name: String {
      switch self {
      case .apply: "apply"
      case .delete: "delete"
      case .patch: "patch"
      case .label: "label"
      case .annotate: "annotate"
      case .scale: "scale"
      case .ready: "ready"
      case .component(let component, _, _): component.rawValue
      case .node: "node"
      case .link: "link"
      case .dns: "dns"
      case .time: "time"
      case .config: "config"
      case .probe: "probe"
      case .matrix: "matrix"
      case .inject: "inject"
      case .view: "view"
      case .capture: "capture"
      }
    }

    /// Every word, in the order of the format's table.
    public static let names = [
      "apply", "delete", "patch", "label", "annotate", "scale", "ready", "agent", "operator", "envoy",
      "relay",
      "node", "link", "dns", "time", "config", "probe", "matrix", "inject", "view", "capture",
    ]
  }
}

/// Where manifests come from.
public struct ManifestSource: Equatable, Sendable {
  /// Paths and globs, relative to the scenario file.
  public var files: [Located<String>] = []
  public var inline: [Located<String>] = []

  public init() {}
}

/// What `delete` names: the objects of manifests, or objects as kubectl names them.
public enum Deletion: Equatable, Sendable {
  case manifests(ManifestSource)
  case objects([ObjectReference])
}

public enum Component: String, Equatable, Sendable, CaseIterable { case agent, `operator`, envoy, relay }

public enum NodeChoice: Equatable, Sendable {
  case all
  case named(String)
}

public enum PowerState: String, Equatable, Sendable, CaseIterable { case down, up }

public enum NodeState: String, Equatable, Sendable, CaseIterable { case down, up, removed }

/// A change of the link between two nodes; nil leaves a property as it was.
public struct LinkChange: Equatable, Sendable {
  /// Packets that the link loses.
  public struct Drop: Equatable, Sendable {
    public var transport: ProbeProtocol
    /// nil for every port.
    public var port: UInt16?

    public init(transport: ProbeProtocol, port: UInt16?) {
      self.transport = transport
      self.port = port
    }
  }

  public var a: String
  public var b: String
  public var state: PowerState?
  /// Empty takes all away.
  public var drops: [Drop]?
  public var mtu: Int?
  /// Parts in a million.
  public var loss: Int?
  public var delay: VirtualDuration?

  public init(_ a: String, _ b: String) {
    self.a = a
    self.b = b
  }
}

/// A view as `ciliate show` names it.
public struct ViewRequest: Equatable, Sendable {
  /// `identity list`.
  public var name: String
  /// nil where the view needs none, or there is one node.
  public var node: String?

  public init(name: String, node: String? = nil) {
    self.name = name
    self.node = node
  }
}

public enum CaptureCommand: Equatable, Sendable {
  case start(name: String, node: String, interface: String)
  case stop(name: String)
}
