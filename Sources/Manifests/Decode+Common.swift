import Cluster
import Wire

extension Cursor {
  /// Labels or annotations: a mapping of strings. `checked` is off for annotations, whose values are free.
  public func labels(checked: Bool = true) -> Labels? {
    guard let members = members() else { return nil }
    var result: [(String, String)] = []
    for (key, value) in members {
      if let problem = LabelSyntax.problem(key: checked ? key.value : key.value.lowercased()) {
        report("invalid-label", "the key \(quoted(key.value)) \(problem)", at: key.location)
        continue
      }
      if value.value.isNull {
        result.append((key.value, ""))
      } else if let text = value.string() {
        if checked, let problem = LabelSyntax.problem(value: text) {
          value.report("invalid-label", "the value \(quoted(text)) \(problem)")
        } else {
          result.append((key.value, text))
        }
      }
    }
    return Labels(result)
  }

  /// A label selector. `sourced` keys may begin with a source, `k8s:` and the like, as Cilium's do.
  public func selector(sourced: Bool = false) -> LabelSelector? {
    fields { fields in
      let labels = fields.optional("matchLabels")?.matchLabels(sourced: sourced)
      let expressions = fields.optional("matchExpressions")?.list { $0.expression(sourced: sourced) }
      return LabelSelector(
        matchLabels: labels ?? [:], matchExpressions: expressions ?? [], location: fields.location)
    }
  }

  private func matchLabels(sourced: Bool) -> Labels? {
    guard let members = members() else { return nil }
    var result: [(String, String)] = []
    for (key, value) in members {
      checkSelector(key: key, sourced: sourced)
      guard !value.value.isNull else {
        result.append((key.value, ""))
        continue
      }
      guard let text = value.string() else { continue }
      value.checkSelector(value: text)
      result.append((key.value, text))
    }
    return Labels(result)
  }

  func expression(sourced: Bool = false) -> LabelSelector.Expression? {
    fields { fields in
      let keyCursor = fields.required("key")
      let key = keyCursor?.string()
      let op = fields.required("operator")?.choice(LabelSelector.Operator.self)
      let valuesCursor = fields.optional("values")
      let values =
        valuesCursor?.list { item -> String? in
          guard let text = item.string() else { return nil }
          item.checkSelector(value: text)
          return text
        } ?? []
      guard let key, let op else { return nil }
      keyCursor?.checkSelector(key: Located(key, at: keyCursor?.location ?? location), sourced: sourced)
      switch op {
      case .in, .notIn:
        if values.isEmpty {
          report("invalid-selector", "the operator \(op.rawValue) needs values")
        }
      case .exists, .doesNotExist:
        if !values.isEmpty {
          valuesCursor?.report("invalid-selector", "the operator \(op.rawValue) takes no values")
        }
      }
      return LabelSelector.Expression(key: key, op: op, values: values, location: fields.location)
    }
  }

  private func checkSelector(key: Located<String>, sourced: Bool) {
    var bare = key.value[...]
    if sourced, let colon = bare.firstIndex(of: ":") { bare = bare[bare.index(after: colon)...] }
    if let problem = LabelSyntax.problem(key: String(bare)) {
      report("invalid-selector", "the key \(quoted(key.value)) \(problem)", at: key.location)
    }
  }

  private func checkSelector(value: String) {
    if let problem = LabelSyntax.problem(value: value) {
      report("invalid-selector", "the value \(quoted(value)) \(problem)")
    }
  }

  // MARK: Addresses

  public func address() -> IPAddress? {
    guard let text = string() else { return nil }
    if let address = IPAddress(text) { return address }
    report("invalid-value", "\(quoted(text)) is no IP address")
    return nil
  }

  public func cidr() -> CIDR? {
    guard let text = string() else { return nil }
    if let cidr = CIDR(text) { return cidr }
    let hint = IPAddress(text).map { "; write \(quoted("\(CIDR($0))"))" } ?? ""
    report("invalid-value", "\(quoted(text)) is no prefix in CIDR notation\(hint)")
    return nil
  }

  /// 1…65535.
  public func port() -> UInt16? { number(UInt16.self, min: 1) }

  /// A number, or a name of a port.
  func portReference() -> PortReference? {
    if case .integer = value.content { return port().map { .number($0) } }
    guard case .string(let text) = value.content else {
      wrongType("a port number or name")
      return nil
    }
    if let problem = LabelSyntax.problem(portName: text) {
      let hint = UInt16(text).map { "; a number is written without quotes: \($0)" } ?? ""
      report("invalid-value", "the port name \(quoted(text)) \(problem)\(hint)")
      return nil
    }
    return .name(text)
  }
}
