import Cluster

/// The members of a mapping while it is decoded.
///
/// Every field that is asked for is thereby known; what stands in the mapping and was never asked for is an
/// unknown field. So the decoder cannot forget to check.
public struct Fields {
  public let cursor: Cursor
  private let members: [YAMLValue.Member]
  private var known: [String] = []
  private var acceptsUnknown = false

  init(cursor: Cursor, members: [YAMLValue.Member]) {
    self.cursor = cursor
    self.members = members
  }

  public var location: SourceLocation { cursor.location }

  /// A field's value; nil when it is absent or null, which mean the same to the API server.
  public mutating func optional(_ key: String) -> Cursor? {
    known.append(key)
    guard let member = members.first(where: { $0.key == key }), !member.value.isNull else { return nil }
    return cursor.child(member.value, .key(cursor.path, key))
  }

  /// A field that must be there.
  public mutating func required(_ key: String) -> Cursor? {
    if let field = optional(key) { return field }
    let near = nearestSpelling(to: key, in: members.map(\.key).filter { !known.contains($0) })
    let found = near.map { "; found \(quoted($0))" } ?? ""
    cursor.report("missing-field", "the field \(quoted(key)) is missing\(found)")
    return nil
  }

  /// Fields that are valid and do not concern the model.
  public mutating func ignore(_ keys: [String]) { known += keys }

  /// Fields that are valid, and mean something that is not modelled.
  public mutating func unmodelled(_ keys: [String], _ why: String = "is not modelled") {
    for key in keys {
      if let field = optional(key) {
        field.report("unmodelled-field", why, severity: .unmodelled, at: keyLocation(key))
      }
    }
  }

  /// Takes whatever else stands there.
  public mutating func acceptUnknown() { acceptsUnknown = true }

  /// Where a field's name stands.
  public func keyLocation(_ key: String) -> SourceLocation {
    members.first { $0.key == key }?.keyLocation ?? location
  }

  /// The names that stand in the mapping, in order.
  public var keys: [String] { members.map(\.key) }

  func reportUnknown() {
    guard !acceptsUnknown else { return }
    for member in members where !known.contains(member.key) {
      cursor.report(
        "unknown-field", "unknown field \(quoted(member.key)); \(suggestion(member.key, known))",
        at: member.keyLocation)
    }
  }
}
