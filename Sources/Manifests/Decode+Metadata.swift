import Cluster

extension Cursor {
  /// An object's `metadata`; nil when it has no usable name.
  func metadata(_ kind: ObjectKind, at location: SourceLocation, defaultNamespace: String) -> Metadata? {
    fields { fields in
      let nameCursor = fields.optional("name")
      let name = nameCursor?.nonEmptyString()
      let generateName = fields.optional("generateName")?.string()
      let namespaceCursor = fields.optional("namespace")
      var namespace = namespaceCursor?.string() ?? ""
      let labels = fields.optional("labels")?.labels() ?? [:]
      let annotations = fields.optional("annotations")?.labels(checked: false) ?? [:]
      let owner = fields.optional("ownerReferences")
      fields.ignore(Self.serverFields)

      guard let name else {
        if nameCursor == nil {
          let hint = generateName == nil ? "" : "; generateName draws one, and a file must give its own"
          report("missing-field", "the field \"name\" is missing\(hint)")
        }
        return nil
      }
      nameCursor?.checkName(name, kind)
      if let namespaceCursor, !namespace.isEmpty {
        if !kind.isNamespaced {
          namespaceCursor.report(
            "ignored-namespace", "a \(kind.rawValue) belongs to no namespace", severity: .warning)
        } else if let problem = LabelSyntax.problem(dnsLabel: namespace) {
          namespaceCursor.report("invalid-value", "the namespace \(quoted(namespace)) \(problem)")
        }
      }
      if !kind.isNamespaced { namespace = "" } else if namespace.isEmpty { namespace = defaultNamespace }
      return Metadata(
        namespace: namespace, name: name, labels: labels, annotations: annotations,
        owner: owner?.controller(in: namespace), location: location)
    }
  }

  /// What the API server adds to a dump.
  private static let serverFields = [
    "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generation",
    "managedFields", "resourceVersion", "selfLink", "uid",
  ]

  private func checkName(_ name: String, _ kind: ObjectKind) {
    let problem: String? =
      switch kind {
      case .namespace: LabelSyntax.problem(dnsLabel: name)
      case .service:
        // RFC 1035 labels: no digit in front, since the name becomes a DNS label.
        LabelSyntax.problem(dnsLabel: name)
          ?? (name.first?.isNumber == true ? "may not begin with a digit" : nil)
      default: LabelSyntax.problem(subdomain: name)
      }
    if let problem { report("invalid-value", "the name \(quoted(name)) \(problem)") }
  }

  private func controller(in namespace: String) -> ObjectReference? {
    let owners = list { item -> (isController: Bool, reference: ObjectReference?)? in
      item.fields { fields in
        let kind = fields.required("kind")?.string()
        let name = fields.required("name")?.string()
        let isController = fields.optional("controller")?.bool() ?? false
        fields.ignore(["apiVersion", "uid", "blockOwnerDeletion"])
        guard let kind, let name else { return nil }
        let known = ObjectKind(rawValue: kind)
        return (isController, known.map { ObjectReference($0, namespace: namespace, name: name) })
      }
    }
    return owners?.first { $0.isController }?.reference
  }
}
