import Wire

/// The addresses that the cluster was set up with, and the network between its nodes.
public struct ClusterNetwork: Hashable, Sendable {
  /// Nodes that share a link, and its prefix.
  public struct Subnet: Hashable, Sendable {
    public var cidr: CIDR
    /// Names; empty for every node that no other subnet names.
    public var nodes: [String]

    public init(cidr: CIDR, nodes: [String] = []) {
      self.cidr = cidr
      self.nodes = nodes
    }
  }

  /// What kube-controller-manager cuts into a prefix per node.
  public var podCIDRs: [CIDR]
  /// What the API server allocates ClusterIPs from.
  public var serviceCIDRs: [CIDR]
  public var subnets: [Subnet]
  /// Octets of the underlay's links.
  public var mtu: Int
  /// Whether kube-proxy runs beside Cilium.
  public var kubeProxy: Bool

  public init(
    podCIDRs: [CIDR] = ClusterNetwork.kindPodCIDRs, serviceCIDRs: [CIDR] = ClusterNetwork.kindServiceCIDRs,
    subnets: [Subnet] = ClusterNetwork.kindSubnets, mtu: Int = 1500, kubeProxy: Bool = false
  ) {
    self.podCIDRs = podCIDRs
    self.serviceCIDRs = serviceCIDRs
    self.subnets = subnets
    self.mtu = mtu
    self.kubeProxy = kubeProxy
  }

  /// Where the addresses of a node come from: the subnet that names it, or those that name none.
  public func subnets(of node: String) -> [Subnet] {
    let own = subnets.filter { $0.nodes.contains(node) }
    return own.isEmpty ? subnets.filter(\.nodes.isEmpty) : own
  }

  /// What kind gives an IPv4 cluster.
  public static let kindPodCIDRs = [CIDR("10.244.0.0/16")].compactMap(\.self)
  public static let kindServiceCIDRs = [CIDR("10.96.0.0/16")].compactMap(\.self)
  /// What kind gives for IPv6, alone or after IPv4.
  public static let kindPodCIDRsIPv6 = [CIDR("fd00:10:244::/56")].compactMap(\.self)
  public static let kindServiceCIDRsIPv6 = [CIDR("fd00:10:96::/112")].compactMap(\.self)
  /// The docker network that kind makes: both families, always.
  public static let kindSubnets = ["172.18.0.0/16", "fc00:f853:ccd:e793::/64"]
    .compactMap { CIDR($0) }.map { Subnet(cidr: $0) }

  /// Gives an address of each family to the nodes that have none: the first free one from .2 of the node's
  /// subnet on, in the order given. Addresses that nodes already have are kept.
  ///
  /// - Parameter families: which families the nodes are to have.
  public func assignAddresses(to nodes: inout [Node], families: [AddressFamily]) {
    var taken = Set(nodes.flatMap(\.addresses))
    for index in nodes.indices where nodes[index].addresses.isEmpty {
      for family in families {
        let subnets = subnets(of: nodes[index].name).filter { $0.cidr.family == family }
        for subnet in subnets {
          guard let address = firstFree(in: subnet.cidr, taken) else { continue }
          taken.insert(address)
          nodes[index].addresses.append(address)
          break
        }
      }
    }
  }

  private func firstFree(in cidr: CIDR, _ taken: Set<IPAddress>) -> IPAddress? {
    var offset: UInt64 = 2
    while let address = cidr.address(at: offset) {
      if !taken.contains(address) { return address }
      offset += 1
    }
    return nil
  }
}
