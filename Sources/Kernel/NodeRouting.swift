public import Wire

/// What a node's routing table says, for programs that ask it (`bpf_fib_lookup`).
public struct NodeRouting: Sendable, Equatable {
  public var addresses: [Address]
  public var routes: [Route]
  public var neighbours: [Neighbour]

  public struct Address: Sendable, Equatable {
    public var address: IPAddress
    public var prefixLength: Int
    public var ifindex: UInt32

    public init(_ address: IPAddress, prefixLength: Int, ifindex: UInt32) {
      self.address = address
      self.prefixLength = prefixLength
      self.ifindex = ifindex
    }
  }

  public struct Route: Sendable, Equatable {
    public var prefix: CIDR
    public var gateway: IPAddress?
    public var ifindex: UInt32

    public init(_ prefix: CIDR, via gateway: IPAddress?, ifindex: UInt32) {
      self.prefix = prefix
      self.gateway = gateway
      self.ifindex = ifindex
    }
  }

  public struct Neighbour: Sendable, Equatable {
    public var address: IPAddress
    public var mac: MACAddress
    public var ifindex: UInt32

    public init(_ address: IPAddress, _ mac: MACAddress, ifindex: UInt32) {
      self.address = address
      self.mac = mac
      self.ifindex = ifindex
    }
  }

  public init(addresses: [Address] = [], routes: [Route] = [], neighbours: [Neighbour] = []) {
    self.addresses = addresses
    self.routes = routes
    self.neighbours = neighbours
  }
}

extension KernelNode {
  /// Writes addresses, routes and neighbours into the node's private namespace; those that are there are replaced.
  /// Devices that no attachment names are made first.
  public mutating func install(_ routing: NodeRouting) throws(KernelError) {
    isRouted = true
    for ifindex in routing.addresses.map(\.ifindex) + routing.routes.map(\.ifindex)
      + routing.neighbours.map(\.ifindex)
    {
      try addDevice(KernelDevice(ifindex: ifindex, mac: MACAddress(bits: 0x0200_0000_0000 | UInt64(ifindex))))
    }
    for address in routing.addresses {
      try namespace.assign(address.address, prefixLength: address.prefixLength, to: address.ifindex)
    }
    for route in routing.routes {
      try namespace.addRoute(to: route.prefix, via: route.gateway, ifindex: route.ifindex)
    }
    for neighbour in routing.neighbours {
      try namespace.addNeighbour(neighbour.address, neighbour.mac, ifindex: neighbour.ifindex)
    }
  }
}
