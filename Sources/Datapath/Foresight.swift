internal import MapABI

/// What a packet that leaves a pod is going to look up, read off its headers before the run.
///
/// A look-up in a large table waits for memory, and each stage's look-up begins only when the stage before is done.
/// Their keys, though, stand in the packet: asked for at once, the lines come at once. All of this is a hint: it
/// changes no result, and a packet that it reads wrongly is merely slower.
struct Foresight {
  private enum Kind {
    case nothing
    case ipv4(tcp: Bool)
    case ipv6(tcp: Bool)
  }

  private var kind = Kind.nothing
  private var service: UInt64 = 0
  private var forward: UInt64 = 0
  private var backward: UInt64 = 0
  private var addressKey = IPCacheKey()
  private var address: UInt64 = 0
  private var policyKey = PolicyKey()
  private var policy: UInt64 = 0

  init() {}

  /// Whether any table of the node is large enough for it to be worth while.
  @inline(__always)
  static func helps(_ hook: Hook, _ state: borrowing NodeState) -> Bool {
    hook == .fromContainer
      && (state.maps.ipcache.entries.isLarge || state.maps.ct4TCP.isLarge || state.maps.services4.isLarge
        || state.maps.ct6TCP.isLarge || state.maps.ct4Any.isLarge || state.maps.ct6Any.isLarge)
  }

  /// First: reads the headers, and asks for the index of each table.
  @inline(__always)
  init(_ frame: UnsafeRawBufferPointer, _ state: borrowing NodeState) {
    guard frame.count >= 14 else { return }
    switch frame.loadUnaligned(fromByteOffset: 12, as: UInt16.self) {
    case IPv4.etherType.bigEndian:
      guard frame.count >= 38 else { return }
      let isTCP = frame[14 + IPv4.protocolOffset] == IPProtocol.tcp
      kind = .ipv4(tcp: isTCP)
      look(frame, 14 + Int(frame[14] & 15) * 4, state, IPv4.self, tcp: isTCP)
    case IPv6.etherType.bigEndian:
      guard frame.count >= 58 else { return }
      let isTCP = frame[14 + IPv6.protocolOffset] == IPProtocol.tcp
      kind = .ipv6(tcp: isTCP)
      look(frame, 14 + IPv6.headerLength, state, IPv6.self, tcp: isTCP)
    default: return
    }
  }

  @inline(__always)
  private mutating func look<F: IPFamily>(
    _ frame: UnsafeRawBufferPointer, _ l4: Int, _ state: borrowing NodeState, _: F.Type, tcp: Bool
  ) {
    guard frame.count >= l4 + 4, frame.count >= 14 + F.headerLength else { return }
    let source = frame.loadUnaligned(fromByteOffset: 14 + F.sourceOffset, as: F.Address.self)
    let destination = frame.loadUnaligned(fromByteOffset: 14 + F.destinationOffset, as: F.Address.self)
    let sourcePort = frame.loadUnaligned(fromByteOffset: l4, as: UInt16.self)
    let destinationPort = frame.loadUnaligned(fromByteOffset: l4 + 2, as: UInt16.self)
    let number = frame[14 + F.protocolOffset]
    let tuple = F.tuple(
      daddr: destination, saddr: source, dport: sourcePort, sport: destinationPort, nexthdr: number,
      flags: TupleFlag.in)
    let frontend = Frontend<F>(address: destination, port: destinationPort, protocol: number)
    service = F.prefetchService(state, F.serviceKey(frontend, slot: 0))
    forward = F.prefetchConntrack(state, tuple.reversed, tcp: tcp)
    backward = F.prefetchConntrack(state, tuple, tcp: tcp)
    addressKey = IPCacheKey(
      prefixlen: IPCacheKey.staticPrefix + UInt32(F.addressWidth), cluster_id: 0, pad1: 0,
      family: F.isIPv6 ? 2 : 1, ip: destination.words)
    address = state.maps.ipcache.entries.prefetch(addressKey)
    policyKey = PolicyKey(
      prefixlen: PolicyKey.maximumLength, sec_label: 0, egress: 1, protocol: number, dport: destinationPort)
  }

  /// Second: asks for the entries that the index names.
  @inline(__always)
  func fetchEntries(_ state: borrowing NodeState) {
    switch kind {
    case .nothing: return
    case .ipv4(let tcp): fetch(state, IPv4.self, tcp: tcp)
    case .ipv6(let tcp): fetch(state, IPv6.self, tcp: tcp)
    }
    state.maps.ipcache.entries.prefetchEntry(address)
  }

  @inline(__always)
  private func fetch<F: IPFamily>(_ state: borrowing NodeState, _: F.Type, tcp: Bool) {
    F.prefetchEntries(state, service: service)
    F.prefetchEntries(state, conntrack: forward, tcp: tcp)
    F.prefetchEntries(state, conntrack: backward, tcp: tcp)
  }

  /// Third: with the receiver's identity, asks for the index of the endpoint's policy.
  @inline(__always)
  mutating func fetchPolicy(_ state: borrowing NodeState, endpoint: UInt16) {
    if case .nothing = kind { return }
    guard let info = state.maps.ipcache[matching: addressKey] else { return }
    policyKey.sec_label = info.sec_identity
    policy = state.maps.policies.prefetch(policyKey, endpoint: endpoint)
  }

  /// Fourth: asks for the entry that decides.
  @inline(__always)
  func fetchPolicyEntry(_ state: borrowing NodeState, endpoint: UInt16) {
    if case .nothing = kind { return }
    state.maps.policies.prefetchEntry(policy, endpoint: endpoint)
  }
}
