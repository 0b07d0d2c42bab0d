/// Something that is wrong with, or odd about, what the user wrote.
public struct Finding: Hashable, Sendable {
  public enum Severity: String, Hashable, Sendable, CaseIterable {
    /// It would be refused, or means nothing: the object does not count.
    case error
    /// It is accepted, and probably not what was meant.
    case warning
    /// It means something in a real cluster that Ciliate does not model.
    case unmodelled
  }

  /// Who refuses it in a real cluster.
  public enum Authority: String, Hashable, Sendable, CaseIterable {
    /// At `kubectl apply`.
    case apiServer = "API server"
    /// Silently, after the API server has taken it.
    case agent = "Cilium agent"
  }

  /// A stable name of the kind of finding: `unknown-field`.
  public var id: String
  public var severity: Severity
  public var location: SourceLocation
  public var message: String
  public var authority: Authority?

  public init(
    id: String, severity: Severity, at location: SourceLocation, _ message: String,
    authority: Authority? = nil
  ) {
    self.id = id
    self.severity = severity
    self.location = location
    self.message = message
    self.authority = authority
  }
}

extension Finding: CustomStringConvertible {
  /// `file:line:column: error: message [id]`.
  public var description: String {
    let by = authority.map { " (refused by the \($0.rawValue))" } ?? ""
    return "\(location): \(severity.rawValue): \(message)\(by) [\(id)]"
  }
}
