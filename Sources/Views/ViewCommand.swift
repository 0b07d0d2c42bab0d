/// The commands behind the views, by their names in cilium-dbg.
enum ViewCommand: String, CaseIterable {
  case identityList = "identity list"
  case endpointList = "endpoint list"
  case serviceList = "service list"
  case nodeList = "node list"
  case nodeIDList = "nodeid list"
  case addressList = "ip list"
  case mapList = "map list"
  case bpfLoadBalancerList = "bpf lb list"
  case bpfConntrackList = "bpf ct list"
  case bpfPolicyGet = "bpf policy get"
  case bpfPolicyList = "bpf policy list"
  case bpfIPCacheList = "bpf ipcache list"
  case bpfIPCacheGet = "bpf ipcache get"
  case bpfEndpointList = "bpf endpoint list"
  case bpfNATList = "bpf nat list"
  case bpfMetricsList = "bpf metrics list"
  case bpfAuthList = "bpf auth list"
  case bpfNodeIDList = "bpf nodeid list"
  case bpfTunnelList = "bpf tunnel list"

  var words: [String] { rawValue.split(separator: " ").map { String($0) } }

  /// Whether `ls` stands for `list`: cilium-dbg knows the alias in most places, not in all.
  var hasShortName: Bool {
    switch self {
    case .mapList, .bpfMetricsList, .bpfNodeIDList, .bpfPolicyGet, .bpfIPCacheGet: false
    default: true
    }
  }

  /// The options, each with its long name and its letter.
  var options: [(name: String, letter: Character?)] {
    switch self {
    case .identityList: [("endpoints", nil)]
    case .endpointList: [("no-headers", nil)]
    case .serviceList: [("clustermesh-affinity", nil)]
    case .addressList: [("numeric", "n"), ("verbose", "v")]
    case .bpfLoadBalancerList: [("frontends", nil), ("backends", nil), ("revnat", nil)]
    case .bpfConntrackList: [("time-diff", "d")]
    case .bpfPolicyGet: [("numeric", "n"), ("all", nil)]
    default: []
    }
  }

  /// Whether these words begin with the command's name.
  func isNamed(by words: [String], shortNames: Bool) -> Bool {
    let own = self.words
    guard words.count >= own.count else { return false }
    return zip(own, words).allSatisfy { $0 == $1 || shortNames && $0 == "list" && $1 == "ls" }
  }
}
