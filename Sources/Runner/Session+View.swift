import Cluster
import ControlPlane
import Datapath
import MapABI
import Scenario
import Simulator
import Views
import Wire

extension Session where Observer: ~Copyable {
  /// Shows a view of a node's state, and compares it with the text that was expected; blanks at the ends of lines
  /// do not count.
  func show(
    _ request: ViewRequest, _ expect: Expectation?, _ outcome: inout StepOutcome, _ judge: inout Judge
  ) throws(StepError) {
    let (view, input) = try resolve(request.name.split(separator: " ").map(String.init), node: request.node)
    let text = view.text(of: input)
    outcome.got.text = text
    guard let wanted = expect?.view else { return }
    judge.expect("view", wanted.value)
    let seen = Self.lines(text)
    for (number, line) in Self.lines(wanted.value).enumerated()
    where number >= seen.count || seen[number] != line {
      let got = number < seen.count ? "\"\(seen[number])\"" : "nothing"
      return judge.fail("view: line \(number + 1): expected \"\(line)\", got \(got)")
    }
    if seen.count > Self.lines(wanted.value).count {
      judge.fail("view: \(seen.count - Self.lines(wanted.value).count) more lines than expected")
    }
  }

  /// A view by the words of its command, and what it is to show.
  func resolve(_ words: [String], node: String?) throws(StepError) -> (View, ViewInput) {
    let view: View
    do throws(UnknownView) {
      view = try View.resolve(words)
    } catch {
      throw StepError("\(error)")
    }
    guard let name = node ?? (nodeOrder.count == 1 ? nodeOrder.first : nil) else {
      throw StepError(
        "the view \(words.joined(separator: " ")) needs a node: one of \(nodeOrder.joined(separator: ", "))")
    }
    guard let index = network.nodeIndex(named: name), let info = controlPlane.node(name) else {
      throw StepError("there is no node \(name); expected one of \(nodeOrder.joined(separator: ", "))")
    }
    return (view, input(info, network.withState(ofNode: index) { $0.maps }))
  }

  /// Lines without the blanks at their ends, and without empty lines at the end of the text.
  private static func lines(_ text: String) -> [String] {
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      var line = line
      while line.last == " " { line.removeLast() }
      return String(line)
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    return lines
  }

  private func input(_ info: NodeInfo, _ maps: NodeMaps) -> ViewInput {
    var labels: [UInt32: [String]] = [:]
    for identity in controlPlane.identities {
      labels[identity.number] = identity.labels.labels.map(\.description)
    }
    return ViewInput(
      maps: maps, names: IdentityNames(labels),
      identities: controlPlane.identities.map {
        IdentityRow(
          number: $0.number, labels: $0.labels.labels.map(\.description), references: $0.references)
      },
      endpoints: controlPlane.endpoints.filter { $0.node == info.name }.map { row($0, info) },
      addresses: [], nodes: controlPlane.nodes.map { row($0) },
      clock: .monotonic(seconds: network.clock.ktime / 1_000_000_000), ipv4: controlPlane.options.ipv4,
      ipv6: controlPlane.options.ipv6)
  }

  private func row(_ endpoint: Endpoint, _ info: NodeInfo) -> EndpointRow {
    let policy = controlPlane.policy(node: info.name, endpoint: endpoint.id)
    func enforcement(_ isOn: Bool?) -> EndpointRow.Enforcement {
      guard isOn == true else { return .disabled }
      return settings.policy.auditMode ? .audited : .enabled
    }
    return EndpointRow(
      id: endpoint.id, ingress: enforcement(policy?.enforcesIngress),
      egress: enforcement(policy?.enforcesEgress),
      identity: endpoint.identity, labels: endpoint.labels.labels.map(\.description),
      ipv6: endpoint.address(.ipv6)?.v6, ipv4: endpoint.address(.ipv4)?.v4, state: "ready")
  }

  private func row(_ info: NodeInfo) -> NodeRow {
    NodeRow(
      name: "\(settings.clusterName)/\(info.name)", ipv4: info.address(.ipv4)?.v4,
      ipv4Range: info.podCIDRs.first { $0.family == .ipv4 }, ipv6: info.address(.ipv6)?.v6,
      ipv6Range: info.podCIDRs.first { $0.family == .ipv6 }, source: "custom-resource")
  }
}
