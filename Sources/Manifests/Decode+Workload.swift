import Cluster

extension Cursor {
  func workload(_ metadata: Metadata, _ type: Workload.Kind, _ fields: inout Fields) -> Workload? {
    fields.ignore(["status"])
    return fields.required("spec")?.fields { spec in
      let template = spec.required("template")?.podTemplate()
      let selectorCursor = type == .job ? spec.optional("selector") : spec.required("selector")
      let selector = selectorCursor?.selector()
      var replicas = 1
      switch type {
      case .deployment, .replicaSet, .statefulSet:
        replicas = spec.optional("replicas")?.integer(0...Int(Int32.max)) ?? 1
      case .job: replicas = spec.optional("parallelism")?.integer(0...Int(Int32.max)) ?? 1
      case .daemonSet: break
      }
      let serviceName = type == .statefulSet ? spec.optional("serviceName")?.string() : nil
      spec.ignore(Self.indifferentFields(type))
      guard let template else { return nil }
      if let selector, type != .job, !selector.matches(template.labels) {
        selectorCursor?.report(
          "selector-mismatch",
          "the selector \(selector) does not match the template's labels \(template.labels)")
      }
      return Workload(
        metadata: metadata, type: type, replicas: replicas, selector: selector, template: template,
        serviceName: serviceName)
    }
  }

  private static func indifferentFields(_ type: Workload.Kind) -> [String] {
    switch type {
    case .deployment:
      ["minReadySeconds", "paused", "progressDeadlineSeconds", "revisionHistoryLimit", "strategy"]
    case .replicaSet: ["minReadySeconds"]
    case .statefulSet:
      [
        "minReadySeconds", "ordinals", "persistentVolumeClaimRetentionPolicy", "podManagementPolicy",
        "revisionHistoryLimit", "updateStrategy", "volumeClaimTemplates",
      ]
    case .daemonSet: ["minReadySeconds", "revisionHistoryLimit", "updateStrategy"]
    case .job:
      [
        "activeDeadlineSeconds", "backoffLimit", "backoffLimitPerIndex", "completionMode", "completions",
        "managedBy", "manualSelector", "maxFailedIndexes", "podFailurePolicy", "podReplacementPolicy",
        "successPolicy", "suspend", "ttlSecondsAfterFinished",
      ]
    }
  }

  private func podTemplate() -> PodTemplate? {
    fields { fields in
      var template = PodTemplate(location: fields.location)
      _ = fields.optional("metadata")?.fields { metadata -> Bool? in
        template.labels = metadata.optional("labels")?.labels() ?? [:]
        template.annotations = metadata.optional("annotations")?.labels(checked: false) ?? [:]
        metadata.ignore(["creationTimestamp", "name", "namespace", "generateName", "finalizers"])
        return true
      }
      guard let spec = fields.required("spec")?.podSpec() else { return nil }
      template.spec = spec
      return template
    }
  }
}
