/// What turns numbers into names in a report.
public struct ReportNames: Sendable {
  public var identities: IdentityNames
  public var endpoints: EndpointNames

  public init(identities: IdentityNames = IdentityNames(), endpoints: EndpointNames = EndpointNames()) {
    self.identities = identities
    self.endpoints = endpoints
  }
}

extension TextOutput {
  /// `62651`, `4 (health)`, `62651 (k8s:app=curl)`.
  mutating func put(identity vni: UInt32, _ names: IdentityNames) {
    put(UInt64(vni))
    guard let text = names.shortName(vni) ?? names.scope(vni) else { return }
    put(" (")
    put(escaped: text)
    put(")")
  }

  /// The pod at an address, or the address, with the port where there is one.
  mutating func put(_ address: InnerPacket.Address, port: UInt16?, _ endpoints: EndpointNames) {
    guard !endpoints.isEmpty, let endpoint = endpoints[address] else { return put(address, port: port) }
    put(escaped: endpoint.name)
    if let port {
      put(":")
      put(UInt64(port))
    }
  }
}

extension DecodeReport {
  /// What the names say about the flows that the capture contradicts: an identity that the identities file does not
  /// hold, a pod that sends with another identity than its own, an identity used by pods of different labels.
  public func contradictions(_ names: ReportNames) -> [Diagnostic] {
    var found: [Diagnostic] = []
    func note(_ text: String) { found.append(Diagnostic(kind: .contradiction, file: "", text: text)) }
    if !names.identities.isEmpty {
      for identity in identities.sorted(by: { $0.vni < $1.vni }) where identity.vni > 10 {
        if names.identities.labels[identity.vni] == nil {
          note("identity \(identity.vni) (\(identity.packets) packets) is not in the identities file")
        }
      }
    }
    guard !names.endpoints.isEmpty else { return found }
    var firstOf: [UInt32: EndpointNames.Endpoint] = [:]
    var told: Set<String> = []
    for number in 0..<flowCount {
      let flow = flow(number)
      guard let endpoint = names.endpoints[flow.source] else { continue }
      if let own = endpoint.identity, own != flow.vni, told.insert("\(endpoint.name) \(flow.vni)").inserted {
        note("\(endpoint.name) has identity \(own), but sends with VNI \(flow.vni)")
      }
      if let first = firstOf[flow.vni] {
        if first.labels != endpoint.labels, told.insert("\(first.name) \(endpoint.name)").inserted {
          note("identity \(flow.vni) is used by \(first.name) and \(endpoint.name), whose labels differ")
        }
      } else {
        firstOf[flow.vni] = endpoint
      }
    }
    return found
  }

  /// The identities that each identity had a conversation with; empty unless flows were counted.
  public func peers() -> PeerList { PeerList(self) }
}
