public import Cluster
public import Intent
import Manifests
import Wire

/// Why a suite cannot be run.
public struct SuiteError: Error, CustomStringConvertible {
  public var file: String
  public var message: String

  public var description: String { "\(file): \(message)" }
}

/// Cases of NetworkPolicy with the expected answer to every probe: what the text of Kubernetes means, and what
/// Cilium does where that is another thing.
public struct PolicySuite: Sendable {
  public struct Case: Sendable {
    public var id: String
    public var steps: [Step]
  }

  public struct Step: Sendable {
    /// `cyclonus-001 step 1`.
    public var name: String
    public var cluster: ClusterState
    /// Rows and columns of the tables.
    public var pods: [NamespacedName]
    public var tables: [Table]
  }

  public struct Table: Sendable {
    public var transport: Transport
    /// What the Kubernetes text means, a line for each source; a pod's traffic to itself is judged too.
    public var kubernetes: [[Character]]
    /// What Cilium does; `s` where it was not asked.
    public var cilium: [[Character]]
  }

  public var cases: [Case]

  /// Reads `cyclonus.json` and `cyclonus-cilium.json` of a folder.
  public static func load(_ folder: String) throws(SuiteError) -> PolicySuite {
    let path = "\(folder)/cyclonus.json"
    let file = try readJSON(SuiteFile.self, path)
    let answers = try readJSON(AnswerFile.self, "\(folder)/cyclonus-cilium.json")
    guard file.cases.map(\.id) == answers.cases.map(\.id) else {
      throw SuiteError(file: path, message: "has other cases than cyclonus-cilium.json")
    }
    var cases: [Case] = []
    for (entry, answer) in zip(file.cases, answers.cases) {
      guard entry.steps.count == answer.steps.count else {
        throw SuiteError(file: path, message: "\(entry.id) has other steps than in cyclonus-cilium.json")
      }
      var steps: [Step] = []
      for (step, expected) in zip(entry.steps, answer.steps) {
        let name = "\(entry.id) step \(step.step)"
        steps.append(
          Step(
            name: name, cluster: try step.cluster(file: path, name), pods: step.order.map(Self.id),
            tables: try step.tables(expected.cilium, file: path, name)))
      }
      cases.append(Case(id: entry.id, steps: steps))
    }
    return PolicySuite(cases: cases)
  }

  static func id(_ name: String) -> NamespacedName {
    let parts = name.split(separator: "/").map(String.init)
    return NamespacedName(namespace: parts.first ?? "", name: parts.last ?? "")
  }
}

extension SuiteFile.Step {
  /// The cluster of a step: three nodes, pods with the addresses that they had, and the policies.
  fileprivate func cluster(file: String, _ name: String) throws(SuiteError) -> ClusterState {
    let manifests = ManifestReader().read(policies, file: name)
    if let finding = manifests.findings.first(where: { $0.severity != .warning }) {
      throw SuiteError(file: file, message: "\(finding)")
    }
    var state = ClusterState(manifests.objects)
    for number in 1...3 {
      guard let address = IPAddress("172.18.0.\(number + 1)"), let pods = CIDR("10.244.\(number).0/24") else {
        continue
      }
      state.apply(.node(Node(metadata: Metadata(name: "n\(number)"), addresses: [address], podCIDRs: [pods])))
    }
    for (namespace, labels) in namespaces {
      state.apply(
        .namespace(Namespace(metadata: Metadata(name: namespace, labels: Labels(labels.map { ($0, $1) })))))
    }
    for pod in pods {
      guard let address = IPAddress(pod.ip) else {
        throw SuiteError(file: file, message: "\(name): \"\(pod.ip)\" is no address")
      }
      state.apply(.pod(pod.object(address)))
    }
    return state
  }

  fileprivate func tables(
    _ answers: [String: [String]], file: String, _ name: String
  ) throws(SuiteError) -> [PolicySuite.Table] {
    var result: [PolicySuite.Table] = []
    for (port, table) in self.tables.sorted(by: { $0.key < $1.key }) {
      let parts = port.split(separator: "/").map(String.init)
      guard parts.count == 2, let transport = TransportProtocol(rawValue: parts[0]),
        let number = UInt16(parts[1]), let cilium = answers[port], cilium.count == order.count,
        table.combined.count == order.count,
        (table.combined + cilium).allSatisfy({ $0.count == order.count })
      else { throw SuiteError(file: file, message: "\(name): the table of \(port) has another form") }
      result.append(
        PolicySuite.Table(
          transport: Transport(transport, number), kubernetes: table.combined.map(Array.init),
          cilium: cilium.map(Array.init)))
    }
    return result
  }
}

extension SuiteFile.Step.Pod {
  /// Each pod serves 80 and 81 on every protocol, and names its ports.
  fileprivate func object(_ address: IPAddress) -> Pod {
    let ports = [UInt16(80), 81].flatMap { number in
      TransportProtocol.allCases.map { transport in
        ContainerPort(name: "serve-\(number)-\(transport.rawValue.lowercased())", number, transport)
      }
    }
    // The third octet is the node's.
    let node = ip.split(separator: ".").dropFirst(2).first.map { "n\($0)" }
    return Pod(
      metadata: Metadata(namespace: namespace, name: name, labels: Labels(labels.map { ($0, $1) })),
      spec: PodSpec(containers: [Container(name: "c", ports: ports)], nodeName: node), podIPs: [address])
  }
}
