import Wire

/// A host outside the cluster.
public struct ExternalHost: Hashable, Sendable {
  /// Something that it serves.
  public struct Server: Hashable, Sendable {
    public var port: UInt16
    public var transport: TransportProtocol
    /// HTTP status by path; empty for a server that answers 200 to all.
    public var statuses: [PathStatus]

    public init(port: UInt16, transport: TransportProtocol = .tcp, statuses: [PathStatus] = []) {
      self.port = port
      self.transport = transport
      self.statuses = statuses
    }
  }

  public struct PathStatus: Hashable, Sendable {
    public var path: String
    public var status: Int

    public init(path: String, status: Int) {
      self.path = path
      self.status = status
    }
  }

  public var name: String
  public var addresses: [IPAddress]
  public var servers: [Server]
  public var location: SourceLocation

  public init(
    name: String, addresses: [IPAddress], servers: [Server] = [], location: SourceLocation = .none
  ) {
    self.name = name
    self.addresses = addresses
    self.servers = servers
    self.location = location
  }
}
