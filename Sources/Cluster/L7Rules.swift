/// `toPorts[].rules`: what may pass at layer 7. One list is present in a valid policy.
public struct L7Rules: Hashable, Sendable {
  public var http: [HTTPRule]?
  public var dns: [FQDNSelector]?
  /// Up to 1.19.
  public var kafka: [OpaqueRule]?
  /// The name of a generic parser; up to 1.19.
  public var l7proto: String?
  /// Up to 1.19.
  public var l7: [OpaqueRule]?
  public var location: SourceLocation

  public init(
    http: [HTTPRule]? = nil, dns: [FQDNSelector]? = nil, kafka: [OpaqueRule]? = nil, l7proto: String? = nil,
    l7: [OpaqueRule]? = nil, location: SourceLocation = .none
  ) {
    self.http = http
    self.dns = dns
    self.kafka = kafka
    self.l7proto = l7proto
    self.l7 = l7
    self.location = location
  }
}

/// A request that may pass: every part given must match; one with none matches all requests.
public struct HTTPRule: Hashable, Sendable {
  public struct HeaderMatch: Hashable, Sendable {
    public enum Mismatch: String, Hashable, Sendable, CaseIterable {
      case log = "LOG"
      case add = "ADD"
      case delete = "DELETE"
      case replace = "REPLACE"
    }

    public var name: String
    public var value: String
    public var secret: NamespacedName?
    /// nil drops the request.
    public var mismatch: Mismatch?
    public var location: SourceLocation

    public init(
      name: String, value: String = "", secret: NamespacedName? = nil, mismatch: Mismatch? = nil,
      location: SourceLocation = .none
    ) {
      self.name = name
      self.value = value
      self.secret = secret
      self.mismatch = mismatch
      self.location = location
    }
  }

  /// A regular expression over the whole method.
  public var method: String?
  /// A regular expression over the whole path.
  public var path: String?
  /// A regular expression over the whole host.
  public var host: String?
  /// `Name`, or `Name: value`, taken literally.
  public var headers: [Located<String>]
  public var headerMatches: [HeaderMatch]
  public var location: SourceLocation

  public init(
    method: String? = nil, path: String? = nil, host: String? = nil, headers: [Located<String>] = [],
    headerMatches: [HeaderMatch] = [], location: SourceLocation = .none
  ) {
    self.method = method
    self.path = path
    self.host = host
    self.headers = headers
    self.headerMatches = headerMatches
    self.location = location
  }
}

/// A rule of keys and values that Ciliate reads and does not interpret (Kafka, generic parsers).
public struct OpaqueRule: Hashable, Sendable {
  public var fields: Labels
  public var location: SourceLocation

  public init(fields: Labels, location: SourceLocation = .none) {
    self.fields = fields
    self.location = location
  }
}
