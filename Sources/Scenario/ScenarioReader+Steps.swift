import Cluster
import Manifests
import Wire

extension Cursor {
  func step(number: Int, _ defaults: ProbeDefaults) -> Step? {
    fields { fields in
      let name = fields.optional("name")?.nonEmptyString()
      let expect = fields.optional("expect")?.expectation()
      var verbs: [(String, Cursor)] = []
      for verb in Step.Verb.names {
        if let cursor = fields.optional(verb) { verbs.append((verb, cursor)) }
      }
      if verbs.count > 1 {
        report(
          "two-verbs", "a step has one verb, found \(verbs.map(\.0).joined(separator: " and "))")
      }
      guard let (word, cursor) = verbs.first else {
        if fields.keys.allSatisfy({ $0 == "name" || $0 == "expect" || Step.Verb.names.contains($0) }) {
          report(
            "missing-field", "a step needs a verb: \(Step.Verb.names.joined(separator: ", "))")
        }
        return nil
      }
      return cursor.verb(word, defaults).map {
        Step(name: name ?? "step-\(number)", verb: $0, expect: expect, location: fields.location)
      }
    }
  }

  private func verb(_ word: String, _ defaults: ProbeDefaults) -> Step.Verb? {
    switch word {
    case "apply": return manifestSource().map { .apply($0) }
    case "delete": return deletion().map { .delete($0) }
    case "patch": return patch()
    case "label": return metadataChange("labels").map { .label($0.0, $0.1) }
    case "annotate": return metadataChange("annotations").map { .annotate($0.0, $0.1) }
    case "scale": return scale()
    case "ready": return ready()
    case "node": return nodeChange()
    case "link": return linkChange().map { .link($0) }
    case "dns": return worldDNSChange().map { .dns($0) }
    case "time":
      return fields { fields in fields.required("advance")?.duration().map { .time(advance: $0) } }
    case "config": return helmValues().map { .config($0) }
    case "probe": return probe(defaults).map { .probe($0) }
    case "matrix": return matrixProbe(defaults).map { .matrix($0) }
    case "inject": return injection().map { .inject($0) }
    case "view": return viewRequest().map { .view($0) }
    case "capture": return captureCommand().map { .capture($0) }
    default:
      guard let component = Component(rawValue: word) else { return nil }
      return fields { fields in
        let choice: NodeChoice? =
          component == .operator || component == .relay
          ? fields.optional("node")?.nodeChoice() ?? .all : fields.required("node")?.nodeChoice()
        let state = fields.required("state")?.choice(PowerState.self)
        guard let choice, let state else { return nil }
        return .component(component, on: choice, state)
      }
    }
  }

  private func nodeChoice() -> NodeChoice? {
    nonEmptyString().map { $0 == "all" ? .all : .named($0) }
  }

  // MARK: Objects

  /// A file or glob, a list of them, text over several lines, or `{inline: text}`.
  private func manifestSource() -> ManifestSource? {
    var source = ManifestSource()
    switch value.content {
    case .mapping:
      return fields { fields in
        source.files = fields.optional("files")?.paths() ?? []
        if let inline = fields.optional("inline") {
          source.inline = inline.nonEmptyString().map { [Located($0, at: inline.location)] } ?? []
        }
        if source.files.isEmpty, source.inline.isEmpty {
          report("missing-field", "expected files, or inline manifests")
        }
        return source
      }
    case .sequence:
      for item in items() ?? [] {
        guard let more = item.manifestSource() else { continue }
        source.files += more.files
        source.inline += more.inline
      }
      return source
    default:
      guard let text = nonEmptyString() else { return nil }
      if text.contains("\n") {
        source.inline = [Located(text, at: location)]
      } else {
        source.files = [Located(text, at: location)]
      }
      return source
    }
  }

  /// Manifests, or objects by kind and name: `{pod: a}`, or a list of such.
  private func deletion() -> Deletion? {
    let items: [Cursor]
    switch value.content {
    case .sequence: items = self.items() ?? []
    case .mapping: items = [self]
    default: return manifestSource().map { .manifests($0) }
    }
    let named = items.filter { item in
      guard case .mapping(let members) = item.value.content else { return false }
      return !members.contains { $0.key == "inline" || $0.key == "files" }
    }
    if named.isEmpty { return manifestSource().map { .manifests($0) } }
    guard named.count == items.count else {
      report("conflict", "files and objects cannot be mixed in one delete")
      return nil
    }
    return .objects(items.compactMap { item in item.fields { $0.reference() } })
  }

  private func patch() -> Step.Verb? {
    fields { fields in
      guard let reference = fields.reference() else { return nil }
      var merge: [YAMLValue.Member] = []
      if let explicit = fields.optional("patch") {
        guard case .mapping(let members) = explicit.value.content else {
          explicit.wrongType("a mapping to merge")
          return nil
        }
        merge += members
      }
      for key in ["spec", "metadata", "status"] {
        if let part = fields.optional(key) {
          merge.append(.init(key: key, keyLocation: fields.keyLocation(key), value: part.value))
        }
      }
      // The short forms that stand for a place in the object.
      if let replicas = fields.optional("replicas") {
        merge.append(replicas.nested(["spec", "replicas"]))
      }
      for key in ["labels", "annotations"] {
        if let part = fields.optional(key) { merge.append(part.nested(["metadata", key])) }
      }
      if merge.isEmpty { report("missing-field", "the patch changes nothing") }
      return .patch(reference, merge: YAMLValue(.mapping(merge), location: fields.location))
    }
  }

  /// This value below the path of keys, as a member of the object.
  private func nested(_ path: [String]) -> YAMLValue.Member {
    var inner = value
    for key in path.dropFirst().reversed() {
      let member = YAMLValue.Member(key: key, keyLocation: location, value: inner)
      inner = YAMLValue(.mapping([member]), location: location)
    }
    return .init(key: path[0], keyLocation: location, value: inner)
  }

  private func metadataChange(_ key: String) -> (ObjectReference, [LabelChange])? {
    fields { fields in
      let reference = fields.reference()
      let members = fields.required(key)?.members() ?? []
      let changes: [LabelChange] = members.compactMap { name, value in
        if let problem = LabelSyntax.problem(key: name.value) {
          value.report("invalid-label", "the key \(quoted(name.value)) \(problem)", at: name.location)
          return nil
        }
        if value.value.isNull { return LabelChange(name.value, nil) }
        guard let text = value.text() else { return nil }
        if key == "labels", let problem = LabelSyntax.problem(value: text) {
          value.report("invalid-label", "the value \(quoted(text)) \(problem)")
          return nil
        }
        return LabelChange(name.value, text)
      }
      return reference.map { ($0, changes) }
    }
  }

  private func scale() -> Step.Verb? {
    fields { fields in
      let reference = fields.reference([.deployment, .replicaSet, .statefulSet])
      let replicas = fields.required("replicas")?.integer(0...100_000)
      guard let reference, let replicas else { return nil }
      return .scale(reference, replicas: replicas)
    }
  }

  private func ready() -> Step.Verb? {
    fields { fields in
      let namespace = fields.optional("namespace")?.nonEmptyString()
      let pod = fields.required("pod")?.namespacedName(default: namespace)
      let isReady = fields.required("ready")?.bool()
      guard let pod, let isReady else { return nil }
      return .ready(pod: pod, isReady)
    }
  }
}

extension Fields {
  /// `deployment: x`, `pod: ns/x`, with an optional `namespace`: an object as kubectl names it.
  mutating func reference(_ kinds: [ObjectKind] = ObjectKind.allCases) -> ObjectReference? {
    let namespace = optional("namespace")?.nonEmptyString()
    var found: [ObjectReference] = []
    for kind in kinds {
      for word in kind.commandNames {
        guard let id = optional(word)?.namespacedName(default: namespace) else { continue }
        found.append(ObjectReference(kind, namespace: id.namespace, name: id.name))
      }
    }
    if found.count != 1 {
      let words = kinds.compactMap(\.commandNames.first)
      let expected =
        words.count > 6 ? "a kind and name, like {pod: a}" : "one of \(words.joined(separator: ", "))"
      cursor.report("missing-field", "expected \(expected); found \(found.count)")
    }
    return found.first
  }
}
