internal import MapABI

/// What policy says about a packet.
struct PolicyOutcome {
  /// Why it is denied, as a drop reason; nil when it is allowed.
  var denial: UInt8?
  /// The proxy's port in network order; 0 for none.
  var proxyPort: UInt16 = 0
  /// `enum policy_match`
  var match: UInt8 = 0
  var audited = false
  var authType: UInt8 = 0
  var cookie: UInt32 = 0
}

/// `enum policy_match`: what the entry that decided names.
private enum PolicyMatch {
  static let l3Only: UInt8 = 1
  static let l3L4: UInt8 = 2
  static let l4Only: UInt8 = 3
  static let all: UInt8 = 4
  static let l3Protocol: UInt8 = 5
  static let protocolOnly: UInt8 = 6
}

extension PolicyEntry {
  fileprivate var isDeny: Bool { bits & 1 != 0 }
  /// Bits of protocol and port that the entry's key names: 0, 8, or 9 to 24.
  fileprivate var prefixLength: UInt8 { bits >> 3 }
  fileprivate var authType: UInt8 { auth & 0x7f }
  fileprivate var hasExplicitAuthType: Bool { auth & 0x80 != 0 }
}

// Policy decisions of an endpoint. Source: Cilium's bpf/lib/policy.h.
extension Run {
  /// `policy_can_egress4`
  mutating func policyEgress<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ transport: Transport, _: F.Type, remote: UInt32
  ) -> PolicyOutcome {
    if config.have_encap != 0, config.security_label != Identity.host, tuple.nexthdr == IPProtocol.udp,
      UInt16(bigEndian: tuple.dport) == config.tunnel_port
    {
      // A pod that speaks to the tunnel's port could forge identities.
      return PolicyOutcome(denial: DropReason.encapProhibited.rawValue)
    }
    return audit(
      access(state, tuple, transport, F.self, remote: remote, egress: true, isUntrackedFragment: false))
  }

  /// `policy_can_ingress4`
  mutating func policyIngress<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ transport: Transport, _: F.Type, remote: UInt32
  ) -> PolicyOutcome {
    let untracked = !tracksFragments(F.self) && transport.fragment.isFragment
    return audit(
      access(
        state, tuple, transport, F.self, remote: remote, egress: false, isUntrackedFragment: untracked))
  }

  /// In audit mode a denial is reported and not enforced.
  private func audit(_ outcome: PolicyOutcome) -> PolicyOutcome {
    guard config.policy_audit_mode != 0, outcome.denial != nil else { return outcome }
    var outcome = outcome
    outcome.denial = nil
    outcome.authType = 0
    outcome.audited = true
    return outcome
  }

  /// `__policy_can_access`: two look-ups, for the identity and for any identity; the higher precedence decides,
  /// then the longer prefix, then the identity.
  private mutating func access<F: IPFamily>(
    _ state: borrowing NodeState, _ tuple: F.Tuple, _ transport: Transport, _: F.Type, remote: UInt32,
    egress: Bool, isUntrackedFragment: Bool
  ) -> PolicyOutcome {
    var key = PolicyKey(identity: remote, egress: egress, protocol: tuple.nexthdr, port: 0)
    key.dport = tuple.dport
    if tuple.nexthdr == F.icmpProtocol {
      switch icmpRule(transport, F.self, &key) {
      case .decided(let outcome): return outcome
      case .undecided: break
      }
    }
    let endpoint = policyEndpoint
    let exact = state.maps.policies.match(key, endpoint: endpoint)
    if let exact, exact.precedence == .max {
      return decide(exact, nil, key, tuple, remote: remote, isExact: true)
    }
    var wildcardKey = key
    wildcardKey.sec_label = 0
    let wildcard = state.maps.policies.match(wildcardKey, endpoint: endpoint)
    if let wildcard, Self.prefers(wildcard, to: exact) {
      return decide(wildcard, exact, key, tuple, remote: remote, isExact: false)
    }
    if let exact { return decide(exact, wildcard, key, tuple, remote: remote, isExact: true) }
    let reason = isUntrackedFragment ? DropReason.fragNosupport : .policy
    let outcome = PolicyOutcome(denial: reason.rawValue)
    noteDecision(nil, key, remote: remote, isExact: false, outcome)
    return outcome
  }

  /// Whose policy is asked: the endpoint's, or the host's.
  private var policyEndpoint: UInt16 { object == .lxc ? config.endpoint_id : config.host_ep_id }

  private static func prefers(_ wildcard: PolicyEntry, to exact: PolicyEntry?) -> Bool {
    guard let exact else { return true }
    return wildcard.precedence > exact.precedence
      || wildcard.precedence == exact.precedence && wildcard.prefixLength > exact.prefixLength
  }

  private enum ICMPRule {
    case undecided
    case decided(PolicyOutcome)
  }

  /// ICMP rules match the type where others match the port; "fragmentation needed" may always pass.
  private mutating func icmpRule<F: IPFamily>(_ transport: Transport, _: F.Type, _ key: inout PolicyKey)
    -> ICMPRule
  {
    let allowsTooBig = config.allow_icmp_frag_needed != 0
    let hasRules = config.enable_icmp_rule != 0
    guard hasRules || allowsTooBig && !F.isIPv6 else { return .undecided }
    let length = F.isIPv6 ? 1 : 8
    guard packet.count >= transport.offset + length,
      let type = packet.load(transport.offset, as: UInt8.self)
    else { return .decided(PolicyOutcome(denial: DropReason.invalid.rawValue)) }
    if !F.isIPv6, allowsTooBig, type == 3, packet.load(transport.offset + 1, as: UInt8.self) == 4 {
      return .decided(PolicyOutcome())
    }
    if hasRules { key.dport = UInt16(type).bigEndian }
    return .undecided
  }

  /// The accounting and the decision of `__policy_can_access` and `__policy_check`.
  private mutating func decide<T: FlowTuple>(
    _ entry: PolicyEntry, _ other: PolicyEntry?, _ key: PolicyKey, _ tuple: T, remote: UInt32, isExact: Bool
  ) -> PolicyOutcome {
    if R.isFull, config.enable_policy_accounting != 0 {
      account(entry, tuple, egress: key.egress, remote: isExact ? remote : 0)
    }
    var outcome = PolicyOutcome(cookie: entry.cookie)
    outcome.match = Self.matchType(prefix: entry.prefixLength, isExact: isExact)
    if entry.isDeny {
      outcome.denial = DropReason.policyDeny.rawValue
    } else {
      outcome.proxyPort = entry.proxy_port
      outcome.authType = Self.authType(entry, other)
      if outcome.authType != 0 { outcome.denial = DropReason.policyAuthRequired.rawValue }
    }
    if outcome.authType != 0 { extError = Int8(truncatingIfNeeded: outcome.authType) }
    noteDecision(entry, key, remote: remote, isExact: isExact, outcome)
    return outcome
  }

  /// The less specific entry's authentication counts when the deciding one leaves it open.
  private static func authType(_ entry: PolicyEntry, _ other: PolicyEntry?) -> UInt8 {
    guard let other, other.precedence == entry.precedence, !entry.hasExplicitAuthType else {
      return entry.authType
    }
    return max(entry.authType, other.authType)
  }

  private static func matchType(prefix: UInt8, isExact: Bool) -> UInt8 {
    if isExact {
      return prefix > 8 ? PolicyMatch.l3L4 : prefix > 0 ? PolicyMatch.l3Protocol : PolicyMatch.l3Only
    }
    return prefix == 0 ? PolicyMatch.all : prefix <= 8 ? PolicyMatch.protocolOnly : PolicyMatch.l4Only
  }

  /// `__policy_account`: the key of the entry that decided is rebuilt from its prefix length.
  private mutating func account<T: FlowTuple>(
    _ entry: PolicyEntry, _ tuple: T, egress: UInt8, remote: UInt32
  ) {
    let length = entry.prefixLength
    let port: UInt16 =
      length <= 8
      ? 0 : length < 24 ? tuple.dport & (UInt16(0xffff) << UInt16(24 - length)).bigEndian : tuple.dport
    let key = PolicyStatsKey(
      endpoint_id: policyEndpoint, pad1: 0, prefix_len: length,
      sec_label: remote, egress: egress, protocol: length < 8 ? 0 : tuple.nexthdr, dport: port)
    pending.add(packets: 1, bytes: UInt64(packet.count), to: key, in: .policyStats)
  }

  private mutating func noteDecision(
    _ entry: PolicyEntry?, _ key: PolicyKey, remote: UInt32, isExact: Bool, _ outcome: PolicyOutcome
  ) {
    guard R.isFull else { return }
    let verdict: PolicyDecision.Verdict =
      if let denial = outcome.denial {
        .deny(DropReason(rawValue: denial) ?? .policy)
      } else if outcome.proxyPort != 0 {
        .redirect(proxyPort: UInt16(bigEndian: outcome.proxyPort))
      } else {
        .allow
      }
    let decision = PolicyDecision(
      egress: key.egress != 0, endpoint: policyEndpoint, remoteIdentity: remote,
      protocol: key.protocol, port: UInt16(bigEndian: key.dport), entry: entry,
      matchedIdentity: entry != nil && isExact ? remote : 0, match: outcome.match, verdict: verdict)
    steps.append(.policy(decision))
  }

  /// `auth_lookup`: whether the two identities have authenticated lately; nil when they have.
  ///
  /// Times in the map are on the wall clock; the offset of the monotonic clock to it
  /// (`cilium_runtime_config`) is taken as 0.
  func authDenial(
    _ state: borrowing NodeState, local: UInt32, remote: UInt32, node: UInt32, type: UInt8
  ) -> UInt8? {
    var key = AuthKey(
      local_sec_label: local, remote_sec_label: remote, remote_node_id: 0, auth_type: type, pad: 0)
    if node != 0 {
      let nodeKey = NodeKey(pad1: 0, pad2: 0, family: 1, ip: AddressWords(w0: node, w1: 0, w2: 0, w3: 0))
      guard let value = state.maps.nodes[nodeKey], value.id != 0 else { return DropReason.noNodeId.rawValue }
      key.remote_node_id = value.id
    }
    if let info = state.maps.auth[key], environment.ktime >> 9 < info.expiration { return nil }
    return DropReason.policyAuthRequired.rawValue
  }
}
