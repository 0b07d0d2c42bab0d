import Cluster
import MapABI
import Wire

/// The service maps of a node.
///
/// Source: Cilium `pkg/loadbalancer/reconciler/bpf_reconciler.go`, `pkg/loadbalancer/loadbalancer.go`.
struct ServiceRenderer {
  let settings: Settings
  let options: DatapathOptions
  let node: NodeInfo
  let nodes: [NodeInfo]

  func render(_ controller: ServiceController, into maps: inout NodeMaps) {
    for status in controller.statuses where status.node == nil || status.node == node.name {
      for frontend in status.frontends {
        let backends = status.backends(of: frontend, on: node.name, settings)
        render(frontend, status, backends, &maps)
        guard frontend.isForEveryNodeAddress else { continue }
        for address in node.addresses where address.family == frontend.address.family {
          guard isNodePortAddress(address) else { continue }
          var expanded = frontend
          expanded.address = address
          expanded.id = controller.frontendID(expanded.name)
          render(expanded, status, backends, &maps)
        }
      }
    }
  }

  private func isNodePortAddress(_ address: IPAddress) -> Bool {
    let allowed = settings.loadBalancer.nodePortAddresses
    return allowed.isEmpty || allowed.contains { $0.contains(address) }
  }

  private func render(
    _ frontend: Frontend, _ status: ServiceStatus, _ backends: [Backend], _ maps: inout NodeMaps
  ) {
    let flags = flags(frontend, status)
    var slot: UInt16 = 0
    var active: UInt16 = 0
    var terminating: UInt16 = 0
    var inactive: UInt16 = 0
    for backend in backends {
      put(backend, &maps)
      guard backend.state != .maintenance, slot < .max else { continue }
      slot += 1
      var entry = ServiceEntry()
      entry.backend_id = backend.id
      entry.rev_nat_index = frontend.id.bigEndian
      entry.flags = flags.low
      entry.flags2 = flags.high
      put(entry, at: frontend, slot: slot, &maps)
      switch backend.state {
      case .active:
        active += 1
        if status.service.sessionAffinity != nil {
          maps.affinityMatch[
            AffinityMatch(backend_id: backend.id, rev_nat_id: frontend.id.bigEndian, pad: 0)] = 0
        }
      case .terminating: terminating += 1
      case .terminatingNotServing, .maintenance: inactive += 1
      }
    }
    // With none active, those that still serve while they terminate do.
    if active == 0 { active = terminating } else { inactive += terminating }
    var master = ServiceEntry()
    master.count = active
    master.qcount = inactive
    master.rev_nat_index = frontend.id.bigEndian
    master.flags = flags.low
    master.flags2 = flags.high
    if let affinity = status.service.sessionAffinity {
      // The upper eight bits are the algorithm's; 0 is the default one.
      master.backend_id = UInt32(clamping: affinity.timeoutSeconds) & 0xff_ffff
    }
    put(master, at: frontend, slot: 0, &maps)
    putReverseNAT(frontend, &maps)
    putWildcard(frontend, status, &maps)
  }

  private func flags(_ frontend: Frontend, _ status: ServiceStatus) -> (low: UInt8, high: UInt8) {
    let service = status.service
    var low: UInt32 = kindFlag(frontend.kind)
    var high: UInt32 = 0
    let externallyLocal = service.externalTrafficPolicy == .local
    let internallyLocal = status.isInternallyLocal(settings)
    if externallyLocal { low |= SVC_FLAG_EXT_LOCAL_SCOPE.rawValue }
    if internallyLocal { high |= SVC_FLAG2_INT_LOCAL_SCOPE.rawValue }
    if service.sessionAffinity != nil { low |= SVC_FLAG_AFFINITY.rawValue }
    let isSurrogate = frontend.address == frontend.address.family.unspecified
    if !isSurrogate, frontend.kind != .clusterIP || settings.bpf.lbExternalClusterIP {
      low |= SVC_FLAG_ROUTABLE.rawValue
    }
    let checksSources = frontend.kind == .loadBalancer || settings.bpf.lbSourceRangeAllTypes
    if checksSources, !service.loadBalancerSourceRanges.isEmpty { low |= SVC_FLAG_SOURCE_RANGE.rawValue }
    if externallyLocal != internallyLocal, frontend.kind != .clusterIP {
      high |= SVC_FLAG2_TWO_SCOPES.rawValue
    }
    let usesDSR =
      settings.loadBalancer.mode == .dsr
      || settings.loadBalancer.mode == .hybrid && frontend.transport == .tcp
    if usesDSR { high |= SVC_FLAG2_FWD_DSR.rawValue }
    if status.isLoopback { high |= SVC_FLAG2_LOOPBACK.rawValue }
    return (UInt8(truncatingIfNeeded: low), UInt8(truncatingIfNeeded: high))
  }

  private func kindFlag(_ kind: Frontend.Kind) -> UInt32 {
    switch kind {
    case .clusterIP: 0
    case .nodePort: SVC_FLAG_NODEPORT.rawValue
    case .loadBalancer: SVC_FLAG_LOADBALANCER.rawValue
    case .externalIP: SVC_FLAG_EXTERNAL_IP.rawValue
    case .hostPort: SVC_FLAG_HOSTPORT.rawValue
    }
  }
}

extension ServiceRenderer {
  private func put(_ backend: Backend, _ maps: inout NodeMaps) {
    let flags: backend_state =
      switch backend.state {
      case .active: BACKEND_ACTIVE
      case .terminating, .terminatingNotServing: BACKEND_TERMINATING
      case .maintenance: BACKEND_MAINTENANCE
      }
    switch backend.address {
    case .v4(let address):
      maps.backends4[backend.id] = Backend4(
        address: address.bits.bigEndian, port: backend.port.bigEndian, proto: backend.transport.number,
        flags: UInt8(flags.rawValue), cluster_id: 0, zone: 0, pad: 0)
    case .v6(let address):
      maps.backends6[backend.id] = Backend6(
        address: AddressWords(address), port: backend.port.bigEndian, proto: backend.transport.number,
        flags: UInt8(flags.rawValue), cluster_id: 0, zone: 0, pad: 0)
    }
  }

  private func put(_ entry: ServiceEntry, at frontend: Frontend, slot: UInt16, _ maps: inout NodeMaps) {
    put(
      entry, at: frontend.address, frontend.port, frontend.transport.number, slot: slot,
      scope: frontend.isInternalScope ? LB_SCOPE_INTERNAL : LB_SCOPE_EXTERNAL, &maps)
  }

  private func put(
    _ entry: ServiceEntry, at address: IPAddress, _ port: UInt16, _ transport: UInt8, slot: UInt16,
    scope: lb_scope, _ maps: inout NodeMaps
  ) {
    switch address {
    case .v4(let address):
      let key = ServiceKey4(
        address: address.bits.bigEndian, dport: port.bigEndian, backend_slot: slot, proto: transport,
        scope: UInt8(scope.rawValue), pad: 0)
      maps.services4[key] = entry
    case .v6(let address):
      let key = ServiceKey6(
        address: AddressWords(address), dport: port.bigEndian, backend_slot: slot, proto: transport,
        scope: UInt8(scope.rawValue), pad: 0)
      maps.services6[key] = entry
    }
  }

  private func putReverseNAT(_ frontend: Frontend, _ maps: inout NodeMaps) {
    switch frontend.address {
    case .v4(let address):
      maps.reverseNAT4[frontend.id.bigEndian] = ReverseNAT4(
        address: address.bits.bigEndian, port: frontend.port.bigEndian)
    case .v6(let address):
      maps.reverseNAT6[frontend.id.bigEndian] = ReverseNAT6(
        address: AddressWords(address), port: frontend.port.bigEndian)
    }
  }

  /// An entry for every other port and protocol of an address that only services have, so that packets to them
  /// are dropped rather than forwarded.
  private func putWildcard(_ frontend: Frontend, _ status: ServiceStatus, _ maps: inout NodeMaps) {
    guard hasWildcard(frontend, status.service) else { return }
    var entry = ServiceEntry()
    entry.flags = UInt8(truncatingIfNeeded: kindFlag(frontend.kind))
    put(entry, at: frontend.address, 0, 0, slot: 0, scope: LB_SCOPE_EXTERNAL, &maps)
  }

  private func hasWildcard(_ frontend: Frontend, _ service: Service) -> Bool {
    guard settings.profile >= .v119, !frontend.isInternalScope else { return false }
    guard frontend.kind == .clusterIP || frontend.kind == .loadBalancer else { return false }
    if let lbClass = service.loadBalancerClass {
      guard lbClass == "io.cilium/bgp-control-plane" || lbClass == "io.cilium/l2-announcer" else {
        return false
      }
    } else if settings.loadBalancer.defaultIPAM != "lbipam" {
      return false
    }
    // Until 1.19 an address of the node itself got one too.
    guard settings.profile >= .v120 else { return true }
    return !node.addresses.contains(frontend.address) && !node.routerAddresses.contains(frontend.address)
  }
}
