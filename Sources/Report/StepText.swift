public import Datapath
import MapABI
public import Runner
import Wire

/// What a step says, in words; names instead of numbers where they are known.
public struct StepText {
  var names: NameBook
  var node: String

  public init(names: NameBook, node: String) {
    self.names = names
    self.node = node
  }

  /// The words of one step; nil for a step that only structures the others.
  public func text(_ step: Step) -> String? {
    switch step {
    case .stage, .parsed: nil
    case .spoofedSource: "the source address is not the endpoint's own"
    case .answered(let answer): "answered by the program: \(answer.words)"
    case .service4(let key, let entry):
      service(.v4(AddressWords(w0: key.address, w1: 0, w2: 0, w3: 0).v4), key.dport, key.proto, entry)
    case .service6(let key, let entry): service(.v6(key.address.v6), key.dport, key.proto, entry)
    case .serviceWildcard: "the service's wildcard entry: the port is not one of the service's"
    case .backend(let id, let slot, let choice):
      "backend \(id)" + (slot > 0 ? " of slot \(slot)" : "") + ", \(choice.words)"
    case .translated4(let backend):
      "destination → \(socket(.v4(AddressWords(w0: backend.address, w1: 0, w2: 0, w3: 0).v4), backend.port))"
    case .translated6(let backend): "destination → \(socket(.v6(backend.address.v6), backend.port))"
    case .reverseTranslated(let index): "source → the service's address (reverse NAT \(index))"
    case .conntrack4(_, let direction, let status): "conntrack \(direction.words): \(status.words)"
    case .conntrack6(_, let direction, let status): "conntrack \(direction.words): \(status.words)"
    case .conntrackCreated(let direction): "conntrack \(direction.words): entry made"
    case .ipcache(let key, let info): ipcache(key.address, info)
    case .endpoint(let key, let info):
      info.map { "\(key.address) is endpoint \(endpoint($0.lxc_id))" } ?? "\(key.address) is no endpoint here"
    case .policy(let decision): policy(decision)
    case .encapsulated(let vni): "tunnel key: VNI \(identity(vni))"
    case .decapsulated(let vni, let number):
      vni == number
        ? "from the tunnel: identity \(identity(number))"
        : "from the tunnel: VNI \(vni), identity \(identity(number))"
    case .ttl(let ttl): "TTL \(ttl)"
    case .deliver(let id, let ifindex): "deliver to endpoint \(endpoint(id)) at \(device(ifindex))"
    case .toStack: "to the node's stack"
    case .toHost: "to the node"
    case .toProxy(let port): "to the proxy at port \(port)"
    case .natLookup(let hit): hit ? "NAT entry found" : "no NAT entry"
    case .dropped(let reason): "dropped: \(reason.rawValue) \(reason.text)"
    }
  }

  private func service(_ address: IPAddress, _ port: UInt16, _ number: UInt8, _ entry: ServiceEntry?)
    -> String
  {
    let frontend = "\(socket(address, port))/\(IPProtocol(rawValue: number).name)"
    guard let entry else { return "\(frontend) is no service" }
    return "service \(frontend): \(entry.count) backend\(entry.count == 1 ? "" : "s")"
  }

  private func ipcache(_ address: IPAddress, _ info: RemoteEndpointInfo?) -> String {
    guard let info else { return "\(address) is unknown to the ipcache" }
    var words = "\(address) is identity \(identity(info.sec_identity))"
    if UInt32(info.flags) & IPCACHE_FLAG_HAS_TUNNEL_EP.rawValue != 0 {
      let isIPv6 = UInt32(info.flags) & IPCACHE_FLAG_IPV6_TUNNEL_EP.rawValue != 0
      words += " behind \(info.tunnel_endpoint.address(isIPv6 ? .ipv6 : .ipv4))"
    }
    return words
  }

  private func policy(_ decision: PolicyDecision) -> String {
    let direction = decision.egress ? "egress" : "ingress"
    let peer = "\(decision.egress ? "to" : "from") \(identity(decision.remoteIdentity))"
    let port =
      decision.protocol == 1 || decision.protocol == 58
      ? "\(IPProtocol(rawValue: decision.protocol).name) type \(decision.port)"
      : "\(decision.port)/\(IPProtocol(rawValue: decision.protocol).name)"
    let found = PolicyMatchText.entry(decision.match)
    return switch decision.verdict {
    case .allow: "policy \(direction) of \(endpoint(decision.endpoint)) \(peer) \(port): allowed by \(found)"
    case .redirect(let proxy):
      "policy \(direction) of \(endpoint(decision.endpoint)) \(peer) \(port): to proxy port \(proxy) by \(found)"
    case .deny(let reason):
      "policy \(direction) of \(endpoint(decision.endpoint)) \(peer) \(port): "
        + (decision.entry == nil ? "denied, as no entry allows it" : "denied by \(found)")
        + ", \(reason.rawValue) \(reason.text)"
    }
  }

  /// `18901 (app=curl-client)`.
  func identity(_ number: UInt32) -> String {
    names.identities[number].map { "\(number) (\($0))" } ?? "\(number)"
  }

  func endpoint(_ id: UInt16) -> String {
    names.endpoints["\(node)/\(id)"].map { "\(id) (\($0))" } ?? "\(id)"
  }

  func device(_ ifindex: UInt32) -> String { names.devices["\(node)/\(ifindex)"] ?? "ifindex \(ifindex)" }

  /// An address with a port in network order.
  private func socket(_ address: IPAddress, _ port: UInt16) -> String {
    address.family == .ipv6 ? "[\(address)]:\(port.bigEndian)" : "\(address):\(port.bigEndian)"
  }
}

extension IPProtocol {
  /// `TCP`, or the number; `ANY` for 0, as service maps mean it.
  var name: String {
    switch rawValue {
    case 0: "ANY"
    case 1: "ICMP"
    case 6: "TCP"
    case 17: "UDP"
    case 58: "ICMPv6"
    case 132: "SCTP"
    default: "\(rawValue)"
    }
  }
}

/// The match type of a policy verdict as Hubble prints it.
enum PolicyMatchText {
  /// The entry that matched, in words and by its match type.
  static func entry(_ match: UInt8) -> String {
    let what =
      switch UInt32(match) {
      case POLICY_MATCH_L3_ONLY.rawValue: "that identity, any port"
      case POLICY_MATCH_L3_L4.rawValue: "that identity and port"
      case POLICY_MATCH_L4_ONLY.rawValue: "any identity, that port"
      case POLICY_MATCH_ALL.rawValue: "any identity, any port"
      case POLICY_MATCH_L3_PROTO.rawValue: "that identity and protocol"
      case POLICY_MATCH_PROTO_ONLY.rawValue: "any identity, that protocol"
      default: "nothing"
      }
    return "the entry for \(what) (match \(words(match)))"
  }

  static func words(_ match: UInt8) -> String {
    switch UInt32(match) {
    case POLICY_MATCH_L3_ONLY.rawValue: "L3-Only"
    case POLICY_MATCH_L3_L4.rawValue: "L3-L4"
    case POLICY_MATCH_L4_ONLY.rawValue: "L4-Only"
    case POLICY_MATCH_ALL.rawValue: "all"
    case POLICY_MATCH_L3_PROTO.rawValue: "L3-Proto"
    case POLICY_MATCH_PROTO_ONLY.rawValue: "Proto-Only"
    default: "none"
    }
  }
}

extension Step.Answer {
  var words: String {
    switch self {
    case .arp: "ARP reply"
    case .neighbourAdvertisement: "neighbour advertisement"
    case .icmpError: "ICMP error"
    case .echoReply: "echo reply"
    }
  }
}

extension Step.BackendChoice {
  var words: String {
    switch self {
    case .random: "drawn at random"
    case .affinity: "by session affinity"
    case .conntrack: "as the connection has it"
    case .maglev: "by Maglev"
    case .given: "as chosen before"
    }
  }
}

extension Step.CTDirection {
  var words: String { "\(self)" }
}

extension Step.CTStatus {
  var words: String { "\(self)" }
}
