import MapABI

/// The entries of one endpoint's policy, as Cilium's agent keeps them before they go into the map.
///
/// An entry is left out when a broader one of higher precedence covers it, and taken out when such a one comes: so
/// the longest match for an identity, and for the wildcard, is each the one of highest precedence. The result does
/// not depend on the order of insertion within a tier; tiers go from the highest to the lowest.
///
/// Source: Cilium `pkg/policy/mapstate.go`.
struct MapState {
  /// Direction, protocol and port of an entry.
  struct PortKey: Hashable, Comparable {
    var isEgress: Bool
    /// 0 for every protocol.
    var transport: UInt8
    var prefix: PortPrefix

    /// Whether this one matches all that `other` does.
    func covers(_ other: PortKey) -> Bool {
      guard isEgress == other.isEgress else { return false }
      guard transport != 0 else { return true }
      guard transport == other.transport, prefix.length <= other.prefix.length else { return false }
      let mask = prefix.length == 0 ? 0 : UInt16.max << UInt16(16 - prefix.length)
      return (prefix.port ^ other.prefix.port) & mask == 0
    }

    static func < (a: Self, b: Self) -> Bool {
      if a.isEgress != b.isEgress { return b.isEgress }
      return (a.transport, a.prefix.port, a.prefix.length) < (b.transport, b.prefix.port, b.prefix.length)
    }
  }

  struct Entry {
    var precedence: Precedence
    var origins: [PolicyOrigin]
    /// The placeholder of the proxy's listener that takes the traffic; 0 for none.
    var proxyPort: UInt16 = 0
  }

  /// Entries by identity, for each port key: the keys are few, the identities many.
  private(set) var levels: [PortKey: [UInt32: Entry]] = [:]
  /// The keys of `levels`, since they are searched all the time.
  private var keys: [PortKey] = []

  /// Adds an entry unless a better one covers it, and takes out those that it covers and beats.
  ///
  /// - Parameter hasPrecedences: whether the direction has entries of different precedence at all.
  mutating func insert(_ key: PortKey, identity: UInt32, _ entry: Entry, hasPrecedences: Bool) {
    if entry.precedence.isDeny || hasPrecedences {
      let isDeny = entry.precedence.isDeny
      for other in keys where other.covers(key) {
        for id in identity == 0 ? [0] : [0, identity] {
          guard let found = levels[other]?[id] else { continue }
          let isSame = other == key && id == identity
          if found.precedence > entry.precedence { return }
          if isDeny, found.precedence == entry.precedence, !isSame { return }
        }
      }
      for other in keys where key.covers(other) {
        removeCovered(other, key, identity, entry.precedence)
      }
    }
    add(key, identity, entry)
  }

  private mutating func removeCovered(
    _ other: PortKey, _ key: PortKey, _ identity: UInt32, _ precedence: Precedence
  ) {
    func isBeaten(_ found: Entry, _ id: UInt32) -> Bool {
      found.precedence < precedence
        || precedence.isDeny && found.precedence == precedence && !(other == key && id == identity)
    }
    if identity == 0 {
      guard let level = levels[other], level.contains(where: { isBeaten($0.value, $0.key) }) else { return }
      levels[other] = level.filter { !isBeaten($0.value, $0.key) }
    } else if let found = levels[other]?[identity], isBeaten(found, identity) {
      levels[other]?[identity] = nil
    }
  }

  private mutating func add(_ key: PortKey, _ identity: UInt32, _ entry: Entry) {
    if levels[key] == nil {
      levels[key] = [:]
      keys.append(key)
    }
    guard let old = levels[key]?[identity] else {
      levels[key]?[identity] = entry
      return
    }
    if old.precedence.isOfSameLevel(as: entry.precedence) {
      var merged = old
      merged.precedence = max(old.precedence, entry.precedence)
      if entry.proxyPort != 0, old.proxyPort == 0 || entry.precedence > old.precedence {
        merged.proxyPort = entry.proxyPort
      }
      for origin in entry.origins where !merged.origins.contains(origin) { merged.origins.append(origin) }
      levels[key]?[identity] = merged
    } else if old.precedence < entry.precedence {
      levels[key]?[identity] = entry
    }
  }

  /// The map's entries, by direction, identity, protocol and port.
  ///
  /// Source of the key's prefix length: Cilium `pkg/maps/policymap/policymap.go`.
  func rendered() -> (table: LPMTable<PolicyKey, PolicyEntry>, origins: [[PolicyOrigin]]) {
    var rows: [(key: PortKey, identity: UInt32, entry: Entry)] = []
    for (key, level) in levels {
      for (identity, entry) in level { rows.append((key, identity, entry)) }
    }
    rows.sort { a, b in
      if a.key.isEgress != b.key.isEgress { return b.key.isEgress }
      return a.identity == b.identity ? a.key < b.key : a.identity < b.identity
    }
    var table = LPMTable<PolicyKey, PolicyEntry>()
    table.reserveCapacity(rows.count)
    var origins: [[PolicyOrigin]] = []
    origins.reserveCapacity(rows.count)
    for row in rows {
      let bits = row.key.bits
      var key = PolicyKey(
        identity: row.identity, egress: row.key.isEgress, protocol: row.key.transport,
        port: row.key.prefix.port)
      key.prefixlen = UInt32(POLICY_PREFIX_STATIC.rawValue) + bits
      let flags: UInt32 =
        (row.entry.precedence.isDeny ? POLICY_ENTRY_DENY.rawValue : 0) | bits
        << UInt32(POLICY_ENTRY_PREFIX_SHIFT.rawValue)
      table[exactly: key] = PolicyEntry(
        proxy_port: row.entry.proxyPort, bits: UInt8(truncatingIfNeeded: flags), auth: 0,
        precedence: row.entry.precedence.bits,
        cookie: 0)
      origins.append(row.entry.origins.sorted())
    }
    return (table, origins)
  }
}

extension MapState.PortKey {
  /// How many bits of protocol and port count: 0, 8, or 8 and those of the port.
  fileprivate var bits: UInt32 {
    guard transport != 0 || prefix.port != 0 else { return 0 }
    return 8 + (prefix.port != 0 ? UInt32(prefix.length) : 0)
  }
}
