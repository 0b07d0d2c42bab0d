internal import MapABI
internal import Wire

/// Which address of a translation a socket's trace record tells (`enum xlate_point`).
private enum TranslationPoint: UInt8 {
  case asked = 1
  case chosen = 2
}

/// What came of translating a socket's destination.
private enum SocketOutcome {
  /// Not a service, or not to be translated here: the call goes on as it is.
  case unchanged
  /// The call goes to this address and port (network order).
  case translated(IPAddress, UInt16)
  /// The call fails with EHOSTUNREACH.
  case refused
}

// Services at connect(): the destination is replaced before a packet is made. The map that translates a socket's peer
// name back is no map of ours. Source: Cilium's bpf/bpf_sock.c.
extension Run {
  /// `cil_sock4_connect`, `cil_sock6_connect`
  mutating func connect(_ state: borrowing NodeState, _ socket: inout SocketAddress) -> Verdict {
    note(.stage(.service))
    let outcome =
      switch socket.destination {
      case .v4(let address):
        translateSocket(state, IPv4.self, AddressWords(address).w0, socket)
      case .v6(let address):
        translateSocket6(state, AddressWords(address), socket)
      }
    switch outcome {
    case .unchanged: return .pass
    case .refused: return .drop
    case .translated(let address, let port):
      socket.destination = address
      socket.port = UInt16(bigEndian: port)
      return .pass
    }
  }

  /// `__sock6_xlate_fwd`: an IPv4 address may come in IPv6's form.
  private mutating func translateSocket6(
    _ state: borrowing NodeState, _ address: AddressWords, _ socket: SocketAddress
  ) -> SocketOutcome {
    if config.enable_ipv6 != 0 {
      let outcome = translateSocket(state, IPv6.self, address, socket)
      guard case .unchanged = outcome, !hasService(state, address, socket) else { return outcome }
    }
    let isMapped = address.w0 == 0 && address.w1 == 0 && address.w2 == UInt32(0xffff).bigEndian
    guard config.enable_ipv4 != 0, isMapped else { return .unchanged }
    let outcome = translateSocket(state, IPv4.self, address.w3, socket)
    guard case .translated(.v4(let backend), let port) = outcome else { return outcome }
    let mapped = AddressWords(w0: 0, w1: 0, w2: UInt32(0xffff).bigEndian, w3: AddressWords(backend).w0)
    return .translated(.v6(mapped.v6), port)
  }

  private func hasService(
    _ state: borrowing NodeState, _ address: AddressWords, _ socket: SocketAddress
  ) -> Bool {
    let frontend = Frontend<IPv6>(
      address: address, port: socket.port.bigEndian, protocol: socket.protocol)
    return IPv6.service(state, IPv6.serviceKey(frontend, slot: 0)) != nil
  }

  /// `__sock4_xlate_fwd`
  private mutating func translateSocket<F: IPFamily>(
    _ state: borrowing NodeState, _: F.Type, _ address: F.Address, _ socket: SocketAddress
  ) -> SocketOutcome {
    // The first namespace has cookie 1; the agent may run in another.
    let hostCookie = config.endpoint_netns_cookie == 0 ? 1 : config.endpoint_netns_cookie
    let isHost = socket.netnsCookie == hostCookie
    if config.enable_socket_lb_host_only != 0, !isHost { return .unchanged }
    // UDP-Lite is number 136.
    guard [IPProtocol.tcp, IPProtocol.udp, 136].contains(socket.protocol) else { return .unchanged }
    var frontend = Frontend<F>(
      address: address, port: socket.port.bigEndian, protocol: socket.protocol)
    var service = lookUpServiceInside(state, &frontend)
    if service == nil { service = lookUpServiceOfSocket(state, &frontend, address, isHost: isHost) }
    guard let service else { return .unchanged }
    if config.enable_l7_lb != 0, service.isL7LoadBalancer {
      unmodelled = "L7 load balancing"
      return .unchanged
    }
    if service.count == 0 {
      let refuses = config.enable_no_service_endpoints_routable != 0 || service.dropsWithoutLocalBackend
      return refuses ? .refused : .unchanged
    }
    traceSocket(state, .asked, F.self, address, frontend.port, socket)
    let isPunted = !service.isHostPort && service.flags2 & ServiceFlag2.loopback != 0
    if isPunted || skipsTranslation(state, service, address, F.self) { return .unchanged }
    if config.enable_lrp != 0, service.isLocalRedirect { unmodelled = "local redirect policy" }
    return chooseForSocket(state, service, frontend, socket)
  }

  private mutating func chooseForSocket<F: IPFamily>(
    _ state: borrowing NodeState, _ service: ServiceEntry, _ frontend: Frontend<F>, _ socket: SocketAddress
  ) -> SocketOutcome {
    let key = F.affinityKey(namespace: socket.netnsCookie, revNATIndex: service.rev_nat_index)
    var id: UInt32 = 0
    if service.hasAffinity {
      id = affineBackend(state, service, key, F.self)
      if F.backend(state, id) == nil { id = 0 }
      if id != 0 { note(.backend(id: id, slot: 0, .affinity)) }
    }
    let isAffine = id != 0
    if !isAffine {
      let number = socket.protocol == IPProtocol.tcp ? UInt64(environment.draw()) : socket.cookie
      guard let chosen = chooseSlot(state, frontend, service, F.self, number: number) else {
        countRefused(MetricReason.noBackendSlot)
        return .refused
      }
      id = chosen
    }
    guard let backend = F.backend(state, id) else {
      countRefused(MetricReason.noBackend)
      return .refused
    }
    if service.hasAffinity, !isAffine {
      let value = AffinityValue(last_used: UInt64(now), backend_id: id, pad: 0)
      pending.put(value, at: key, in: F.affinityMap, original: F.affinity(state, key))
    }
    traceSocket(state, .chosen, F.self, backend.address, backend.port, socket)
    note(F.step(translatedTo: backend))
    return .translated(backend.address.words.address(F.isIPv6 ? .ipv6 : .ipv4), backend.port)
  }

  /// `send_trace_sock_notify4`: with aggregation, one record in each report interval. The record's cgroup is 0: the
  /// model does not know it.
  private mutating func traceSocket<F: IPFamily>(
    _ state: borrowing NodeState, _ point: TranslationPoint, _: F.Type, _ address: F.Address,
    _ port: UInt16, _ socket: SocketAddress
  ) {
    guard config.trace_notify != 0 else { return }
    if config.monitor_aggregation != 0, profile.has(.limitsSocketTraces) {
      let interval = UInt64(config.ct_report_interval) * 1_000_000_000
      guard takeToken(.sockets, device: 0, added: 1, every: interval, burst: 1, state) else { return }
    }
    let number: UInt8 =
      switch socket.protocol {
      case IPProtocol.tcp: 1
      case IPProtocol.udp: 2
      default: 0
      }
    var record = [UInt8](repeating: 0, count: 40)
    record[0] = UInt8(truncatingIfNeeded: NOTIFY_TRACE_SOCK.rawValue)
    record[1] = point.rawValue
    record[2] = number
    record[3] = F.isIPv6 ? 1 : 0
    record.withUnsafeMutableBytes { octets in
      octets.storeBytes(of: UInt16(bigEndian: port), toByteOffset: 4, as: UInt16.self)
      octets.storeBytes(of: socket.cookie, toByteOffset: 8, as: UInt64.self)
      octets.storeBytes(of: address.words, toByteOffset: 24, as: AddressWords.self)
    }
    events.append(.other(record))
  }

  /// There is no packet, so no octets are counted.
  private mutating func countRefused(_ reason: UInt8) {
    let key = MetricsKey(
      reason: reason, dir: MetricDirection.egress.rawValue, line: Place.service.rawValue,
      file: object.rawValue, reserved0: 0, reserved1: 0, reserved2: 0)
    pending.add(packets: 1, bytes: 0, to: key, in: .metrics)
  }

  /// `sock4_skip_xlate`: an external address is translated only where it is this node's.
  private mutating func skipsTranslation<F: IPFamily>(
    _ state: borrowing NodeState, _ service: ServiceEntry, _ address: F.Address, _: F.Type
  ) -> Bool {
    let isExternalIP = service.flags & ServiceFlag.externalIP != 0
    guard isExternalIP || service.isHostPort && !isLoopback(address, F.self) else { return false }
    return lookUpIdentity(state, address, F.self)?.sec_identity != Identity.host
  }

  /// `sock4_wildcard_lookup_full`: node ports on any node's address, host ports on this node's.
  private mutating func lookUpServiceOfSocket<F: IPFamily>(
    _ state: borrowing NodeState, _ frontend: inout Frontend<F>, _ address: F.Address, isHost: Bool
  ) -> ServiceEntry? {
    guard config.enable_nodeport != 0 else { return nil }
    let isLoopback = isLoopback(address, F.self)
    let port = UInt16(bigEndian: frontend.port)
    let isNodePort = port >= config.nodeport_port_min && port <= config.nodeport_port_max
    if !(isHost && isLoopback) {
      guard let info = lookUpIdentity(state, address, F.self) else { return nil }
      let isNode = Identity.isRemoteNode(info.sec_identity) && !info.isRemoteCluster
      guard info.sec_identity == Identity.host || isNodePort && isNode else { return nil }
    }
    frontend.address = F.Address(words: AddressWords(w0: 0, w1: 0, w2: 0, w3: 0))
    guard let service = lookUpServiceInside(state, &frontend) else { return nil }
    if isNodePort { return service.isNodePort ? service : nil }
    let isOnLoopback = service.flags2 & ServiceFlag2.loopback != 0
    return service.isHostPort && (!isOnLoopback || isLoopback) ? service : nil
  }

  /// 127.0.0.0/8 and ::1.
  private func isLoopback<F: IPFamily>(_ address: F.Address, _: F.Type) -> Bool {
    let words = address.words
    if !F.isIPv6 { return UInt8(truncatingIfNeeded: words.w0) == 127 }
    return words.w0 | words.w1 | words.w2 == 0 && words.w3 == UInt32(1).bigEndian
  }
}
