import Cluster

extension Finding {
  /// About an object: the message begins with its kind and name.
  init(
    _ id: String, _ severity: Severity, _ message: String, object: ObjectReference,
    at location: SourceLocation,
    authority: Authority? = nil
  ) {
    self.init(
      id: id, severity: severity, at: location, "\(object): \(message)", authority: authority)
  }
}
