import Cluster
import Foundation
import Intent
import Manifests
import Testing
import Wire

/// The 256 steps of Cyclonus' generated cases, beside the repository.
///
/// Both tables are asked: the generator's own (what the Kubernetes text means) and what Cilium's policy engine
/// made of the same policies.
struct CyclonusFile: Decodable {
  struct Case: Decodable {
    var id: String
    var description: String?
    var steps: [Step]
  }

  struct Step: Decodable {
    struct PodEntry: Decodable {
      var namespace: String
      var name: String
      var ip: String
      var labels: [String: String]
    }

    struct Table: Decodable {
      var combined: [String]
      var egress: [String]
      var ingress: [String]
    }

    var step: Int
    var namespaces: [String: [String: String]]?
    var pods: [PodEntry]?
    var order: [String]?
    var policies: String?
    var tables: [String: Table]?
    var cilium: [String: [String]]?

    enum CodingKeys: String, CodingKey {
      case step, namespaces, pods, order, tables, cilium
      case policies = "policies_yaml"
    }
  }

  var cases: [Case]

  /// The first of the folders above the package that holds the file.
  static func find(_ name: String) -> URL? {
    var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    for _ in 0..<6 {
      let candidate = folder.appendingPathComponent("shared/conformance/\(name)")
      if FileManager.default.fileExists(atPath: candidate.path) { return candidate }
      folder = folder.deletingLastPathComponent()
    }
    return nil
  }

  static func read(_ name: String) throws -> CyclonusFile {
    let url = try #require(find(name))
    return try JSONDecoder().decode(CyclonusFile.self, from: Data(contentsOf: url))
  }

  static var isThere: Bool { find("cyclonus.json") != nil && find("cyclonus-cilium.json") != nil }
}

extension CyclonusFile.Step {
  /// The cluster of a step, parsed from its policies.
  func cluster() throws -> ClusterState {
    let manifests = ManifestReader().read(policies ?? "", file: "policies.yaml")
    #expect(manifests.findings.isEmpty, "\(manifests.findings)")
    var state = ClusterState(manifests.entries.map(\.object))
    for (name, labels) in namespaces ?? [:] {
      state.apply(
        .namespace(Namespace(metadata: Metadata(name: name, labels: Labels(labels.map { ($0, $1) })))))
    }
    for pod in pods ?? [] {
      let ports = [UInt16(80), 81].flatMap { number in
        TransportProtocol.allCases.map { transport in
          ContainerPort(
            name: "serve-\(number)-\(transport.rawValue.lowercased())", number, transport)
        }
      }
      state.apply(
        .pod(
          Pod(
            metadata: Metadata(
              namespace: pod.namespace, name: pod.name, labels: Labels(pod.labels.map { ($0, $1) })),
            spec: PodSpec(containers: [Container(name: "c", ports: ports)], nodeName: "n1"),
            podIPs: [try #require(IPAddress(pod.ip))])))
    }
    return state
  }

  func transport(_ table: String) throws -> Transport {
    let parts = table.split(separator: "/").map(String.init)
    let transport = try #require(TransportProtocol(rawValue: parts[0]))
    let port = parts[1].hasPrefix("serve-") ? String(parts[1].split(separator: "-")[1]) : parts[1]
    return Transport(transport, try #require(UInt16(port)))
  }
}

@Suite(.enabled(if: CyclonusFile.isThere, "needs ../shared/conformance"))
struct CyclonusTests {
  /// What Intent says of one step, as a table.
  private func table(_ intent: Intent, _ order: [String], _ transport: Transport) -> (
    egress: [String], ingress: [String], combined: [String]
  ) {
    let subjects = order.compactMap { name in
      intent.endpoints.first { $0.description == name }
    }
    let policies = subjects.map(intent.policy(of:))
    var tables = (egress: [String](), ingress: [String](), combined: [String]())
    for source in policies {
      var (egress, ingress, combined) = ("", "", "")
      for destination in policies {
        let traffic = Traffic(from: source.subject, to: destination.subject, transport)
        let verdicts = intent.verdicts(traffic, source, destination)
        egress += verdicts.egress == .allowed ? "." : "X"
        ingress += verdicts.ingress == .allowed ? "." : "X"
        combined += verdicts.egress == .allowed && verdicts.ingress == .allowed ? "." : "X"
      }
      tables.egress.append(egress)
      tables.ingress.append(ingress)
      tables.combined.append(combined)
    }
    return tables
  }

  @Test func everyProbeIsAsTheTextSays() throws {
    let options = IntentOptions(follow: .kubernetes, selfTraffic: .judged)
    var (probes, differing) = (0, [String]())
    for example in try CyclonusFile.read("cyclonus.json").cases {
      for step in example.steps {
        let intent = Intent(try step.cluster(), options: options)
        for (name, expected) in try #require(step.tables) {
          let order = try #require(step.order)
          let found = table(intent, order, try step.transport(name))
          probes += order.count * order.count
          if found.combined != expected.combined || found.egress != expected.egress
            || found.ingress != expected.ingress
          {
            differing.append("\(example.id) step \(step.step) \(name)")
          }
        }
      }
    }
    #expect(probes == 123_669)
    #expect(differing.isEmpty)
  }

  @Test func everyProbeIsAsCiliumSays() throws {
    let answers = try CyclonusFile.read("cyclonus-cilium.json").cases
    var (probes, differing) = (0, [String]())
    for (example, answer) in zip(try CyclonusFile.read("cyclonus.json").cases, answers) {
      #expect(example.id == answer.id)
      for (step, expected) in zip(example.steps, answer.steps) {
        let intent = Intent(try step.cluster(), options: IntentOptions(selfTraffic: .judged))
        for (name, rows) in try #require(expected.cilium) {
          let found = table(intent, try #require(step.order), try step.transport(name)).combined
          for (row, line) in rows.enumerated() {
            for (cell, pair) in zip(line, found[row]).enumerated() where pair.0 != "s" {
              probes += 1
              if pair.0 != pair.1 {
                differing.append("\(example.id) step \(step.step) \(name) \(row),\(cell)")
              }
            }
          }
        }
      }
    }
    #expect(probes == 109_956)
    #expect(differing.isEmpty)
  }
}
