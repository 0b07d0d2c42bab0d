import Cluster
import Wire

/// What the port names of one or more pods mean.
struct NamedPorts: Hashable, Sendable {
  private struct Name: Hashable, Sendable {
    let name: String
    let transport: TransportProtocol
  }

  /// Nil for a name that stands for several ports.
  private var ports: [Name: UInt16?] = [:]

  init() {}

  init(_ declared: [ContainerPort]) { add(declared) }

  /// Takes up a pod's ports; of two in one pod with the same name, the last counts.
  mutating func add(_ declared: [ContainerPort]) {
    var own: [Name: UInt16] = [:]
    for port in declared {
      guard let name = port.name else { continue }
      own[Name(name: name, transport: port.transport)] = port.number
    }
    for (name, number) in own {
      if let known = ports[name] {
        if known != number { ports.updateValue(nil, forKey: name) }
      } else {
        ports[name] = number
      }
    }
  }

  func port(_ name: String, _ transport: TransportProtocol) -> UInt16? {
    ports[Name(name: name, transport: transport)] ?? nil
  }

  static func byIdentity(_ endpoints: [Subject], _ identities: IdentityRules) -> [Identity: NamedPorts] {
    var result: [Identity: NamedPorts] = [:]
    for subject in endpoints where subject.kind == .pod && subject.ports.contains(where: { $0.name != nil }) {
      let identity = identities.identity(of: subject, seenFrom: subject.node, .ipv4)
      result[identity, default: NamedPorts()].add(subject.ports)
    }
    return result
  }
}
