import Cluster
import Wire

extension Cursor {
  func service(_ metadata: Metadata, _ fields: inout Fields) -> Service? {
    var service = Service(metadata: metadata)
    let status = fields.optional("status")
    let isRead: Bool? = fields.required("spec")?.fields { spec in
      service.type = spec.optional("type")?.choice(Service.Kind.self) ?? .clusterIP
      service.selector = spec.optional("selector")?.labels()
      service.ports = spec.optional("ports")?.list { $0.servicePort() } ?? []
      spec.clusterAddresses(of: &service)
      service.ipFamilies = spec.optional("ipFamilies")?.list { $0.addressFamily() } ?? []
      service.ipFamilyPolicy = spec.optional("ipFamilyPolicy")?.choice(Service.IPFamilyPolicy.self)
      spec.sessionAffinity(of: &service)
      service.internalTrafficPolicy =
        spec.optional("internalTrafficPolicy")?.choice(Service.TrafficPolicy.self) ?? .cluster
      service.externalTrafficPolicy =
        spec.optional("externalTrafficPolicy")?.choice(Service.TrafficPolicy.self) ?? .cluster
      service.trafficDistribution =
        spec.optional("trafficDistribution")?.choice(Service.TrafficDistribution.self)
      service.healthCheckNodePort = spec.optional("healthCheckNodePort")?.port()
      service.publishNotReadyAddresses = spec.optional("publishNotReadyAddresses")?.bool() ?? false
      service.externalIPs = spec.optional("externalIPs")?.list { $0.address() } ?? []
      service.externalName = spec.optional("externalName")?.string()
      service.loadBalancerClass = spec.optional("loadBalancerClass")?.string()
      service.loadBalancerIP = spec.optional("loadBalancerIP").flatMap { cursor in
        cursor.value.content == .string("") ? nil : cursor.address()
      }
      service.loadBalancerSourceRanges = spec.optional("loadBalancerSourceRanges")?.list { $0.cidr() } ?? []
      service.allocateLoadBalancerNodePorts = spec.optional("allocateLoadBalancerNodePorts")?.bool() ?? true
      checkPorts(of: service, spec)
      return true
    }
    if let status { service.loadBalancerIngress = status.loadBalancerIngress() }
    return isRead == nil ? nil : service
  }

  func addressFamily() -> AddressFamily? {
    enum Family: String, CaseIterable {
      case ipv4 = "IPv4"
      case ipv6 = "IPv6"
    }
    return choice(Family.self).map { $0 == .ipv4 ? .ipv4 : .ipv6 }
  }

  private func servicePort() -> ServicePort? {
    fields { fields in
      let nameCursor = fields.optional("name")
      let name = nameCursor?.string() ?? ""
      let port = fields.required("port")?.port()
      let target = fields.optional("targetPort")?.targetPort()
      let transport = fields.optional("protocol")?.choice(TransportProtocol.self) ?? .tcp
      let nodePort = fields.optional("nodePort")?.number(UInt16.self)
      let appProtocol = fields.optional("appProtocol")?.string()
      if !name.isEmpty, let problem = LabelSyntax.problem(dnsLabel: name) {
        nameCursor?.report("invalid-value", "the port name \(quoted(name)) \(problem)")
      }
      return port.map {
        ServicePort(
          name: name, $0, target: target, transport, nodePort: nodePort == 0 ? nil : nodePort,
          appProtocol: appProtocol, location: fields.location)
      }
    }
  }

  /// 0 and "" stand for the port itself.
  private func targetPort() -> PortReference? {
    switch value.content {
    case .integer(0), .string(""): nil
    default: portReference()
    }
  }

  private func checkPorts(of service: Service, _ spec: Fields) {
    if service.ports.isEmpty, service.type != .externalName, !service.isHeadless {
      report("missing-field", "the service has no ports", at: spec.location)
    }
    var names: Set<String> = []
    var numbers: Set<String> = []
    for port in service.ports {
      if port.name.isEmpty, service.ports.count > 1 {
        report("missing-field", "a service with several ports must name each", at: port.location)
      } else if !names.insert(port.name).inserted {
        report("duplicate-name", "two ports are named \(quoted(port.name))", at: port.location)
      }
      if !numbers.insert("\(port.port)/\(port.transport)").inserted {
        report(
          "duplicate-port", "the port \(port.port)/\(port.transport.rawValue) stands twice", at: port.location
        )
      }
    }
  }

  private func loadBalancerIngress() -> [IPAddress] {
    fields { fields in
      fields.acceptUnknown()
      return fields.optional("loadBalancer")?.fields { fields in
        fields.acceptUnknown()
        return fields.optional("ingress")?.list { item in
          item.fields { fields in
            fields.acceptUnknown()
            return fields.optional("ip")?.address()
          }
        }
      }
    } ?? []
  }
}

extension Fields {
  /// `clusterIP` and `clusterIPs`: "" leaves them to the cluster, None makes the service headless.
  fileprivate mutating func clusterAddresses(of service: inout Service) {
    let one = optional("clusterIP")
    let several = optional("clusterIPs")?.items() ?? []
    for cursor in several.isEmpty ? [one].compactMap(\.self) : several {
      switch cursor.value.content {
      case .string("None"): service.isHeadless = true
      case .string(""): break
      default: if let address = cursor.address() { service.clusterIPs.append(address) }
      }
    }
    if let one, let first = several.first, one.value.content != first.value.content {
      one.report("conflict", "clusterIP and the first of clusterIPs differ")
    }
  }

  fileprivate mutating func sessionAffinity(of service: inout Service) {
    enum Affinity: String, CaseIterable {
      case none = "None"
      case clientIP = "ClientIP"
    }
    let affinity = optional("sessionAffinity")?.choice(Affinity.self) ?? .none
    let timeout: Int? = optional("sessionAffinityConfig")?.fields { fields in
      fields.optional("clientIP")?.fields { $0.optional("timeoutSeconds")?.integer(1...86_400) }
    }
    if affinity == .clientIP {
      service.sessionAffinity = timeout.map { .init(timeoutSeconds: $0) } ?? .init()
    }
  }
}
