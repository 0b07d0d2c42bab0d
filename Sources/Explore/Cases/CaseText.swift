extension Case {
  /// The scenario file, which names `manifests.yaml` beside it.
  public var scenarioText: String { scenario(isSelfContained: false) }

  /// The same in one text: the objects are applied by its first step.
  public var selfContainedText: String { scenario(isSelfContained: true) }

  /// What stands in `manifests.yaml`.
  public var manifestsText: String { documents.map(\.text).joined(separator: "---\n") }

  private func scenario(isSelfContained: Bool) -> String {
    var lines = [
      "apiVersion: ciliate.dev/v1alpha1", "kind: Scenario", "metadata: {name: \(name)}", "spec:",
      "  seed: \(seed)",
    ]
    if !settings.isEmpty {
      lines.append("  cilium: {values: [\(settings.map(\.text).joined(separator: ", "))]}")
    }
    let names = (1...max(nodes, 1)).map { "{name: n\($0)}" }.joined(separator: ", ")
    lines.append("  cluster: {nodes: [\(names)]}")
    lines.append("  external:")
    lines.append(
      "    - {name: web, ips: [203.0.113.7, \"2001:db8::7\"], serves: [{port: 80, protocol: TCP}]}")
    if !isSelfContained, !documents.isEmpty { lines.append("  manifests: [manifests.yaml]") }
    lines.append("  steps:")
    if isSelfContained, !documents.isEmpty { lines += Self.step("apply", manifestsText) }
    for step in steps {
      switch step {
      case .apply(let document): lines += Self.step("apply", document.text)
      case .delete(let document): lines += Self.step("delete", document.text)
      case .other(let text): lines.append("    - \(text)")
      }
    }
    if steps.isEmpty, !isSelfContained || documents.isEmpty { lines.append("    - time: {advance: 1s}") }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func step(_ verb: String, _ text: String) -> [String] {
    ["    - \(verb): |"] + text.split(separator: "\n").map { "        \($0)" }
  }
}

extension Document {
  public var text: String {
    var lines = head
    for list in lists where !list.entries.isEmpty {
      lines.append("  \(list.name):")
      for entry in list.entries { lines.append("    - {\(entry.joined(separator: ", "))}") }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
