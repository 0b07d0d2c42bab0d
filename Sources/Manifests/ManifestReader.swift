import Cluster

/// What a reading of manifests gives.
public struct ManifestSet: Equatable, Sendable {
  /// An object, and the document that it came from (for `patch`).
  public struct Entry: Equatable, Sendable {
    public var object: ClusterObject
    public var document: YAMLValue

    public init(object: ClusterObject, document: YAMLValue) {
      self.object = object
      self.document = document
    }
  }

  public var entries: [Entry] = []
  public var kindConfigurations: [KindConfiguration] = []
  public var findings: [Finding] = []

  public init() {}

  /// The objects in the order of the files.
  public var objects: [ClusterObject] { entries.map(\.object) }

  public var hasErrors: Bool { findings.contains { $0.severity == .error } }

  /// Those of another reading after these. An object that both hold is a duplicate, and reported.
  public mutating func append(_ other: ManifestSet) {
    entries += other.entries
    kindConfigurations += other.kindConfigurations
    findings += other.findings
  }
}

/// Reads Kubernetes, Cilium and kind documents.
///
/// An object with an error in it is left out, as the API server would refuse it; reading goes on, so that one
/// run names every mistake.
public struct ManifestReader {
  public var profile: Profile
  public var defaultNamespace: String

  public init(profile: Profile = .latest, defaultNamespace: String = "default") {
    self.profile = profile
    self.defaultNamespace = defaultNamespace
  }

  /// Reads the documents of a file's text; `file` is the name that findings print, `offset` where the text stands
  /// in it.
  public func read(
    _ text: String, file: String, offset: YAMLReader.Offset = YAMLReader.Offset()
  ) -> ManifestSet {
    do {
      return read(try YAMLReader(file: file, offset: offset).documents(text))
    } catch {
      var result = ManifestSet()
      result.findings = [error.finding]
      return result
    }
  }

  public func read(_ documents: [YAMLValue]) -> ManifestSet {
    let log = FindingLog()
    var result = ManifestSet()
    for document in documents where !document.isNull { read(document, log, &result) }
    reportDuplicates(result.entries, log)
    result.findings = log.findings.sorted { $0.location < $1.location }
    return result
  }

  private func read(_ document: YAMLValue, _ log: FindingLog, _ result: inout ManifestSet) {
    let cursor = Cursor(document, log: log, authority: .apiServer)
    guard let type = cursor.typeMeta() else { return }
    if type.isList {
      readItems(document, cursor, log, &result)
      return
    }
    switch KnownKind(type) {
    case .object(let kind):
      let errors = log.errorCount
      if let object = object(kind, cursor), log.errorCount == errors {
        result.entries.append(.init(object: object, document: document))
      }
    case .kindCluster:
      let errors = log.errorCount
      let configuration: KindConfiguration? = Cursor(document, log: log).fields { fields in
        fields.ignore(["apiVersion", "kind"])
        return cursor.kindConfiguration(&fields)
      }
      if let configuration, log.errorCount == errors { result.kindConfigurations.append(configuration) }
    case .indifferent: break
    case .unmodelled(let why):
      cursor.report(
        "unmodelled-kind", "\(type) is not modelled\(why)", severity: .unmodelled)
    case .wrongVersion(let expected):
      cursor.report(
        "unknown-kind",
        "\(type.kind) of \(quoted(type.apiVersion)) is unknown; expected apiVersion \(expected)",
        at: document["apiVersion"]?.location)
    case .unknown(let nearest):
      let hint = nearest.map { "; did you mean \(quoted($0))?" } ?? ""
      cursor.report(
        "unknown-kind", "unknown kind \(quoted(type.kind))\(hint)", at: document["kind"]?.location)
    }
  }

  private func readItems(
    _ document: YAMLValue, _ cursor: Cursor, _ log: FindingLog, _ result: inout ManifestSet
  ) {
    let items: [Cursor]? = cursor.fields { fields in
      fields.ignore(["apiVersion", "kind", "metadata"])
      return fields.required("items")?.items()
    }
    for item in items ?? [] {
      if item.value["kind"]?.content == .string("List") {
        item.report("unknown-kind", "a List may not hold a List")
      } else {
        read(item.value, log, &result)
      }
    }
  }

  private func object(_ kind: ObjectKind, _ cursor: Cursor) -> ClusterObject? {
    cursor.fields { fields in
      fields.ignore(["apiVersion", "kind"])
      let metadata = fields.required("metadata")?
        .metadata(kind, at: cursor.location, defaultNamespace: defaultNamespace)
      // A stand-in name lets the rest be checked too; the object is refused for the error already reported.
      let known = metadata ?? Metadata(name: "unnamed", location: cursor.location)
      let object = body(kind, cursor, known, &fields)
      return metadata == nil ? nil : object
    }
  }

  private func body(
    _ kind: ObjectKind, _ cursor: Cursor, _ metadata: Metadata, _ fields: inout Fields
  ) -> ClusterObject? {
    switch kind {
    case .node: return cursor.node(metadata, &fields).map(ClusterObject.node)
    case .namespace:
      fields.ignore(["spec", "status"])
      return .namespace(Namespace(metadata: metadata))
    case .serviceAccount:
      fields.ignore(["automountServiceAccountToken", "imagePullSecrets", "secrets"])
      return .serviceAccount(ServiceAccount(metadata: metadata))
    case .pod: return cursor.pod(metadata, &fields).map(ClusterObject.pod)
    case .deployment: return cursor.workload(metadata, .deployment, &fields).map(ClusterObject.workload)
    case .replicaSet: return cursor.workload(metadata, .replicaSet, &fields).map(ClusterObject.workload)
    case .statefulSet: return cursor.workload(metadata, .statefulSet, &fields).map(ClusterObject.workload)
    case .daemonSet: return cursor.workload(metadata, .daemonSet, &fields).map(ClusterObject.workload)
    case .job: return cursor.workload(metadata, .job, &fields).map(ClusterObject.workload)
    case .service: return cursor.service(metadata, &fields).map(ClusterObject.service)
    case .endpoints: return cursor.endpoints(metadata, &fields).map(ClusterObject.endpoints)
    case .endpointSlice: return cursor.endpointSlice(metadata, &fields).map(ClusterObject.endpointSlice)
    case .networkPolicy: return cursor.networkPolicy(metadata, &fields).map(ClusterObject.networkPolicy)
    case .ciliumNetworkPolicy:
      return cursor.ciliumPolicy(metadata, .namespaced, profile, &fields).map(ClusterObject.ciliumPolicy)
    case .ciliumClusterwideNetworkPolicy:
      return cursor.ciliumPolicy(metadata, .clusterwide, profile, &fields).map(ClusterObject.ciliumPolicy)
    case .clusterNetworkPolicy:
      return cursor.clusterNetworkPolicy(metadata, &fields).map(ClusterObject.clusterPolicy)
    case .ciliumCIDRGroup: return cursor.cidrGroup(metadata, &fields).map(ClusterObject.cidrGroup)
    case .ciliumIdentity: return cursor.identity(metadata, &fields).map(ClusterObject.identity)
    case .ciliumEndpoint: return cursor.ciliumEndpoint(metadata, &fields).map(ClusterObject.ciliumEndpoint)
    }
  }

  /// Two objects of one reference in one set of files: the later would silently win.
  private func reportDuplicates(_ entries: [ManifestSet.Entry], _ log: FindingLog) {
    log.add(ManifestReader.duplicates(in: entries.map(\.object)))
  }

  /// A finding for each object that an earlier one of the list shares its reference with.
  public static func duplicates(in objects: [ClusterObject]) -> [Finding] {
    var first: [ObjectReference: SourceLocation] = [:]
    var findings: [Finding] = []
    for object in objects {
      if let earlier = first[object.reference] {
        findings.append(
          Finding(
            id: "duplicate-object", severity: .error, at: object.location,
            "\(object.reference) is defined twice; first at \(earlier)"))
      } else {
        first[object.reference] = object.location
      }
    }
    return findings
  }
}
