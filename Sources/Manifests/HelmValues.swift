import Cluster
import Wire

/// Reads Helm values of Cilium's chart into settings.
///
/// Every key is looked up in the chart: one that the model reads is read, one that no packet sees is taken, one
/// that is not modelled is reported when it is set to something else than the chart's default, and one that the
/// chart does not know is an error (Helm itself would ignore it in silence).
public struct HelmValues {
  public var profile: Profile

  public init(profile: Profile = .latest) { self.profile = profile }

  /// - Parameter values: maps, later ones winning over earlier ones key by key, as `helm -f a -f b`.
  public func settings(_ values: [YAMLValue]) -> (settings: Settings, findings: [Finding]) {
    let log = FindingLog()
    var settings = Settings(profile: profile)
    let merged = values.filter { !$0.isNull }.reduce(nil as YAMLValue?) { HelmValues.merge($0, $1) }
    if let merged {
      apply(Cursor(merged, log: log), ChartTree.chart, "", &settings)
    }
    settings.settleDefaults(masqueradeGiven: merged?["enableIPv4Masquerade"].map { !$0.isNull } ?? false)
    return (settings, log.findings.sorted { $0.location < $1.location })
  }

  /// One map over another: maps are merged, anything else replaces; null takes a key back to its default.
  static func merge(_ base: YAMLValue?, _ over: YAMLValue) -> YAMLValue {
    guard let base, case .mapping(var members) = base.content, case .mapping(let changes) = over.content
    else {
      return over
    }
    for change in changes {
      if let index = members.firstIndex(where: { $0.key == change.key }) {
        members[index].value = merge(members[index].value, change.value)
        members[index].keyLocation = change.keyLocation
      } else {
        members.append(change)
      }
    }
    return YAMLValue(.mapping(members), location: over.location)
  }

  private func apply(_ cursor: Cursor, _ tree: ChartTree, _ path: String, _ settings: inout Settings) {
    guard let members = cursor.members() else { return }
    for (key, value) in members {
      guard let known = tree[key.value] else {
        let hint = suggestion(key.value, tree.names)
        cursor.report(
          "unknown-value", "unknown Helm value \(quoted(key.value)); \(hint)", at: key.location)
        continue
      }
      let path = path.isEmpty ? key.value : "\(path).\(key.value)"
      switch known {
      case .indifferent: continue
      case .group:
        if !value.value.isNull { apply(value, known, path, &settings) }
      case .value(let byDefault):
        read(value, path, byDefault, at: key.location, &settings)
      }
    }
  }

  private func read(
    _ value: Cursor, _ path: String, _ byDefault: String?, at key: SourceLocation, _ settings: inout Settings
  ) {
    if value.value.isNull { return }
    let before = settings
    let errors = value.log.errorCount
    let isModelled = settings.set(path, value)
    if isModelled, !HelmValues.withoutEffect.contains(path) || settings == before { return }
    if !isModelled, isDefault(value.value, byDefault) || value.log.errorCount > errors { return }
    value.report(
      "unmodelled-value", "this Helm value is not modelled", severity: .unmodelled, at: key)
  }

  private func isDefault(_ value: YAMLValue, _ byDefault: String?) -> Bool {
    switch value.content {
    case .null: true
    case .sequence(let items): items.isEmpty && byDefault == nil
    case .mapping(let members): members.isEmpty && byDefault == nil
    default: value.text == byDefault ?? ""
    }
  }

  /// Values that `Settings` holds, so that a run can print them, and that nothing in the model follows yet.
  static let withoutEffect: Set<String> = [
    "bandwidthManager.enabled", "bgpControlPlane.enabled", "bpf.datapathMode", "bpf.tproxy",
    "egressGateway.enabled", "encryption.enabled", "encryption.nodeEncryption", "gatewayAPI.enabled",
    "ingressController.enabled", "ipMasqAgent.enabled", "l2announcements.enabled",
    "loadBalancer.acceleration", "nat46x64Gateway.enabled", "nodeIPAM.enabled", "pmtuDiscovery.enabled",
    "underlayProtocol", "authentication.enabled",
  ]
}
