import MapABI

/// What views are made of: the maps of one node, and what its agent knows besides.
public struct ViewInput: Sendable {
  public var maps: NodeMaps
  public var names: IdentityNames
  public var identities: [IdentityRow]
  public var endpoints: [EndpointRow]
  public var addresses: [AddressRow]
  public var nodes: [NodeRow]
  /// nil: time stamps show raw, and remaining lifetimes not at all.
  public var clock: MapClock?
  /// Which families the node has enabled.
  public var ipv4: Bool
  public var ipv6: Bool

  public init(
    maps: NodeMaps, names: IdentityNames = IdentityNames(), identities: [IdentityRow] = [],
    endpoints: [EndpointRow] = [], addresses: [AddressRow] = [], nodes: [NodeRow] = [],
    clock: MapClock? = nil,
    ipv4: Bool = true, ipv6: Bool = false
  ) {
    self.maps = maps
    self.names = names
    self.identities = identities
    self.endpoints = endpoints
    self.addresses = addresses
    self.nodes = nodes
    self.clock = clock
    self.ipv4 = ipv4
    self.ipv6 = ipv6
  }
}

/// What a command writes.
public struct ViewOutput: Hashable, Sendable {
  /// The standard output, with its newlines.
  public var text: String
  /// What goes to the standard error, with its newline; empty mostly.
  public var notice: String

  public init(text: String, notice: String = "") {
    self.text = text
    self.notice = notice
  }
}
