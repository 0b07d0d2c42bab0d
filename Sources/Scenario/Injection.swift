import Cluster

/// A frame put on an interface of a node.
public struct Injection: Equatable, Sendable {
  public enum Frame: Equatable, Sendable {
    case octets([UInt8])
    /// Headers from the outside in.
    case layers([FrameLayer])
  }

  public var node: String
  public var interface: String
  public var frame: Frame
  public var location: SourceLocation

  public init(node: String, interface: String, frame: Frame, location: SourceLocation = .none) {
    self.node = node
    self.interface = interface
    self.frame = frame
    self.location = location
  }
}

/// A header of an injected frame, by its fields; what is left out follows from the rest.
public struct FrameLayer: Equatable, Sendable {
  public enum Kind: String, Equatable, Sendable, CaseIterable {
    case eth, vlan, arp, ipv4, ipv6, tcp, udp, sctp, icmp, icmpv6, vxlan, geneve, payload

    /// The fields that the header takes.
    public var fields: [String] {
      switch self {
      case .eth: ["src", "dst", "type"]
      case .vlan: ["id", "priority", "type"]
      case .arp: ["operation", "senderMAC", "senderIP", "targetMAC", "targetIP"]
      case .ipv4: ["src", "dst", "ttl", "protocol", "tos", "id", "df", "mf", "offset", "options", "length"]
      case .ipv6: ["src", "dst", "hopLimit", "nextHeader", "trafficClass", "flowLabel", "length"]
      case .tcp: ["sport", "dport", "flags", "seq", "ack", "window", "options"]
      case .udp: ["sport", "dport", "length", "checksum"]
      case .sctp: ["sport", "dport", "tag"]
      case .icmp, .icmpv6: ["type", "code", "id", "seq", "mtu"]
      case .vxlan: ["vni", "flags"]
      case .geneve: ["vni", "protocol", "options"]
      case .payload: ["text", "hex", "size"]
      }
    }
  }

  /// A field and its value as written.
  public struct Field: Equatable, Sendable {
    public var name: String
    public var text: Located<String>

    public init(name: String, text: Located<String>) {
      self.name = name
      self.text = text
    }
  }

  public var kind: Kind
  public var fields: [Field]
  public var location: SourceLocation

  public init(kind: Kind, fields: [Field], location: SourceLocation = .none) {
    self.kind = kind
    self.fields = fields
    self.location = location
  }

  public subscript(name: String) -> Located<String>? { fields.first { $0.name == name }?.text }
}
