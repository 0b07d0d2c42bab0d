import Cluster
import Manifests
import Wire

/// What a step is to lead to; every part that is given must hold.
public struct Expectation: Equatable, Sendable {
  public var outcome: Located<Outcome>?
  public var verdict: Located<PolicyVerdict>?
  public var egressVerdict: Located<PolicyVerdict>?
  public var ingressVerdict: Located<PolicyVerdict>?
  /// curl's.
  public var exitCode: Located<Int>?
  /// HTTP status.
  public var http: Located<Int>?
  public var body: Located<String>?
  public var drop: DropExpectation?
  /// Name of the policy and rule, a glob.
  public var rule: Located<String>?
  public var match: Located<PolicyMatch>?
  /// The backend's pod, or its address; a glob.
  public var backend: Located<String>?
  /// The service whose backend it must be.
  public var backendOf: Located<NamespacedName>?
  public var distribution: Distribution?
  /// An ordered subset of the passages.
  public var path: [Located<PassagePattern>] = []
  public var wire: [WireExpectation] = []
  /// Globs of Hubble's compact lines, in order.
  public var flows: [Located<String>] = []
  public var objects: [ObjectExpectation] = []
  public var matrix: Located<MatrixTable>?
  public var maps: [MapExpectation] = []
  /// Ids of findings.
  public var lint: [Located<String>]?
  public var view: Located<String>?
  public var location: SourceLocation

  public init(location: SourceLocation = .none) { self.location = location }
}

public enum Outcome: String, Equatable, Sendable, CaseIterable {
  case ok, timeout, refused, unreachable, rejected, reset
  case dnsFailure = "dns-failure"
  case fragNeeded = "frag-needed"
}

public enum PolicyVerdict: String, Equatable, Sendable, CaseIterable { case allowed, denied, redirected }

/// Which kind of policy entry matched, in Hubble's words.
///
/// Source: Cilium `pkg/monitor/datapath_policy.go`.
public enum PolicyMatch: String, Equatable, Sendable, CaseIterable {
  case none, all
  case l3Only = "L3-Only"
  case l3L4 = "L3-L4"
  case l4Only = "L4-Only"
  case l3Proto = "L3-Proto"
  case protoOnly = "Proto-Only"
}

public struct DropExpectation: Equatable, Sendable {
  public enum Reason: Equatable, Sendable {
    /// As in Cilium's flow API: `POLICY_DENIED`.
    case name(String)
    case code(Int)
  }

  public enum Direction: String, Equatable, Sendable, CaseIterable { case egress, ingress }

  public var reason: Located<Reason>?
  public var node: String?
  public var direction: Direction?
  public var hook: String?
  public var stage: String?
  public var location: SourceLocation

  public init(reason: Located<Reason>? = nil, location: SourceLocation = .none) {
    self.reason = reason
    self.location = location
  }
}

/// How the conversations of a probe with a count spread over backends.
public struct Distribution: Equatable, Sendable {
  public struct Share: Equatable, Sendable {
    /// A glob of the backend's name.
    public var backend: String
    /// In a million.
    public var share: Int

    public init(backend: String, share: Int) {
      self.backend = backend
      self.share = share
    }
  }

  public var shares: [Share]
  /// In a million of all conversations, to either side.
  public var tolerance: Int
  public var location: SourceLocation

  public init(shares: [Share], tolerance: Int, location: SourceLocation = .none) {
    self.shares = shares
    self.tolerance = tolerance
    self.location = location
  }
}

/// `NODE/DEVICE:HOOK`; parts that are left out match all.
public struct PassagePattern: Equatable, Sendable, CustomStringConvertible {
  public var node: String?
  public var device: String?
  public var hook: String?

  public init(node: String? = nil, device: String? = nil, hook: String? = nil) {
    self.node = node
    self.device = device
    self.hook = hook
  }

  /// `kind-worker/lxc(default/client):from_container`, `lxc:from_container`, `eth0`, `kind-worker/:to_netdev`.
  ///
  /// A slash inside parentheses belongs to the device, and a colon there too.
  public init?(_ text: String) {
    var depth = 0
    var slash: String.Index?
    var colon: String.Index?
    for index in text.indices {
      switch text[index] {
      case "(": depth += 1
      case ")": depth -= 1
      case "/" where depth == 0 && slash == nil && colon == nil: slash = index
      case ":" where depth == 0: colon = index
      default: break
      }
      if depth < 0 { return nil }
    }
    guard depth == 0, !text.isEmpty else { return nil }
    let deviceStart = slash.map { text.index(after: $0) } ?? text.startIndex
    let deviceEnd = colon ?? text.endIndex
    guard deviceStart <= deviceEnd else { return nil }
    func part(_ range: Range<String.Index>) -> String? { range.isEmpty ? nil : String(text[range]) }
    node = slash.flatMap { part(text.startIndex..<$0) }
    device = part(deviceStart..<deviceEnd)
    hook = colon.flatMap { part(text.index(after: $0)..<text.endIndex) }
    if slash != nil, node == nil { return nil }
    if colon != nil, hook == nil { return nil }
  }

  public var description: String {
    (node.map { $0 + "/" } ?? "") + (device ?? "") + (hook.map { ":" + $0 } ?? "")
  }
}

/// What is seen on a node's device.
public struct WireExpectation: Equatable, Sendable {
  public enum Encapsulation: String, Equatable, Sendable, CaseIterable {
    case none, vxlan, geneve, ipip, wireguard, esp
  }

  public enum VNI: Equatable, Sendable {
    case number(UInt32)
    case identityOf(ProbeSource)
  }

  public var node: String?
  public var device: String?
  public var encapsulation: Encapsulation?
  public var port: UInt16?
  public var vni: VNI?
  /// An address, or a node's or pod's name.
  public var source: String?
  public var destination: String?
  /// Octets more than the inner frame.
  public var overhead: Int?
  /// TTL or hop limit of the outermost IP header.
  public var ttl: UInt8?
  /// False: no packet may look like this.
  public var isSeen = true
  public var location: SourceLocation

  public init(location: SourceLocation = .none) { self.location = location }
}

/// An object that must be there, by the fields given.
public struct ObjectExpectation: Equatable, Sendable {
  /// Of the objects of the cluster; other kinds (CiliumNode, …) are named by their text.
  public var kind: String
  public var namespace: String?
  /// A glob.
  public var name: String
  /// The other fields, as written.
  public var fields: [YAMLValue.Member]
  public var location: SourceLocation

  public init(
    kind: String, namespace: String? = nil, name: String, fields: [YAMLValue.Member] = [],
    location: SourceLocation = .none
  ) {
    self.kind = kind
    self.namespace = namespace
    self.name = name
    self.fields = fields
    self.location = location
  }
}

/// Entries that a map must hold.
public struct MapExpectation: Equatable, Sendable {
  /// `cilium_ipcache_v2`.
  public var name: String
  public var node: String?
  /// Each entry's fields, key and value together.
  public var entries: [YAMLValue]
  public var location: SourceLocation

  public init(name: String, node: String? = nil, entries: [YAMLValue], location: SourceLocation = .none) {
    self.name = name
    self.node = node
    self.entries = entries
    self.location = location
  }
}
