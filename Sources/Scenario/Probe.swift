import Cluster
import Wire

/// Where a probe begins.
public enum ProbeSource: Hashable, Sendable {
  case pod(NamespacedName)
  /// One pod of a workload: the first in order of names.
  case workload(NamespacedName)
  case node(String)
  case external(String)
}

/// Where a probe goes.
public enum ProbeTarget: Hashable, Sendable {
  case pod(NamespacedName)
  case workload(NamespacedName)
  case node(String)
  case external(String)
  case service(NamespacedName)
  case address(IPAddress)
  case url(ProbeURL)
}

extension ProbeTarget {
  /// `pod`, `ns/pod`, `workload/ns/name`, `node/NAME`, `external/NAME`, `svc/ns/name`, an address or a URL; a bare
  /// name is one of namespace `default`. Nil for anything else.
  public init?(_ text: String) {
    if text.contains("://") {
      guard let url = ProbeURL(text) else { return nil }
      self = .url(url)
      return
    }
    if let address = IPAddress(text) {
      self = .address(address)
      return
    }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    let name = NamespacedName(
      namespace: parts.count > 1 ? parts[parts.count - 2] : "default", name: parts.last ?? "")
    let named = parts.count == 2 ? NamespacedName(namespace: "default", name: parts[1]) : name
    switch (parts[0], parts.count) {
    case ("node", 2): self = .node(parts[1])
    case ("external", 2): self = .external(parts[1])
    case ("workload", 2...3): self = .workload(named)
    case ("svc", 2...3): self = .service(named)
    case (_, 1...2): self = .pod(name)
    default: return nil
    }
  }
}

extension ProbeSource {
  /// The places among targets that can send.
  public init?(_ place: ProbeTarget) {
    switch place {
    case .pod(let id): self = .pod(id)
    case .workload(let id): self = .workload(id)
    case .node(let name): self = .node(name)
    case .external(let name): self = .external(name)
    case .service, .address, .url: return nil
    }
  }
}

extension ProbeSource: CustomStringConvertible {
  public var description: String {
    switch self {
    case .pod(let id): "\(id)"
    case .workload(let id): "workload/\(id)"
    case .node(let name): "node/\(name)"
    case .external(let name): "external/\(name)"
    }
  }
}

extension ProbeTarget: CustomStringConvertible {
  public var description: String {
    switch self {
    case .pod(let id): "\(id)"
    case .workload(let id): "workload/\(id)"
    case .node(let name): "node/\(name)"
    case .external(let name): "external/\(name)"
    case .service(let id): "svc/\(id)"
    case .address(let address): "\(address)"
    case .url(let url): "\(url)"
    }
  }
}

/// A URL as a probe uses it; the host is resolved by the simulated cluster's DNS.
public struct ProbeURL: Hashable, Sendable, CustomStringConvertible {
  public enum Scheme: String, Hashable, Sendable, CaseIterable { case http, https }

  public var scheme: Scheme
  /// A name or an address; IPv6 without brackets.
  public var host: String
  /// nil for the scheme's own: 80 or 443.
  public var port: UInt16?
  /// Begins with `/`; with the query.
  public var path: String

  public init(scheme: Scheme, host: String, port: UInt16? = nil, path: String = "/") {
    self.scheme = scheme
    self.host = host
    self.port = port
    self.path = path
  }

  /// `http://host[:port][/path]`.
  public init?(_ text: String) {
    guard let scheme = Scheme.allCases.first(where: { text.hasPrefix($0.rawValue + "://") }) else {
      return nil
    }
    let rest = text.dropFirst(scheme.rawValue.count + 3)
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    let tail = rest.dropFirst(authority.count).prefix { $0 != "#" }
    guard let (host, portText) = ProbeURL.split(authority), !host.isEmpty, !host.contains("@") else {
      return nil
    }
    var port: UInt16?
    if let portText {
      guard let number = UInt16(portText), number > 0 else { return nil }
      port = number
    }
    self.init(
      scheme: scheme, host: String(host), port: port, path: tail.hasPrefix("/") ? String(tail) : "/" + tail)
  }

  private static func split(_ authority: Substring) -> (host: Substring, port: Substring?)? {
    if authority.hasPrefix("[") {
      guard let close = authority.firstIndex(of: "]") else { return nil }
      let host = authority[authority.index(after: authority.startIndex)..<close]
      guard IPv6Address(host) != nil else { return nil }
      let rest = authority[authority.index(after: close)...]
      if rest.isEmpty { return (host, nil) }
      return rest.hasPrefix(":") ? (host, rest.dropFirst()) : nil
    }
    let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
    switch parts.count {
    case 1: return (parts[0], nil)
    case 2: return (parts[0], parts[1])
    default: return nil
    }
  }

  public var effectivePort: UInt16 { port ?? (scheme == .http ? 80 : 443) }

  public var description: String {
    let name = host.contains(":") ? "[\(host)]" : host
    return "\(scheme.rawValue)://\(name)\(port.map { ":\($0)" } ?? "")\(path)"
  }
}

public enum ProbeProtocol: String, Hashable, Sendable, CaseIterable {
  case tcp = "TCP"
  case udp = "UDP"
  case sctp = "SCTP"
  case icmp = "ICMP"
  case icmpv6 = "ICMPv6"

  public var hasPorts: Bool { self == .tcp || self == .udp || self == .sctp }

  /// The IANA protocol number.
  public var number: UInt8 {
    switch self {
    case .tcp: 6
    case .udp: 17
    case .sctp: 132
    case .icmp: 1
    case .icmpv6: 58
    }
  }
}

/// `80/TCP`; the number is 0 for protocols without ports.
public struct ProbePort: Hashable, Sendable, CustomStringConvertible {
  public var number: UInt16
  public var transport: ProbeProtocol

  public init(_ number: UInt16, _ transport: ProbeProtocol = .tcp) {
    self.number = number
    self.transport = transport
  }

  /// `80/TCP`, `80` (TCP), `ICMP`, `0/ICMP`; the protocol in any case.
  public init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    func known(_ word: Substring) -> ProbeProtocol? {
      ProbeProtocol.allCases.first { $0.rawValue.lowercased() == word.lowercased() }
    }
    switch parts.count {
    case 1:
      if let transport = known(parts[0]), !transport.hasPorts {
        self.init(0, transport)
      } else if let number = UInt16(parts[0]), number > 0 {
        self.init(number)
      } else {
        return nil
      }
    case 2:
      guard let number = UInt16(parts[0]), let transport = known(parts[1]) else { return nil }
      guard number > 0 || !transport.hasPorts else { return nil }
      self.init(number, transport)
    default: return nil
    }
  }

  public var description: String {
    transport.hasPorts ? "\(number)/\(transport.rawValue)" : transport.rawValue
  }
}

/// A conversation from one place to another.
public struct Probe: Equatable, Sendable {
  public struct HTTPRequest: Equatable, Sendable {
    public var method = "GET"
    public var path = "/"
    /// nil for the host that was asked.
    public var host: String?
    public var headers = Labels()

    public init() {}
  }

  public struct DNSQuery: Equatable, Sendable {
    public enum RecordType: String, Sendable, CaseIterable {
      case a = "A"
      case aaaa = "AAAA"
      case any = "ANY"
    }

    public var name: String
    public var type: RecordType

    public init(name: String, type: RecordType = .a) {
      self.name = name
      self.type = type
    }
  }

  public struct ICMPMessage: Equatable, Sendable {
    public var type: UInt8
    public var code: UInt8

    public init(type: UInt8, code: UInt8 = 0) {
      self.type = type
      self.code = code
    }
  }

  /// nil only with `continues`.
  public var from: ProbeSource?
  /// nil only with `continues`, or for a DNS query to the pod's own resolver.
  public var to: ProbeTarget?
  /// nil where the target says it (a URL), or has one port only.
  public var port: ProbePort?
  public var sourcePort: UInt16?
  public var count = 1
  public var family: AddressFamily?
  public var http: HTTPRequest?
  public var dns: DNSQuery?
  public var icmp: ICMPMessage?
  /// Octets of payload.
  public var size: Int?
  public var timeout: VirtualDuration
  /// Holds the connection open under this name.
  public var keep: String?
  /// Goes on with a connection that an earlier step kept.
  public var continues: String?
  public var location: SourceLocation

  public static let defaultTimeout = VirtualDuration.seconds(3)

  public init(
    from: ProbeSource?, to: ProbeTarget?, port: ProbePort? = nil, timeout: VirtualDuration = defaultTimeout,
    location: SourceLocation = .none
  ) {
    self.from = from
    self.to = to
    self.port = port
    self.timeout = timeout
    self.location = location
  }
}

/// Every source to every target on every port.
public struct MatrixProbe: Equatable, Sendable {
  /// Empty for every workload.
  public var from: [ProbeSource]
  /// Empty for every workload.
  public var to: [ProbeTarget]
  public var ports: [ProbePort]
  public var timeout: VirtualDuration

  public init(
    from: [ProbeSource], to: [ProbeTarget], ports: [ProbePort],
    timeout: VirtualDuration = Probe.defaultTimeout
  ) {
    self.from = from
    self.to = to
    self.ports = ports
    self.timeout = timeout
  }
}
