import Cluster
import Wire

extension Cursor {
  func endpointSlice(_ metadata: Metadata, _ fields: inout Fields) -> EndpointSlice? {
    let type = fields.required("addressType")?.choice(EndpointSlice.AddressType.self)
    if type == .fqdn {
      report("unmodelled-field", "slices of type FQDN are not modelled", severity: .unmodelled)
      fields.acceptUnknown()
      return nil
    }
    let endpoints = fields.optional("endpoints")?.list { $0.sliceEndpoint() } ?? []
    let ports = fields.optional("ports")?.list { $0.endpointPort(portRequired: false) } ?? []
    return type.map { EndpointSlice(metadata: metadata, addressType: $0, endpoints: endpoints, ports: ports) }
  }

  private func endpointPort(portRequired: Bool) -> EndpointPort? {
    fields { fields in
      let name = fields.optional("name")?.string() ?? ""
      let cursor = portRequired ? fields.required("port") : fields.optional("port")
      let transport = fields.optional("protocol")?.choice(TransportProtocol.self) ?? .tcp
      fields.ignore(["appProtocol"])
      if portRequired, cursor == nil { return nil }
      return EndpointPort(name: name, cursor?.port(), transport, location: fields.location)
    }
  }

  private func sliceEndpoint() -> SliceEndpoint? {
    fields { fields in
      let addresses = fields.required("addresses")?.list { $0.address() }
      var endpoint = SliceEndpoint(addresses: addresses ?? [], location: fields.location)
      _ = fields.optional("conditions")?.fields { conditions -> Bool? in
        endpoint.isReady = conditions.optional("ready")?.bool() ?? true
        endpoint.isServing = conditions.optional("serving")?.bool() ?? endpoint.isReady
        endpoint.isTerminating = conditions.optional("terminating")?.bool() ?? false
        return true
      }
      endpoint.nodeName = fields.optional("nodeName")?.string()
      endpoint.zone = fields.optional("zone")?.string()
      endpoint.target = fields.optional("targetRef")?.targetPod()
      endpoint.hintedZones = fields.optional("hints")?.fields { hints in
        hints.unmodelled(["forNodes"])
        return hints.optional("forZones")?.list { zone in
          zone.fields { $0.required("name")?.string() }
        }
      }
      fields.ignore(["hostname", "deprecatedTopology"])
      return addresses == nil ? nil : endpoint
    }
  }

  private func targetPod() -> NamespacedName? {
    fields { fields in
      let kind = fields.optional("kind")?.string()
      let namespace = fields.optional("namespace")?.string() ?? "default"
      let name = fields.optional("name")?.string()
      fields.ignore(["apiVersion", "fieldPath", "resourceVersion", "uid"])
      guard kind == "Pod", let name else { return nil }
      return NamespacedName(namespace: namespace, name: name)
    }
  }

  func endpoints(_ metadata: Metadata, _ fields: inout Fields) -> Endpoints? {
    let subsets: [Endpoints.Subset]? =
      fields.optional("subsets")?.list { subset in
        subset.fields { fields -> Endpoints.Subset? in
          let ready = fields.optional("addresses")?.list { $0.oldAddress(isReady: true) } ?? []
          let notReady = fields.optional("notReadyAddresses")?.list { $0.oldAddress(isReady: false) } ?? []
          let ports = fields.optional("ports")?.list { $0.endpointPort(portRequired: true) } ?? []
          return Endpoints.Subset(addresses: ready + notReady, ports: ports)
        }
      }
    return Endpoints(metadata: metadata, subsets: subsets ?? [])
  }

  private func oldAddress(isReady: Bool) -> SliceEndpoint? {
    fields { fields in
      let address = fields.required("ip")?.address()
      let node = fields.optional("nodeName")?.string()
      let target = fields.optional("targetRef")?.targetPod()
      fields.ignore(["hostname"])
      return address.map {
        SliceEndpoint(
          addresses: [$0], isReady: isReady, nodeName: node, target: target, location: fields.location)
      }
    }
  }
}
