import Datapath
import MapABI
import Wire

/// The map entry behind a step, and the command that shows it on a real node.
struct MapReference {
  var map: String
  var entry: String
  var command: String

  init?(_ step: Step) {
    switch step {
    case .service4(let key, _):
      let address = AddressWords(w0: key.address, w1: 0, w2: 0, w3: 0).v4
      self.init("cilium_lb4_services_v2", "\(address):\(key.dport.bigEndian)", "cilium-dbg bpf lb list")
    case .service6(let key, _):
      self.init(
        "cilium_lb6_services_v2", "[\(key.address.v6)]:\(key.dport.bigEndian)", "cilium-dbg bpf lb list")
    case .backend(let id, _, _):
      self.init("cilium_lb4_backends_v3", "\(id)", "cilium-dbg bpf lb list --backends")
    case .conntrack4(let tuple, _, _):
      let map = tuple.nexthdr == 6 ? "cilium_ct4_global" : "cilium_ct_any4_global"
      func v4(_ word: UInt32) -> IPv4Address { AddressWords(w0: word, w1: 0, w2: 0, w3: 0).v4 }
      self.init(
        map, "\(v4(tuple.saddr)) ↔ \(v4(tuple.daddr)) \(tuple.sport.bigEndian)/\(tuple.dport.bigEndian)",
        "cilium-dbg bpf ct list global")
    case .conntrack6(let tuple, _, _):
      let map = tuple.nexthdr == 6 ? "cilium_ct6_global" : "cilium_ct_any6_global"
      self.init(
        map, "\(tuple.saddr.v6) ↔ \(tuple.daddr.v6) \(tuple.sport.bigEndian)/\(tuple.dport.bigEndian)",
        "cilium-dbg bpf ct list global")
    case .ipcache(let key, _):
      self.init("cilium_ipcache_v2", "\(key.address)", "cilium-dbg bpf ipcache get \(key.address)")
    case .endpoint(let key, _):
      self.init("cilium_lxc", "\(key.address)", "cilium-dbg bpf endpoint list")
    case .policy(let decision):
      let identity = decision.entry == nil ? decision.remoteIdentity : decision.matchedIdentity
      self.init(
        "cilium_policy_v2", "identity \(identity) \(decision.egress ? "egress" : "ingress")",
        "cilium-dbg bpf policy get \(decision.endpoint)")
    default: return nil
    }
  }

  private init(_ map: String, _ entry: String, _ command: String) {
    self.map = map
    self.entry = entry
    self.command = command
  }
}
