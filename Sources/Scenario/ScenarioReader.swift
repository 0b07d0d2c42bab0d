import Cluster
import Manifests
import Wire

/// Reads the text of a scenario file.
///
/// Nothing is guessed: unknown fields, verbs and values are errors with a place and the nearest valid spelling.
public struct ScenarioReader {
  public static let apiVersion = "ciliate.dev/v1alpha1"

  private let file: String

  public init(file: String) { self.file = file }

  /// - Parameter steps: a list that stands in place of the file's own steps.
  /// - Returns: the scenario, or nil when it has errors; and everything that was found.
  public func read(_ text: String, steps: YAMLValue? = nil) -> (scenario: ScenarioFile?, findings: [Finding])
  {
    let log = FindingLog()
    let documents: [YAMLValue]
    do {
      documents = try YAMLReader(file: file).documents(text).filter { !$0.isNull }
    } catch {
      return (nil, [error.finding])
    }
    guard var document = documents.first else {
      return (nil, [finding("empty-scenario", "the file is empty; expected a document of kind Scenario")])
    }
    if documents.count > 1 {
      Cursor(documents[1], log: log).report("two-documents", "a scenario file holds one document")
    }
    if let steps { document = document.merging(Self.patch(steps)) }
    let scenario = decode(Cursor(document, log: log))
    let findings = log.findings.sorted { $0.location < $1.location }
    return (log.errorCount == 0 ? scenario : nil, findings)
  }

  private static func patch(_ steps: YAMLValue) -> YAMLValue {
    func member(_ key: String, _ value: YAMLValue) -> YAMLValue {
      let member = YAMLValue.Member(key: key, keyLocation: steps.location, value: value)
      return YAMLValue(.mapping([member]), location: steps.location)
    }
    return member("spec", member("steps", steps))
  }

  private func finding(_ id: String, _ message: String) -> Finding {
    Finding(id: id, severity: .error, at: SourceLocation(file: file, line: 1, column: 1), message)
  }

  private func decode(_ cursor: Cursor) -> ScenarioFile? {
    cursor.fields { fields in
      var scenario = ScenarioFile(file: file)
      fields.required("apiVersion")?.expect(ScenarioReader.apiVersion)
      fields.required("kind")?.expect("Scenario")
      _ = fields.required("metadata")?.fields { metadata -> Bool? in
        scenario.name = metadata.required("name")?.nonEmptyString() ?? ""
        scenario.labels = metadata.optional("labels")?.labels() ?? [:]
        return true
      }
      _ = fields.required("spec")?.fields { spec -> Bool? in
        scenario.read(&spec)
        return true
      }
      return scenario
    }
  }
}

extension Cursor {
  fileprivate func expect(_ text: String) {
    guard let found = string(), found != text else { return }
    report("invalid-value", "expected \(quoted(text)), found \(quoted(found))")
  }
}

extension ScenarioFile {
  fileprivate mutating func read(_ spec: inout Fields) {
    cilium = spec.optional("cilium")?.ciliumInstallation() ?? CiliumInstallation()
    readClusters(&spec)
    external = spec.optional("external")?.list { $0.externalHost() } ?? []
    dns = spec.optional("dns")?.worldDNS() ?? WorldDNS()
    seed = spec.optional("seed")?.seed() ?? 1
    kernel = spec.optional("kernel")?.kernelUse() ?? .auto
    let defaults = spec.optional("defaults")?.probeDefaults() ?? ProbeDefaults()
    manifests = spec.optional("manifests")?.paths() ?? []
    artifacts = spec.optional("artifacts")?.artifacts() ?? Artifacts()
    if let list = spec.required("steps") {
      let items = list.items() ?? []
      if items.isEmpty, case .sequence = list.value.content {
        list.report("empty-scenario", "the scenario has no steps")
      }
      steps = items.enumerated().compactMap { $1.step(number: $0 + 1, defaults) }
      reportDuplicates(list)
    }
  }

  private mutating func readClusters(_ spec: inout Fields) {
    let one = spec.optional("cluster")
    let several = spec.optional("clusters")
    if let one, several != nil {
      one.report("conflict", "cluster and clusters exclude each other", at: spec.keyLocation("cluster"))
    }
    clusters = several?.list { $0.clusterPlan(inMesh: true) } ?? []
    if let plan = one?.clusterPlan(inMesh: false) { clusters.append(plan) }
  }

  private func reportDuplicates(_ list: Cursor) {
    var seen: Set<String> = []
    for step in steps where !seen.insert(step.name).inserted {
      list.report("duplicate-name", "two steps are named \(quoted(step.name))", at: step.location)
    }
    seen = []
    for host in external where !seen.insert(host.name).inserted {
      list.report("duplicate-name", "two external hosts are named \(quoted(host.name))", at: host.location)
    }
  }
}

/// `spec.defaults.probe`.
struct ProbeDefaults {
  var from: ProbeSource?
  var timeout = Probe.defaultTimeout
}

extension Cursor {
  fileprivate func probeDefaults() -> ProbeDefaults? {
    fields { fields in
      fields.optional("probe")?.fields { probe in
        var defaults = ProbeDefaults()
        defaults.from = probe.optional("from")?.probeSource()
        defaults.timeout = probe.optional("timeout")?.duration() ?? Probe.defaultTimeout
        return defaults
      }
    }
  }

  fileprivate func seed() -> UInt64? {
    guard case .integer(let number) = value.content, let seed = UInt64(exactly: number) else {
      wrongType("a whole number from 0")
      return nil
    }
    return seed
  }

  /// `off` is a boolean to YAML 1.1, and is meant.
  fileprivate func kernelUse() -> ScenarioFile.KernelUse? {
    if case .bool(false) = value.content { return .off }
    return choice(ScenarioFile.KernelUse.self)
  }

  fileprivate func artifacts() -> ScenarioFile.Artifacts? {
    fields { fields in
      var artifacts = ScenarioFile.Artifacts()
      artifacts.pcap = fields.optional("pcap")?.bool() ?? false
      artifacts.flows = fields.optional("flows")?.choice(ScenarioFile.Artifacts.Flows.self)
      artifacts.report = fields.optional("report")?.choice(ScenarioFile.Artifacts.Report.self)
      return artifacts
    }
  }

  /// One path, or a list of them.
  func paths() -> [Located<String>]? {
    if case .string = value.content { return nonEmptyString().map { [Located($0, at: location)] } }
    return list { item in item.nonEmptyString().map { Located($0, at: item.location) } }
  }

  func duration() -> VirtualDuration? {
    guard let text = text() else { return nil }
    if let duration = VirtualDuration(text) { return duration }
    report("invalid-value", "\(quoted(text)) is no duration; expected a form like 500ms, 10s or 1m30s")
    return nil
  }

  /// A fraction as a decimal (`0.1`), a percentage (`10%`), in parts of a million.
  func fraction() -> Int? {
    guard let text = text() else { return nil }
    if let parts = Fraction.millionths(text), parts <= 1_000_000 { return parts }
    report("invalid-value", "\(quoted(text)) is no fraction; expected 0 to 1, or a percentage")
    return nil
  }
}

/// Decimal fractions without floating point.
enum Fraction {
  /// `0.25` and `25%` are 250000; nil for anything else, or past 1000.
  static func millionths(_ text: String) -> Int? {
    let isPercentage = text.hasSuffix("%")
    let digits = isPercentage ? text.dropLast() : text[...]
    let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(parts.count), parts.allSatisfy({ $0.utf8.allSatisfy { (48...57).contains($0) } })
    else {
      return nil
    }
    let whole = parts[0].isEmpty ? 0 : Int(parts[0])
    let decimals = parts.count == 2 ? String(parts[1].prefix(8)) : ""
    guard let whole, whole <= 1000, !(parts[0].isEmpty && decimals.isEmpty) else { return nil }
    let padded = decimals + String(repeating: "0", count: 8 - decimals.count)
    guard let fraction = Int(padded) else { return nil }
    let hundredMillionths = whole * 100_000_000 + fraction
    return isPercentage ? hundredMillionths / 10_000 : hundredMillionths / 100
  }
}
