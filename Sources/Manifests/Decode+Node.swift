import Cluster
import Wire

extension Cursor {
  func node(_ metadata: Metadata, _ fields: inout Fields) -> Node? {
    var node = Node(metadata: metadata)
    _ = fields.optional("spec")?.fields { spec -> Bool? in
      let one = spec.optional("podCIDR")?.cidr()
      let several: [CIDR]? = spec.optional("podCIDRs")?.list { $0.cidr() }
      node.podCIDRs = several ?? [one].compactMap(\.self)
      node.taints = spec.optional("taints")?.list { $0.taint() } ?? []
      spec.ignore(["configSource", "externalID", "providerID", "unschedulable"])
      return true
    }
    _ = fields.optional("status")?.fields { status -> Bool? in
      status.acceptUnknown()
      node.addresses = status.optional("addresses")?.list { $0.internalAddress() } ?? []
      if let pods = status.optional("allocatable")?.podCount() ?? status.optional("capacity")?.podCount() {
        node.podLimit = pods
      }
      return true
    }
    return node
  }

  private func taint() -> Node.Taint? {
    fields { fields in
      let key = fields.required("key")?.nonEmptyString()
      let value = fields.optional("value")?.string() ?? ""
      let effect = fields.required("effect")?.choice(Node.Taint.Effect.self)
      fields.ignore(["timeAdded"])
      guard let key, let effect else { return nil }
      return Node.Taint(key: key, value: value, effect: effect)
    }
  }

  private func internalAddress() -> IPAddress? {
    guard value["type"]?.content == .string("InternalIP") else { return nil }
    return fields { fields in
      fields.ignore(["type"])
      return fields.required("address")?.address()
    }
  }

  /// A quantity: `110` or `"110"`.
  private func podCount() -> Int? {
    fields { fields in
      fields.acceptUnknown()
      return fields.optional("pods")?.text().flatMap { Int($0) }
    }
  }
}
