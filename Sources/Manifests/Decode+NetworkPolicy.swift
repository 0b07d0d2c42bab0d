import Cluster
import Wire

extension Cursor {
  func networkPolicy(_ metadata: Metadata, _ fields: inout Fields) -> NetworkPolicy? {
    fields.ignore(["status"])
    return fields.required("spec")?.fields { spec in
      let selector = spec.optional("podSelector")?.selector()
      let types = spec.optional("policyTypes")?.list { $0.choice(PolicyDirection.self) }
      let ingress = spec.optional("ingress")?.list { $0.networkPolicyRule(peers: "from") }
      let egress = spec.optional("egress")?.list { $0.networkPolicyRule(peers: "to") }
      return NetworkPolicy(
        metadata: metadata, podSelector: selector ?? LabelSelector(location: spec.location),
        policyTypes: types, ingress: ingress, egress: egress)
    }
  }

  private func networkPolicyRule(peers key: String) -> NetworkPolicyRule? {
    fields { fields in
      let peers = fields.optional(key)?.list { $0.networkPolicyPeer() }
      let ports = fields.optional("ports")?.list { $0.networkPolicyPort() }
      return NetworkPolicyRule(peers: peers, ports: ports, location: fields.location)
    }
  }

  private func networkPolicyPeer() -> NetworkPolicyPeer? {
    fields { fields in
      let pods = fields.optional("podSelector")?.selector()
      let namespaces = fields.optional("namespaceSelector")?.selector()
      let block = fields.optional("ipBlock")?.ipBlock()
      let peer = NetworkPolicyPeer(
        podSelector: pods, namespaceSelector: namespaces, ipBlock: block, location: fields.location)
      if block != nil, pods != nil || namespaces != nil {
        report("conflict", "ipBlock may not stand beside a podSelector or namespaceSelector")
      } else if fields.keys.isEmpty {
        report("missing-field", "a peer must have a podSelector, a namespaceSelector or an ipBlock")
      }
      return peer
    }
  }

  private func ipBlock() -> NetworkPolicyPeer.IPBlock? {
    fields { fields in
      let cidr = fields.required("cidr")?.cidr()
      let except =
        fields.optional("except")?.list { item -> CIDR? in
          guard let inner = item.cidr(), let cidr else { return nil }
          // The API server asks for a strict subset, host bits included.
          if !cidr.contains(inner) || inner.prefixLength <= cidr.prefixLength {
            item.report("invalid-value", "\(inner) is no strict part of \(cidr)")
          }
          return inner
        } ?? []
      return cidr.map { NetworkPolicyPeer.IPBlock(cidr: $0, except: except) }
    }
  }

  private func networkPolicyPort() -> NetworkPolicyPort? {
    fields { fields in
      let transport = fields.optional("protocol")?.choice(TransportProtocol.self) ?? .tcp
      let port = fields.optional("port")?.portReference()
      let endCursor = fields.optional("endPort")
      let end = endCursor?.port()
      switch (port, end) {
      case (.number(let first), let last?) where last < first:
        endCursor?.report("invalid-value", "endPort \(last) is below port \(first)")
      case (.name, .some): endCursor?.report("conflict", "endPort cannot stand beside a named port")
      case (nil, .some): endCursor?.report("missing-field", "endPort needs a port")
      default: break
      }
      return NetworkPolicyPort(port, transport, endPort: end, location: fields.location)
    }
  }
}
