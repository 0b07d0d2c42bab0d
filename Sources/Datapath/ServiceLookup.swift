internal import MapABI

/// `struct lb4_service.flags` and `.flags2`
enum ServiceFlag {
  static let externalIP: UInt8 = 1 << 0
  static let nodePort: UInt8 = 1 << 1
  static let externalLocalScope: UInt8 = 1 << 2
  static let hostPort: UInt8 = 1 << 3
  static let affinity: UInt8 = 1 << 4
  static let loadBalancer: UInt8 = 1 << 5
  static let routable: UInt8 = 1 << 6
  static let sourceRange: UInt8 = 1 << 7
}

enum ServiceFlag2 {
  static let localRedirect: UInt8 = 1 << 0
  static let nat46x64: UInt8 = 1 << 1
  static let l7LoadBalancer: UInt8 = 1 << 2
  /// The same bit on a service that is no host port: leave it to the node's L7 proxy.
  static let loopback: UInt8 = 1 << 3
  static let internalLocalScope: UInt8 = 1 << 4
  static let twoScopes: UInt8 = 1 << 5
  static let forwardDSR: UInt8 = 1 << 7
}

extension ServiceEntry {
  var isNodePort: Bool { flags & ServiceFlag.nodePort != 0 }
  var isHostPort: Bool { flags & ServiceFlag.hostPort != 0 }
  var hasAffinity: Bool { flags & ServiceFlag.affinity != 0 }
  var isRoutable: Bool { flags & ServiceFlag.routable != 0 }
  var checksSource: Bool { flags & ServiceFlag.sourceRange != 0 }
  var hasTwoScopes: Bool { flags2 & ServiceFlag2.twoScopes != 0 }
  var isL7LoadBalancer: Bool { flags2 & ServiceFlag2.l7LoadBalancer != 0 }
  var isLocalRedirect: Bool { flags2 & ServiceFlag2.localRedirect != 0 }
  /// `lb4_svc_is_external`
  var isExternal: Bool {
    flags & (ServiceFlag.externalIP | ServiceFlag.loadBalancer | ServiceFlag.nodePort) != 0
  }
  /// `handle_nonroutable_endpoints_v4`: traffic that is to stay local is dropped when no backend is.
  var dropsWithoutLocalBackend: Bool {
    isExternal
      ? flags & ServiceFlag.externalLocalScope != 0 : flags2 & ServiceFlag2.internalLocalScope != 0
  }
  /// Seconds for which a client stays with its backend; the upper octet names the algorithm.
  var affinityTimeout: UInt32 { backend_id & 0xff_ffff }
}

// Services and their backends. Source: Cilium's bpf/lib/lb.h.
extension Run {
  /// `lb4_lookup_service` for traffic inside of the cluster: of two scopes, the internal one.
  mutating func lookUpServiceInside<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: inout Frontend<F>
  ) -> ServiceEntry? {
    let asked = frontend.protocol
    frontend.scope = 0
    guard let external = find(state, &frontend) else { return nil }
    guard external.hasTwoScopes else { return external }
    frontend.protocol = asked
    frontend.scope = 1
    return find(state, &frontend)
  }

  /// `lb4_lookup_service` for traffic from outside: else the address's wildcard entry, which has no backends.
  mutating func lookUpServiceOutside<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: inout Frontend<F>
  ) -> ServiceEntry? {
    frontend.scope = 0
    if let service = find(state, &frontend) { return service }
    guard profile.has(.serviceWildcards) else { return nil }
    var wildcard = frontend
    wildcard.port = 0
    wildcard.protocol = 0
    guard let service = find(state, &wildcard) else { return nil }
    note(.serviceWildcard)
    frontend = wildcard
    return service
  }

  /// `lb4_lookup_wildcard_service`: a node port on any node's address, or a host port on this node's.
  mutating func lookUpServiceOnNode<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: inout Frontend<F>
  ) -> ServiceEntry? {
    guard let info = lookUpIdentity(state, frontend.address, F.self) else { return nil }
    let port = UInt16(bigEndian: frontend.port)
    let isNodePort = port >= config.nodeport_port_min && port <= config.nodeport_port_max
    let isNode = Identity.isRemoteNode(info.sec_identity) && !info.isRemoteCluster
    guard info.sec_identity == Identity.host || isNodePort && isNode else { return nil }
    frontend.address = F.Address(words: AddressWords(w0: 0, w1: 0, w2: 0, w3: 0))
    guard let service = lookUpServiceInside(state, &frontend) else { return nil }
    return (isNodePort ? service.isNodePort : service.isHostPort) ? service : nil
  }

  private mutating func find<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: inout Frontend<F>
  ) -> ServiceEntry? {
    let key = F.serviceKey(frontend, slot: 0)
    let service = F.service(state, key)
    note(F.step(key, service))
    guard service == nil, !profile.has(.serviceWildcards), frontend.protocol != 0 else { return service }
    frontend.protocol = 0
    return F.service(state, F.serviceKey(frontend, slot: 0))
  }

  /// `lb4_local`: the backend of a connection, remembered in a service entry of conntrack.
  mutating func selectBackend<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: Frontend<F>, _ service: ServiceEntry,
    _ tuple: inout F.Tuple, _ transport: Transport, _: F.Type, _ connection: inout ConntrackState
  ) throws(Drop) -> F.Backend {
    let flags = tuple.flags
    defer { tuple.flags = flags }
    let affinityKey = F.affinityKey(client: tuple.saddr, revNATIndex: service.rev_nat_index)
    connection.revNATIndex = service.rev_nat_index
    let found = try lookUpKnown(
      state, &tuple, transport, F.self, .service, .reverse, .service, &connection)
    let chosen: (id: UInt32, backend: F.Backend)
    if found.status == .new {
      chosen = try pickBackend(state, frontend, service, affinityKey, F.self)
      connection.backendID = chosen.id
      createConnection(state, tuple, F.self, .service, connection, withErrors: false)
    } else {
      chosen = try keepBackend(state, frontend, service, tuple, F.self, &connection)
    }
    if service.hasAffinity {
      let value = AffinityValue(last_used: UInt64(now), backend_id: chosen.id, pad: 0)
      pending.put(
        value, at: affinityKey, in: F.affinityMap, original: F.affinity(state, affinityKey))
    }
    return chosen.backend
  }

  /// The backend for a new connection.
  private mutating func pickBackend<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: Frontend<F>, _ service: ServiceEntry,
    _ affinityKey: F.AffinityKey, _: F.Type
  ) throws(Drop) -> (id: UInt32, backend: F.Backend) {
    if service.count == 0 { throw Drop(.noService) }
    if service.hasAffinity {
      let id = affineBackend(state, service, affinityKey, F.self)
      if id != 0, let backend = F.backend(state, id) {
        note(.backend(id: id, slot: 0, .affinity))
        return (id, backend)
      }
    }
    let id = chooseSlot(state, frontend, service, F.self)
    guard let backend = F.backend(state, id) else { throw Drop(.noService) }
    return (id, backend)
  }

  /// The backend of a known connection; another one when it is gone, or leaving and the connection starts anew.
  private mutating func keepBackend<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: Frontend<F>, _ service: ServiceEntry, _ tuple: F.Tuple,
    _: F.Type, _ connection: inout ConntrackState
  ) throws(Drop) -> (id: UInt32, backend: F.Backend) {
    let id = connection.backendID
    let backend = F.backend(state, id)
    if let backend, backend.flags == 0 || !connection.isSYN {
      note(.backend(id: id, slot: 0, .conntrack))
      return (id, backend)
    }
    if service.count == 0 { throw Drop(.noService) }
    let other = chooseSlot(state, frontend, service, F.self)
    guard let backend = F.backend(state, other) else { throw Drop(.noService) }
    connection.revNATIndex = service.rev_nat_index
    amend(state, tuple, F.self) { entry in
      entry.backend_id = UInt64(other)
      entry.rev_nat_index = service.rev_nat_index
    }
    return (other, backend)
  }

  /// `lb4_select_backend_id_random`: the backend's id, 0 when the slot is missing.
  private mutating func chooseSlot<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: Frontend<F>, _ service: ServiceEntry, _: F.Type
  ) -> UInt32 {
    if object != .lxc, config.lb_selection == 2, unmodelled == nil { unmodelled = "Maglev backend selection" }
    return chooseSlot(state, frontend, service, F.self, number: UInt64(environment.draw())) ?? 0
  }

  /// The id of the backend in the slot that `number` falls on; nil when the slot is missing.
  ///
  /// A choice that another interpreter made is taken over, if the service has that backend.
  mutating func chooseSlot<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: Frontend<F>, _ service: ServiceEntry, _: F.Type, number: UInt64
  ) -> UInt32? {
    let count = max(service.count, 1)
    var slot = UInt16(truncatingIfNeeded: number % UInt64(count)) &+ 1
    var how = Step.BackendChoice.random
    if let given = environment.chosenBackend {
      for candidate in 1...count
      where F.service(state, F.serviceKey(frontend, slot: candidate))?.backend_id == given {
        slot = candidate
        how = .given
        break
      }
    }
    guard let entry = F.service(state, F.serviceKey(frontend, slot: slot)) else { return nil }
    note(.backend(id: entry.backend_id, slot: slot, how))
    return entry.backend_id
  }

  /// `__lb4_affinity_backend_id`: the client's last backend, 0 when it was too long ago or is no longer one.
  mutating func affineBackend<F: IPFamily>(
    _ state: borrowing NodeState, _ service: ServiceEntry, _ key: F.AffinityKey, _: F.Type
  ) -> UInt32 {
    let original = F.affinity(state, key)
    guard var value = original else { return 0 }
    let match = AffinityMatch(backend_id: value.backend_id, rev_nat_id: service.rev_nat_index, pad: 0)
    let end = value.last_used &+ UInt64(clock(service.affinityTimeout))
    guard end > UInt64(now), state.maps.affinityMatch[match] != nil else {
      pending.delete(key, in: F.affinityMap)
      return 0
    }
    value.last_used = UInt64(now)
    pending.put(value, at: key, in: F.affinityMap, original: original)
    return value.backend_id
  }
}
