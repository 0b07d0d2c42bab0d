import Cluster

/// One condition of a selector on the labels of an identity.
struct Requirement: Hashable, Sendable {
  var source: String
  var key: String
  var op: LabelSelector.Operator
  var values: [String]

  init(_ source: String, _ key: String, _ op: LabelSelector.Operator, _ values: [String] = []) {
    self.source = source
    self.key = key
    self.op = op
    self.values = values
  }

  /// A key as manifests write it: `app` (from any source), `k8s:app`, `reserved:host`, `$host`.
  ///
  /// Source: Cilium `pkg/labels/labels.go` (`parseSource`).
  init(written key: String, _ op: LabelSelector.Operator, _ values: [String], defaultSource: String) {
    if key.utf8.first == UInt8(ascii: "$") {
      self.init("reserved", String(key.dropFirst()), op, values)
    } else if let colon = key.firstIndex(of: ":") {
      let source = String(key[..<colon])
      self.init(source.isEmpty ? defaultSource : source, String(key[key.index(after: colon)...]), op, values)
    } else {
      self.init(defaultSource, key, op, values)
    }
  }

  static func equals(_ label: IdentityLabel) -> Requirement {
    Requirement(label.source, label.key, .in, [label.value])
  }

  func holds(for identity: Identity) -> Bool {
    switch (op, identity.value(source, key)) {
    case (.in, let value?): values.contains(value)
    case (.in, nil): false
    case (.notIn, let value?): !values.contains(value)
    case (.notIn, nil): true
    case (.exists, let value): value != nil
    case (.doesNotExist, let value): value == nil
    }
  }
}

extension LabelSelector {
  /// The conditions of a selector, its keys read with a source where they name none.
  func requirements(defaultSource: String) -> [Requirement] {
    let labels = matchLabels.map {
      Requirement(written: $0.key, .in, [$0.value], defaultSource: defaultSource)
    }
    let expressions = matchExpressions.map {
      Requirement(written: $0.key, $0.op, $0.values, defaultSource: defaultSource)
    }
    return labels + expressions
  }
}

extension [Requirement] {
  func hold(for identity: Identity) -> Bool {
    for requirement in self where !requirement.holds(for: identity) { return false }
    return true
  }

  /// Whether one is about a key, of a source or of any.
  func mention(_ key: String, _ sources: [String] = ["k8s", "any"]) -> Bool {
    contains { $0.key == key && sources.contains($0.source) }
  }
}
