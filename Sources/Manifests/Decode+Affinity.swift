import Cluster

extension Cursor {
  /// Node, pod and pod anti-affinity: what is required is read, what is preferred is only a wish.
  func affinity(into spec: inout PodSpec) {
    var result = spec
    _ = fields { fields -> Bool? in
      result.nodeAffinity = fields.optional("nodeAffinity")?.nodeAffinity()
      result.affinity = fields.optional("podAffinity")?.podAffinity() ?? []
      result.antiAffinity = fields.optional("podAntiAffinity")?.podAffinity() ?? []
      return true
    }
    spec = result
  }

  private static let required = "requiredDuringSchedulingIgnoredDuringExecution"
  private static let preferred = "preferredDuringSchedulingIgnoredDuringExecution"

  private func warnOfPreference(_ fields: inout Fields) {
    guard let preference = fields.optional(Self.preferred) else { return }
    preference.report(
      "preference-not-followed", "preferred affinity does not move pods here", severity: .warning,
      at: fields.keyLocation(Self.preferred))
  }

  private func nodeAffinity() -> [NodeSelectorTerm]? {
    fields { fields in
      warnOfPreference(&fields)
      return fields.optional(Self.required)?.fields { fields in
        fields.required("nodeSelectorTerms")?.list { $0.nodeTerm() }
      }
    }
  }

  private func nodeTerm() -> NodeSelectorTerm? {
    fields { fields in
      var term = NodeSelectorTerm()
      term.expressions = fields.optional("matchExpressions")?.list { $0.nodeExpression() } ?? []
      let matches = fields.optional("matchFields")?.list { $0.nodeExpression() }
      for match in matches ?? [] {
        if match.key == "metadata.name", match.op == .in {
          term.nodeNames = match.values
        } else {
          report(
            "unmodelled-field", "matchFields other than metadata.name In are not modelled",
            severity: .unmodelled, at: match.location)
        }
      }
      return term
    }
  }

  private func nodeExpression() -> LabelSelector.Expression? {
    if case .string(let op)? = value["operator"]?.content, op == "Gt" || op == "Lt" {
      report("unmodelled-field", "the operator \(op) is not modelled", severity: .unmodelled)
      return nil
    }
    return expression()
  }

  private func podAffinity() -> [PodAffinityTerm]? {
    fields { fields in
      warnOfPreference(&fields)
      return fields.optional(Self.required)?.list { item in
        item.fields { fields in
          let selector = fields.optional("labelSelector")?.selector()
          let namespaces = fields.optional("namespaces")?.list { $0.string() } ?? []
          let key = fields.required("topologyKey")?.nonEmptyString()
          fields.unmodelled(["namespaceSelector", "matchLabelKeys", "mismatchLabelKeys"])
          return key.map {
            PodAffinityTerm(
              selector: selector, namespaces: namespaces, topologyKey: $0, location: fields.location)
          }
        }
      }
    }
  }
}
