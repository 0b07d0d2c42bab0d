import Cluster
public import Manifests
import Wire

/// Reads a scenario file and everything that it names; paths are relative to the file.
public struct ScenarioLoader {
  private let base: String
  /// The scenario file's own.
  private let lines: [Substring]
  private let log = FindingLog()

  private init(base: String, lines: [Substring]) {
    self.base = base
    self.lines = lines
  }

  /// - Parameter steps: a list that stands in place of the file's own steps.
  /// - Returns: the scenario, or nil when anything in it is in error; and all findings, in order of the files.
  public static func load(
    _ path: String, steps: YAMLValue? = nil
  ) -> (scenario: LoadedScenario?, findings: [Finding]) {
    do {
      return load(text: try readText(path), file: path, steps: steps)
    } catch {
      return (nil, [error.finding])
    }
  }

  /// The same for a text that stands, or would stand, at `file`.
  public static func load(
    text: String, file: String, steps: YAMLValue? = nil
  ) -> (scenario: LoadedScenario?, findings: [Finding]) {
    let (scenario, findings) = ScenarioReader(file: file).read(text, steps: steps)
    guard let scenario else { return (nil, findings) }
    return load(
      scenario, findings, lines: text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline))
  }

  /// The same for a scenario that no file holds: its paths are relative to the folder of `scenario.file`.
  public static func load(_ scenario: ScenarioFile) -> (scenario: LoadedScenario?, findings: [Finding]) {
    load(scenario, [], lines: [])
  }

  private static func load(
    _ scenario: ScenarioFile, _ findings: [Finding], lines: [Substring]
  ) -> (scenario: LoadedScenario?, findings: [Finding]) {
    let file = scenario.file
    let folder = file.lastIndex(of: "/").map { String(file[..<$0]) } ?? ""
    let loader = ScenarioLoader(
      base: file.hasPrefix("/") && folder.isEmpty ? "/" : folder, lines: lines)
    loader.log.add(findings)
    let loaded = loader.load(scenario)
    return (loader.log.errorCount == 0 ? loaded : nil, loader.log.findings)
  }

  private func load(_ scenario: ScenarioFile) -> LoadedScenario {
    let reader = ManifestReader(profile: scenario.cilium.profile)
    let values = values(scenario.cilium.values)
    let shared = manifests(scenario.manifests, reader)
    let plans = scenario.clusters.isEmpty ? [ClusterPlan(location: fileStart(scenario))] : scenario.clusters
    var clusters: [LoadedScenario.LoadedCluster] = []
    for plan in plans {
      var own = manifests(plan.manifests, reader)
      if !shared.entries.isEmpty || !shared.kindConfigurations.isEmpty {
        var all = shared
        all.append(own)
        own = all
      }
      log.add(ManifestReader.duplicates(in: own.objects))
      clusters.append(cluster(plan, values + self.values(plan.values), own, scenario))
    }
    reportEqualClusters(clusters, scenario)
    var loaded = LoadedScenario(scenario: scenario, clusters: clusters)
    loadSteps(&loaded, reader, values)
    return loaded
  }

  private func fileStart(_ scenario: ScenarioFile) -> SourceLocation {
    SourceLocation(file: scenario.file, line: 1, column: 1)
  }

  // MARK: Files

  private func error(_ id: String, at location: SourceLocation, _ message: String) {
    log.add(Finding(id: id, severity: .error, at: location, message))
  }

  private func files(_ pattern: Located<String>) -> [String] {
    let files = Glob(base: base).files(pattern.value)
    if files.isEmpty {
      error("unreadable-file", at: pattern.location, "no file matches \(quoted(pattern.value))")
    }
    return files
  }

  private func text(_ file: String, for pattern: Located<String>) -> String? {
    do {
      return try readText(file)
    } catch {
      self.error("unreadable-file", at: pattern.location, "\(error)")
      return nil
    }
  }

  private func manifests(_ patterns: [Located<String>], _ reader: ManifestReader) -> ManifestSet {
    let result = read(patterns, reader)
    log.add(result.findings)
    return result
  }

  /// Each file once, however many patterns name it; findings stay in the result.
  private func read(_ patterns: [Located<String>], _ reader: ManifestReader) -> ManifestSet {
    var result = ManifestSet()
    var seen: Set<String> = []
    for pattern in patterns {
      for file in files(pattern) where seen.insert(file).inserted {
        if let text = text(file, for: pattern) { result.append(reader.read(text, file: file)) }
      }
    }
    return result
  }

  private func values(_ list: [CiliumInstallation.Values]) -> [YAMLValue] {
    var result: [YAMLValue] = []
    for item in list {
      switch item {
      case .inline(let value): result.append(value)
      case .file(let pattern):
        for file in files(pattern) {
          guard let text = text(file, for: pattern) else { continue }
          do {
            result += try YAMLReader(file: file).documents(text)
          } catch {
            log.add(error.finding)
          }
        }
      }
    }
    return result
  }

  // MARK: Clusters

  private func cluster(
    _ plan: ClusterPlan, _ values: [YAMLValue], _ manifests: ManifestSet, _ scenario: ScenarioFile
  ) -> LoadedScenario.LoadedCluster {
    let (settings, findings) = settings(values, plan, scenario)
    log.add(findings)
    let kind = plan.kindFile.flatMap { kindConfiguration($0) } ?? manifests.kindConfigurations.first
    var families = kind?.families ?? []
    if families.isEmpty {
      families = [settings.ipv4Enabled ? .ipv4 : nil, settings.ipv6Enabled ? .ipv6 : nil].compactMap(\.self)
    }
    let network = network(plan, kind, families)
    let state = state(plan, kind, manifests, network, families)
    if state.nodes.isEmpty {
      error(
        "no-nodes", at: plan.location,
        "the cluster has no nodes; expected cluster.nodes, a kind file, or Node objects among the manifests")
    }
    return .init(settings: settings, network: network, state: state, manifests: manifests)
  }

  private func settings(
    _ values: [YAMLValue], _ plan: ClusterPlan, _ scenario: ScenarioFile
  ) -> (Settings, [Finding]) {
    var (settings, findings) = HelmValues(profile: scenario.cilium.profile).settings(values)
    if let name = plan.name { settings.clusterName = name }
    if let id = plan.id { settings.clusterID = id }
    return (settings, findings)
  }

  private func kindConfiguration(_ file: Located<String>) -> KindConfiguration? {
    let result = manifests([file], ManifestReader())
    if result.kindConfigurations.count != 1, !result.hasErrors, log.errorCount == 0 {
      error(
        "invalid-value", at: file.location,
        "\(quoted(file.value)) holds \(result.kindConfigurations.count) kind clusters; expected one")
    }
    return result.kindConfigurations.first
  }

  private func network(
    _ plan: ClusterPlan, _ kind: KindConfiguration?, _ families: [AddressFamily]
  ) -> ClusterNetwork {
    func defaults(_ v4: [CIDR], _ v6: [CIDR]) -> [CIDR] { families.flatMap { $0 == .ipv4 ? v4 : v6 } }
    var network =
      kind?.network
      ?? ClusterNetwork(
        podCIDRs: defaults(ClusterNetwork.kindPodCIDRs, ClusterNetwork.kindPodCIDRsIPv6),
        serviceCIDRs: defaults(ClusterNetwork.kindServiceCIDRs, ClusterNetwork.kindServiceCIDRsIPv6))
    if !plan.podCIDRs.isEmpty { network.podCIDRs = plan.podCIDRs }
    if !plan.serviceCIDRs.isEmpty { network.serviceCIDRs = plan.serviceCIDRs }
    if !plan.subnets.isEmpty { network.subnets = plan.subnets }
    if let mtu = plan.mtu { network.mtu = mtu }
    return network
  }

  private func state(
    _ plan: ClusterPlan, _ kind: KindConfiguration?, _ manifests: ManifestSet, _ network: ClusterNetwork,
    _ families: [AddressFamily]
  ) -> ClusterState {
    var state = ClusterState(manifests.objects)
    // In the order of the file, which addresses follow; nodes that only manifests know come after, by name.
    var nodes = plan.nodes.isEmpty ? unaddressed(kind?.nodes ?? []) : plan.nodes
    for node in state.nodes {
      if let index = nodes.firstIndex(where: { $0.name == node.name }) {
        let own = nodes[index]
        nodes[index] = node
        if node.addresses.isEmpty { nodes[index].addresses = own.addresses }
        if node.podCIDRs.isEmpty { nodes[index].podCIDRs = own.podCIDRs }
        nodes[index].metadata.labels = own.labels.merging(node.labels)
      } else {
        nodes.append(node)
      }
    }
    network.assignAddresses(to: &nodes, families: families)
    for var node in nodes {
      if node.labels[Node.hostnameLabel] == nil { node.metadata.labels[Node.hostnameLabel] = node.name }
      if node.addresses.isEmpty {
        error(
          "no-address", at: node.location,
          "no subnet of the underlay has an address left for node \(node.name)")
      }
      state.apply(.node(node))
    }
    return state
  }

  /// kind's own addresses come from the docker network; a scenario's underlay may say otherwise.
  private func unaddressed(_ nodes: [Node]) -> [Node] {
    nodes.map { node in
      var node = node
      node.addresses = []
      return node
    }
  }

  private func reportEqualClusters(_ clusters: [LoadedScenario.LoadedCluster], _ scenario: ScenarioFile) {
    guard clusters.count > 1 else { return }
    for (index, cluster) in clusters.enumerated() {
      for other in clusters[..<index]
      where other.settings.clusterID == cluster.settings.clusterID
        || other.settings.clusterName == cluster.settings.clusterName
      {
        error(
          "duplicate-name", at: scenario.clusters[index].location,
          "meshed clusters need names and ids of their own; \(cluster.settings.clusterName)"
            + " (id \(cluster.settings.clusterID)) is taken")
        break
      }
    }
  }

  // MARK: Steps

  private func loadSteps(_ loaded: inout LoadedScenario, _ reader: ManifestReader, _ values: [YAMLValue]) {
    var values = values
    for (index, step) in loaded.scenario.steps.enumerated() {
      switch step.verb {
      case .apply(let source), .delete(.manifests(let source)):
        let manifests = manifests(of: source, reader)
        loaded.stepManifests[index] = manifests
        // A step that expects findings has them; they are no error of the scenario then.
        if step.expect?.lint == nil { log.add(manifests.findings) }
      case .config(let changes):
        values += self.values(changes)
        let plan = loaded.scenario.clusters.first ?? ClusterPlan()
        let (settings, findings) = settings(values, plan, loaded.scenario)
        loaded.stepSettings[index] = settings
        let known = Set(log.findings)
        log.add(findings.filter { !known.contains($0) })
      default: break
      }
    }
  }

  private func manifests(of source: ManifestSource, _ reader: ManifestReader) -> ManifestSet {
    var result = read(source.files, reader)
    for inline in source.inline {
      result.append(read(inline: inline, reader))
    }
    result.findings += ManifestReader.duplicates(in: result.objects).filter { !result.findings.contains($0) }
    return result
  }

  /// Text inside the scenario: places count as in the scenario file.
  private func read(inline: Located<String>, _ reader: ManifestReader) -> ManifestSet {
    reader.read(inline.value, file: inline.location.file, offset: offset(of: inline))
  }

  /// A block (`|`) begins in the line after its mark, as far in as its first line is.
  private func offset(of inline: Located<String>) -> YAMLReader.Offset {
    let line = inline.location.line
    guard inline.value.contains("\n"), line > 0, line <= lines.count else {
      return .init(lines: line - 1, columns: inline.location.column - 1)
    }
    func indentation(_ text: Substring) -> Int { text.prefix { $0 == " " }.count }
    func isWritten(_ text: Substring) -> Bool { text.contains { $0 != " " } }
    let written = lines[line...].first(where: isWritten).map(indentation) ?? 0
    let own = inline.value.split(separator: "\n").first(where: isWritten).map(indentation) ?? 0
    return .init(lines: line, columns: max(0, written - own))
  }
}
