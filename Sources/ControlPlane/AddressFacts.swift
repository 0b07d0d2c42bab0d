import Cluster
import MapABI
import Wire

/// What is known of a prefix, for every node's ipcache.
///
/// The node that a prefix lives on sees it otherwise than the others do: without tunnel, and its own addresses as
/// the host's.
struct AddressFact: Hashable, Sendable {
  var prefix: CIDR
  /// Where it lives; empty for nowhere in the cluster.
  var node = ""
  /// nil: the node itself has no entry.
  var identityAtHome: UInt32?
  /// nil: only its own node has an entry.
  var identityElsewhere: UInt32?
  /// Where other nodes tunnel to.
  var tunnel: IPAddress?

  /// The entry on a node; nil when it has none.
  func entry(on name: String) -> RemoteEndpointInfo? {
    let isHome = node == name && !node.isEmpty
    guard let identity = isHome ? identityAtHome : identityElsewhere else { return nil }
    var info = RemoteEndpointInfo(
      sec_identity: identity, tunnel_endpoint: AddressWords(IPv6Address.unspecified), pad: 0, key: 0, flags: 0
    )
    if !isHome, let tunnel {
      info.tunnel_endpoint = AddressWords(tunnel)
      info.flags = UInt8(IPCACHE_FLAG_HAS_TUNNEL_EP.rawValue)
      if tunnel.family == .ipv6 { info.flags |= UInt8(IPCACHE_FLAG_IPV6_TUNNEL_EP.rawValue) }
    }
    return info
  }
}

/// Every fact of the cluster, in an order that depends on names only; prefixes are distinct.
///
/// Source: Cilium `pkg/node/manager/manager.go` (nodes, routers, health, pod CIDRs), `pkg/ipcache` and
/// `pkg/k8s/watchers` (endpoints), `daemon/cmd/hostips-sync.go` (the world), `pkg/datapath/ipcache/listener.go`
/// (tunnel endpoints).
struct AddressFacts: Sendable {
  private(set) var facts: [AddressFact] = []
  private var positions: [CIDR: Int] = [:]

  subscript(prefix: CIDR) -> AddressFact? { positions[prefix].map { facts[$0] } }

  /// The first fact of a prefix stands, except that nodes win over what claims their addresses.
  mutating func add(_ fact: AddressFact) {
    guard positions[fact.prefix] == nil else { return }
    positions[fact.prefix] = facts.count
    facts.append(fact)
  }

  /// Takes a prefix's fact out.
  mutating func remove(_ prefix: CIDR) {
    guard let position = positions.removeValue(forKey: prefix) else { return }
    let last = facts.count - 1
    if position != last {
      facts[position] = facts[last]
      positions[facts[position].prefix] = position
    }
    facts.removeLast()
  }

  init() {}

  init(
    nodes: [NodeInfo], endpoints: [Endpoint], apiServers: Set<IPAddress>, local: PrefixIdentities,
    options: DatapathOptions
  ) {
    facts.reserveCapacity(endpoints.count + nodes.count * 6)
    positions.reserveCapacity(endpoints.count + nodes.count * 6)
    for family in options.families {
      guard let all = AddressFacts.everything(family) else { continue }
      // A group that holds every address gives the world an identity of its own.
      let world = local.prefixes[all]?.number ?? options.world(family)
      add(AddressFact(prefix: all, identityAtHome: world, identityElsewhere: world))
    }
    var tunnels: [String: IPAddress] = [:]
    for node in nodes {
      let address = AddressFacts.tunnel(to: node, options)
      tunnels[node.name] = address
      add(node, tunnel: address, apiServers, local, options)
    }
    for endpoint in endpoints {
      for fact in AddressFacts.facts(of: endpoint, tunnel: tunnels[endpoint.node]) { add(fact) }
    }
    for (prefix, identity) in local.prefixes.map({ ($0.key, $0.value.number) }).sorted(by: { $0.0 < $1.0 }) {
      // A policy that names a node's whole prefix gives it the identity, and leaves it the tunnel.
      if let position = positions[prefix], facts[position].identityAtHome == nil {
        facts[position].identityAtHome = identity
        facts[position].identityElsewhere = identity
      } else {
        add(AddressFact(prefix: prefix, identityAtHome: identity, identityElsewhere: identity))
      }
    }
  }

  /// Where packets to a node's endpoints are sent. Without tunnelling the address stands in the map all the same.
  static func tunnel(to node: NodeInfo, _ options: DatapathOptions) -> IPAddress? {
    node.address(options.underlayIPv6 ? .ipv6 : .ipv4) ?? node.addresses.first
  }

  static func facts(of endpoint: Endpoint, tunnel: IPAddress?) -> [AddressFact] {
    endpoint.addresses.map { address in
      AddressFact(
        prefix: CIDR(address), node: endpoint.node, identityAtHome: endpoint.identity,
        identityElsewhere: endpoint.identity, tunnel: tunnel)
    }
  }

  private mutating func add(
    _ node: NodeInfo, tunnel: IPAddress?, _ apiServers: Set<IPAddress>, _ local: PrefixIdentities,
    _ options: DatapathOptions
  ) {
    for address in node.addresses where options.families.contains(address.family) {
      let elsewhere = apiServers.contains(address) ? IDENTITY_KUBE_APISERVER : IDENTITY_REMOTE_NODE
      add(
        AddressFact(
          prefix: CIDR(address), node: node.name, identityAtHome: IDENTITY_HOST.number,
          identityElsewhere: local.nodes[address]?.number ?? elsewhere.number))
    }
    guard node.hasStarted else { return }
    for address in node.routerAddresses {
      add(
        AddressFact(
          prefix: CIDR(address), node: node.name, identityAtHome: IDENTITY_HOST.number,
          identityElsewhere: local.nodes[address]?.number ?? IDENTITY_REMOTE_NODE.number, tunnel: tunnel))
    }
    for address in node.healthAddresses {
      add(
        AddressFact(
          prefix: CIDR(address), node: node.name, identityAtHome: IDENTITY_HEALTH.number,
          identityElsewhere: IDENTITY_HEALTH.number, tunnel: tunnel))
    }
    // What is not allocated falls back to the node's prefix, with the world's identity.
    for cidr in node.podCIDRs {
      add(
        AddressFact(
          prefix: cidr, node: node.name, identityElsewhere: options.world(cidr.family), tunnel: tunnel))
    }
  }

  /// 0.0.0.0/0 or ::/0.
  private static func everything(_ family: AddressFamily) -> CIDR? {
    CIDR(family.unspecified, prefixLength: 0)
  }
}

extension AddressFacts {
  /// The facts that differ from `old`, then the prefixes that are gone, each in order.
  func changes(from old: AddressFacts) -> (changed: [AddressFact], removed: [CIDR]) {
    (
      facts.filter { old[$0.prefix] != $0 },
      old.facts.filter { self[$0.prefix] == nil }.map(\.prefix)
    )
  }
}
