public import Datapath
public import Wire

/// Traffic that somebody tries: who, whom, how.
public struct ProbeRequest: Sendable {
  public enum Target: Sendable, Equatable {
    case address(IPAddress)
    case name(String)
  }

  public enum Traffic: Sendable, Equatable {
    /// Connects and closes.
    case tcp
    case http(HTTPRequest)
    /// The same inside of TLS, whose first message names the server.
    case https(HTTPRequest, serverName: String?)
    case udp
    case sctp
    /// An echo request; or a message of that type and code, to which no answer is awaited.
    case icmp(type: UInt8?, code: UInt8?)
    /// Asks the target name server.
    case dns(name: String, type: String)
    /// Resolves the target's name and goes no further.
    case resolve
  }

  public var from: StackID
  public var target: Target
  /// Destination port; 0 for ICMP.
  public var port: UInt16
  public var traffic: Traffic
  public var sourcePort: UInt16?
  public var family: AddressFamily?
  /// Octets of data in an echo request or a datagram.
  public var size: Int?
  public var timeout: Instant.Span
  /// Search domains of the resolver, in order.
  public var searchDomains: [String]
  /// Whether the connection is left open when the answer has come.
  public var holdsOpen: Bool

  public init(
    from: StackID, target: Target, port: UInt16, traffic: Traffic, sourcePort: UInt16? = nil,
    family: AddressFamily? = nil, size: Int? = nil, timeout: Instant.Span = .seconds(3),
    searchDomains: [String] = [], holdsOpen: Bool = false
  ) {
    self.from = from
    self.target = target
    self.port = port
    self.traffic = traffic
    self.sourcePort = sourcePort
    self.family = family
    self.size = size
    self.timeout = timeout
    self.searchDomains = searchDomains
    self.holdsOpen = holdsOpen
  }
}

public struct HTTPRequest: Sendable, Equatable {
  public var method: String
  public var path: String
  public var host: String
  /// In the order given.
  public var headers: [(name: String, value: String)]

  public init(
    method: String = "GET", path: String = "/", host: String = "",
    headers: [(name: String, value: String)] = []
  ) {
    self.method = method
    self.path = path
    self.host = host
    self.headers = headers
  }

  public static func == (a: Self, b: Self) -> Bool {
    a.method == b.method && a.path == b.path && a.host == b.host
      && a.headers.elementsEqual(b.headers) { $0 == $1 }
  }

  /// What curl sends.
  var octets: [UInt8] {
    var text = "\(method) \(path) HTTP/1.1\r\nHost: \(host)\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
    for header in headers { text += "\(header.name): \(header.value)\r\n" }
    return Array((text + "\r\n").utf8)
  }
}

/// What came of a probe.
public struct ProbeResult: Sendable {
  public enum Outcome: String, Sendable {
    case ok, timeout, refused, unreachable, rejected, reset
    case dnsFailure = "dns-failure"
    case fragNeeded = "frag-needed"
  }

  public var outcome: Outcome
  public var httpStatus: Int?
  public var body: String
  /// Where the traffic went, after names were resolved: the service's address, not the backend's.
  public var destination: IPAddress?
  /// What a name stood for.
  public var resolved: [IPAddress]
  /// The journeys that belong to the probe, its replies and its name look-ups included, in order of sending.
  public var journeys: [Int]
  /// The journey of the first packet to the target itself; nil when none was sent.
  public var firstJourney: Int?
  /// The first packets of the connections that proxies opened to carry it on, in order.
  public var proxied: [Int] = []
  /// Where the first packet to the target was delivered, if it was.
  public var deliveredTo: String?

  public init(outcome: Outcome) {
    self.outcome = outcome
    httpStatus = nil
    body = ""
    destination = nil
    resolved = []
    journeys = []
    firstJourney = nil
    deliveredTo = nil
  }

  /// What curl exits with for reasons that the outcome does not tell apart.
  var curlCode: Int?

  /// What curl would exit with.
  public var exitCode: Int {
    if let curlCode { return curlCode }
    return switch outcome {
    case .ok: 0
    case .dnsFailure: 6
    case .refused, .unreachable, .rejected: 7
    case .timeout, .fragNeeded: 28
    case .reset: 56
    }
  }
}
