import Wire

/// The protocols that a port of a Cilium policy names.
///
/// Source: Cilium `pkg/policy/api/l4.go`. Those past SCTP have no ports and came with 1.20.
public enum PolicyProtocol: String, Hashable, Sendable, CaseIterable {
  /// TCP, UDP and SCTP; never ICMP.
  case any = "ANY"
  case tcp = "TCP"
  case udp = "UDP"
  case sctp = "SCTP"
  case vrrp = "VRRP"
  case igmp = "IGMP"
  case gre = "GRE"
  case ipip = "IPIP"
  case ipv6 = "IPV6"
  case esp = "ESP"
  case ah = "AH"

  /// The IANA protocol number; nil for `any`.
  public var number: UInt8? {
    switch self {
    case .any: nil
    case .tcp: 6
    case .udp: 17
    case .sctp: 132
    case .vrrp: 112
    case .igmp: 2
    case .gre: 47
    case .ipip: 4
    case .ipv6: 41
    case .esp: 50
    case .ah: 51
    }
  }
}

/// An entry of `toPorts[].ports`.
public struct PortProtocol: Hashable, Sendable {
  /// nil when absent or empty; number 0 is every port.
  public var port: PortReference?
  /// The last port of a range; nil and 0 mean the one port.
  public var endPort: UInt16?
  public var `protocol`: PolicyProtocol
  public var location: SourceLocation

  public init(
    _ port: PortReference?, endPort: UInt16? = nil, _ protocol: PolicyProtocol = .any,
    location: SourceLocation = .none
  ) {
    self.port = port
    self.endPort = endPort
    self.protocol = `protocol`
    self.location = location
  }
}

/// An entry of `toPorts`: ports, and what may pass on them.
public struct PortRule: Hashable, Sendable {
  public struct TLSContext: Hashable, Sendable {
    public var secret: NamespacedName?
    public var trustedCA: String
    public var certificate: String
    public var privateKey: String
    public var location: SourceLocation

    public init(
      secret: NamespacedName? = nil, trustedCA: String = "", certificate: String = "",
      privateKey: String = "", location: SourceLocation = .none
    ) {
      self.secret = secret
      self.trustedCA = trustedCA
      self.certificate = certificate
      self.privateKey = privateKey
      self.location = location
    }
  }

  public struct Listener: Hashable, Sendable {
    /// `CiliumEnvoyConfig`, `CiliumClusterwideEnvoyConfig`, or empty.
    public var configKind: String
    public var configName: String
    public var name: String
    /// 1…100; 0 when not given.
    public var priority: UInt8
    public var location: SourceLocation

    public init(
      configKind: String = "", configName: String, name: String, priority: UInt8 = 0,
      location: SourceLocation = .none
    ) {
      self.configKind = configKind
      self.configName = configName
      self.name = name
      self.priority = priority
      self.location = location
    }
  }

  /// Absent and empty both mean every port; kept apart all the same.
  public var ports: [PortProtocol]?
  public var rules: L7Rules?
  public var serverNames: [Located<String>]?
  public var terminatingTLS: TLSContext?
  public var originatingTLS: TLSContext?
  public var listener: Listener?
  public var location: SourceLocation

  public init(
    ports: [PortProtocol]? = nil, rules: L7Rules? = nil, serverNames: [Located<String>]? = nil,
    terminatingTLS: TLSContext? = nil, originatingTLS: TLSContext? = nil, listener: Listener? = nil,
    location: SourceLocation = .none
  ) {
    self.ports = ports
    self.rules = rules
    self.serverNames = serverNames
    self.terminatingTLS = terminatingTLS
    self.originatingTLS = originatingTLS
    self.listener = listener
    self.location = location
  }
}

/// An entry of `icmps`.
public struct ICMPRule: Hashable, Sendable {
  public struct Field: Hashable, Sendable {
    public var family: AddressFamily
    public var type: UInt8
    public var location: SourceLocation

    public init(family: AddressFamily = .ipv4, type: UInt8, location: SourceLocation = .none) {
      self.family = family
      self.type = type
      self.location = location
    }
  }

  public var fields: [Field]?
  public var location: SourceLocation

  public init(fields: [Field]? = nil, location: SourceLocation = .none) {
    self.fields = fields
    self.location = location
  }
}
