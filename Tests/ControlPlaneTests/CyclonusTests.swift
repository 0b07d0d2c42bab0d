import Cluster
import ControlPlane
import Foundation
import Manifests
import MapABI
import Testing
import Wire

/// The cases of Cyclonus, and what Cilium's own policy engine says of them, where they lie beside the repository.
private struct Cyclonus: Decodable {
  struct Pod: Decodable {
    var name: String
    var namespace: String
    var ip: String
    var labels: [String: String]
  }

  struct Step: Decodable {
    enum CodingKeys: String, CodingKey {
      case namespaces, order, pods
      case policies = "policies_yaml"
    }
    var namespaces: [String: [String: String]]
    var order: [String]
    var pods: [Pod]
    var policies: String
  }

  struct Case: Decodable {
    var id: String
    var steps: [Step]
  }

  var cases: [Case]

  struct Answers: Decodable {
    struct Case: Decodable {
      struct Step: Decodable { var cilium: [String: [String]] }
      var id: String
      var steps: [Step]
    }
    var cases: [Case]
  }

  static let folder: String? = {
    var folder = URL(filePath: #filePath)
    for _ in 0..<5 {
      folder.deleteLastPathComponent()
      let candidate = folder.appending(path: "shared/conformance").path
      if FileManager.default.fileExists(atPath: candidate + "/cyclonus-cilium.json") { return candidate }
    }
    return nil
  }()

  static func read<Value: Decodable>(_ type: Value.Type, _ name: String) throws -> Value {
    let data = try #require(FileManager.default.contents(atPath: "\(folder ?? "")/\(name)"))
    return try JSONDecoder().decode(type, from: data)
  }
}

@Suite("Cyclonus against Cilium's policy engine", .enabled(if: Cyclonus.folder != nil))
struct CyclonusTests {
  private static let transports: [(name: String, transport: TransportProtocol)] = [
    ("TCP", .tcp), ("UDP", .udp), ("SCTP", .sctp),
  ]

  private func state(_ step: Cyclonus.Step) -> ClusterState {
    var state = ClusterState()
    for number in 1...3 {
      state.apply(
        .node(
          Node(
            metadata: Metadata(name: "n\(number)"), addresses: [Fixture.address("172.18.0.\(number + 1)")],
            podCIDRs: [Fixture.cidr("10.244.\(number).0/24")])))
    }
    for (name, labels) in step.namespaces {
      state.apply(
        .namespace(
          Namespace(metadata: Metadata(name: name, labels: Labels(labels.map { ($0.key, $0.value) })))))
    }
    for pod in step.pods {
      let ports = CyclonusTests.transports.flatMap { name, transport in
        [UInt16(80), 81].map {
          ContainerPort(name: "serve-\($0)-\(name.lowercased())", $0, transport)
        }
      }
      let node = pod.ip.split(separator: ".").dropFirst(2).first.map { "n\($0)" }
      var object = Fixture.pod(
        pod.name, in: pod.namespace, on: node, labels: Labels(pod.labels.map { ($0.key, $0.value) }),
        ports: ports)
      object.podIPs = [Fixture.address(pod.ip)]
      state.apply(.pod(object))
    }
    for object in ManifestReader().read(step.policies, file: "policies.yaml").objects { state.apply(object) }
    return state
  }

  /// What an endpoint's map says of a peer.
  private func isAllowed(
    _ plane: ControlPlane, _ endpoint: Endpoint, egress: Bool, peer: UInt32, _ transport: UInt8,
    _ port: UInt16
  ) -> Bool {
    guard let table = plane.policy(node: endpoint.node, endpoint: endpoint.id)?.table else { return false }
    let own = table[matching: PolicyKey(identity: peer, egress: egress, protocol: transport, port: port)]
    let all = table[matching: PolicyKey(identity: 0, egress: egress, protocol: transport, port: port)]
    let candidates = [own, all].compactMap(\.self)
    guard let best = candidates.map(\.precedence).max() else { return false }
    return candidates.contains { $0.precedence == best && $0.bits & 1 == 0 }
  }

  @Test func everyProbeIsAnsweredAsByCilium() throws {
    let suite = try Cyclonus.read(Cyclonus.self, "cyclonus.json")
    let answers = try Cyclonus.read(Cyclonus.Answers.self, "cyclonus-cilium.json")
    var probes = 0
    var mismatches: [String] = []
    for (entry, answer) in zip(suite.cases, answers.cases) {
      try #require(entry.id == answer.id)
      var plane = ControlPlane(settings: Fixture.settings(), network: Fixture.kind().network)
      for (step, expected) in zip(entry.steps, answer.steps) {
        _ = plane.reconcile(state(step))
        #expect(plane.findings.allSatisfy { $0.severity != .unmodelled })
        let endpoints = try step.order.map { name in
          let parts = name.split(separator: "/").map(String.init)
          return try #require(plane.endpoint(of: NamespacedName(namespace: parts[0], name: parts[1])))
        }
        for (probe, table) in expected.cilium.sorted(by: { $0.key < $1.key }) {
          let parts = probe.split(separator: "/").map(String.init)
          let transport = try #require(TransportProtocol(rawValue: parts[0])).number
          let port = try #require(UInt16(parts[1]))
          for (row, from) in endpoints.enumerated() {
            for (column, to) in endpoints.enumerated() {
              let wanted = Array(table[row])[column]
              guard wanted != "s" else { continue }
              probes += 1
              let leaves = isAllowed(plane, from, egress: true, peer: to.identity, transport, port)
              let enters = isAllowed(plane, to, egress: false, peer: from.identity, transport, port)
              if (leaves && enters) != (wanted == ".") {
                mismatches.append("\(entry.id) \(from.name) -> \(to.name) \(probe): wanted \(wanted)")
              }
            }
          }
        }
      }
    }
    #expect(mismatches.isEmpty, "\(mismatches.count) of \(probes): \(mismatches.prefix(5))")
    #expect(probes == 109_956)
  }
}
