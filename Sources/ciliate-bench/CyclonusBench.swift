import Cluster
import ControlPlane
import Datapath
import Foundation
import Intent
import Manifests
import MapABI
import Wire

/// The cases of Cyclonus through Intent and the model: from the policies' YAML to the verdict of every probe.
struct CyclonusBench {
  private struct Suite: Decodable {
    struct Case: Decodable { var steps: [Step] }
    struct Step: Decodable {
      enum CodingKeys: String, CodingKey {
        case namespaces, order, pods, tables
        case policies = "policies_yaml"
      }
      var namespaces: [String: [String: String]]
      var order: [String]
      var pods: [PodEntry]
      var policies: String
      var tables: [String: Table]
    }
    struct PodEntry: Decodable {
      var name: String
      var namespace: String
      var ip: String
      var labels: [String: String]
    }
    struct Table: Decodable { var combined: [String] }
    var cases: [Case]
  }

  let folder: String

  func run() throws {
    guard let data = FileManager.default.contents(atPath: "\(folder)/cyclonus.json") else {
      return print("policy: no cyclonus.json in \(folder): not measured")
    }
    let suite = try JSONDecoder().decode(Suite.self, from: data)
    var spent = (read: 0.0, intent: 0.0, render: 0.0, model: 0.0)
    var probes = 0
    var differing = 0
    for entry in suite.cases {
      var plane = ControlPlane(settings: Self.settings, network: Self.kind.network)
      for step in entry.steps {
        let (read, state) = Stopwatch.seconds { Self.state(step) }
        let asked = step.tables.keys.sorted().compactMap(Self.transport)
        let (intended, oracle) = Stopwatch.seconds { Self.ask(state, step.order, asked) }
        let (rendered, world) = Stopwatch.seconds { World(&plane, state, step.order) }
        let (modelled, found) = try Stopwatch.seconds { try world.answers(asked) }
        spent = (
          spent.read + read, spent.intent + intended, spent.render + rendered, spent.model + modelled
        )
        probes += found.count
        differing += zip(oracle, found).count { $0 != $1 }
      }
    }
    print(
      "policy: \(suite.cases.count) Cyclonus cases, \(probes) probes; Intent and model differ in \(differing)"
    )
    for (name, seconds) in [
      ("reading the policies", spent.read), ("Intent", spent.intent), ("rendering", spent.render),
      ("model", spent.model),
    ] {
      print("policy:   \(name): \(Int(seconds * 1000)) ms")
    }
    let total = spent.read + spent.intent + spent.render + spent.model
    print(Claim("policy: Cyclonus through Intent and model, s", total, atMost: 2))
  }

  private static let kind = KindConfiguration(
    machines: [.init(role: .controlPlane), .init(role: .worker), .init(role: .worker)], kubeProxy: false)

  private static let settings: Settings = {
    var settings = Settings()
    settings.clusterName = "kind-kind"
    settings.ipam.mode = .kubernetes
    settings.features.sctp = true
    return settings
  }()

  private static func transport(_ table: String) -> Transport? {
    let parts = table.split(separator: "/").map(String.init)
    guard parts.count == 2, let name = TransportProtocol(rawValue: parts[0]) else { return nil }
    let port = parts[1].hasPrefix("serve-") ? String(parts[1].split(separator: "-")[1]) : parts[1]
    return UInt16(port).map { Transport(name, $0) }
  }

  private static func state(_ step: Suite.Step) -> ClusterState {
    var state = ClusterState(kind.nodes.map(ClusterObject.node))
    for (name, labels) in step.namespaces.sorted(by: { $0.key < $1.key }) {
      let labels = Labels(labels.map { ($0.key, $0.value) })
      state.apply(.namespace(Namespace(metadata: Metadata(name: name, labels: labels))))
    }
    let nodes = state.nodes.map(\.name)
    for (index, pod) in step.pods.enumerated() {
      let ports = TransportProtocol.allCases.flatMap { transport in
        [UInt16(80), 81].map {
          ContainerPort(name: "serve-\($0)-\(transport.rawValue.lowercased())", $0, transport)
        }
      }
      state.apply(
        .pod(
          Pod(
            metadata: Metadata(
              namespace: pod.namespace, name: pod.name, labels: Labels(pod.labels.map { ($0.key, $0.value) })),
            spec: PodSpec(
              containers: [Container(name: "c", ports: ports)], nodeName: nodes[index % nodes.count]))))
    }
    for object in ManifestReader().read(step.policies, file: "policies.yaml").objects { state.apply(object) }
    return state
  }

  private static func ask(_ state: ClusterState, _ order: [String], _ asked: [Transport]) -> [Bool] {
    let intent = Intent(state, settings: settings)
    let subjects = order.compactMap { name in intent.endpoints.first { $0.description == name } }
    let policies = subjects.map(intent.policy(of:))
    var answers: [Bool] = []
    for transport in asked {
      for source in policies {
        for destination in policies where destination.subject.id != source.subject.id {
          let verdicts = intent.verdicts(
            Traffic(from: source.subject, to: destination.subject, transport), source, destination)
          answers.append(verdicts.egress == .allowed && verdicts.ingress == .allowed)
        }
      }
    }
    return answers
  }
}

/// The nodes of a step with what their agents rendered.
private struct World {
  private var nodes: [String: Int] = [:]
  private var states: [NodeBox] = []
  private var endpoints: [Endpoint] = []

  /// A state that may lie in an array.
  private final class NodeBox {
    let state: NodeState
    let overlay: Attachment?
    init(_ image: MapImage) {
      state = NodeState(image)
      overlay = image.attachments.first { $0.hook == .fromOverlay }
    }
  }

  init(_ plane: inout ControlPlane, _ state: ClusterState, _ order: [String]) {
    _ = plane.reconcile(state)
    for node in plane.nodes {
      guard let image = plane.image(of: node.name) else { continue }
      nodes[node.name] = states.count
      states.append(NodeBox(image))
    }
    for name in order {
      let parts = name.split(separator: "/").map(String.init)
      if parts.count == 2, let found = plane.endpoint(of: NamespacedName(namespace: parts[0], name: parts[1]))
      {
        endpoints.append(found)
      }
    }
  }

  func answers(_ asked: [Transport]) throws -> [Bool] {
    var answers: [Bool] = []
    for transport in asked {
      for source in endpoints {
        for destination in endpoints where destination.id != source.id || destination.node != source.node {
          answers.append(try arrives(source, destination, transport))
        }
      }
    }
    return answers
  }

  /// Whether the first packet of a conversation reaches the destination's device.
  private func arrives(_ source: Endpoint, _ destination: Endpoint, _ transport: Transport) throws -> Bool {
    guard let from = nodes[source.node], let to = nodes[destination.node],
      let attachment = states[from].state.image.attachment(.fromContainer, ifindex: source.device.ifindex)
    else { return false }
    let environment = Environment(ktime: 1_000_000_000_000, random: 7)
    let ifindex = source.device.ifindex
    let input = HookInput(
      .skb(
        SocketBuffer(
          frame: Self.frame(source, destination, transport), ifindex: ifindex, ingressIfindex: ifindex)),
      environment: environment)
    let first = try Model().run(attachment, on: input, state: states[from].state)
    guard case .redirect(let target?) = first.verdict else { return false }
    if target.ifindex == destination.device.ifindex, from == to { return true }
    guard case .skb(let buffer) = first.subject, let key = buffer.tunnelKey, let overlay = states[to].overlay
    else { return false }
    let arrived = SocketBuffer(
      frame: buffer.frame, ifindex: overlay.ifindex, ingressIfindex: overlay.ifindex, tunnelKey: key)
    let second = try Model().run(
      overlay, on: HookInput(.skb(arrived), environment: environment), state: states[to].state)
    guard case .redirect(let target?) = second.verdict else { return false }
    return target.ifindex == destination.device.ifindex
  }

  private static func frame(_ source: Endpoint, _ destination: Endpoint, _ transport: Transport) -> [UInt8] {
    var frame = source.device.mac.octets + source.containerMAC.octets + [8, 0]
    let port: UInt16
    switch transport {
    case .tcp(let number), .udp(let number), .sctp(let number): port = number
    default: port = 0
    }
    frame += [0x45, 0, 0, 40, 0, 0, 0x40, 0, 64, transport.number(.ipv4), 0, 0]
    frame += source.addresses[0].octets + destination.addresses[0].octets
    frame += [0x9c, 0x40, UInt8(port >> 8), UInt8(port & 255), 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 0xff, 0xff]
    return frame + [0, 0, 0, 0]
  }
}
