import MapABI

extension MapState {
  /// Adds an entry unless a better one covers it, and takes out those that it covers and beats.
  ///
  /// - Parameters:
  ///   - tierMax: the highest precedence of the entry's tier.
  ///   - features: what the rules of the direction make use of.
  mutating func insert(
    _ key: Key, _ entry: Entry, tierMax: UInt32, _ features: ResolvedPolicy.Features
  ) {
    if features.passes { return insertWithPasses(key, entry, tierMax: tierMax) }
    if entry.isDeny {
      let isBetter = covering(key).contains { other, found in
        found.rank > entry.rank || found.rank == entry.rank && other != key
      }
      if isBetter { return }
      takeOut(key) { other, found in found.rank < entry.rank || found.rank == entry.rank && other != key }
    } else if features.authentication {
      return insertAuthenticated(key, entry)
    } else if features.precedences {
      if covering(key).contains(where: { $0.1.rank > entry.rank }) { return }
      takeOut(key) { _, found in found.rank < entry.rank }
    }
    add(key, entry)
  }

  /// Takes out covered entries.
  private mutating func takeOut(_ key: Key, where isBeaten: (Key, Entry) -> Bool) {
    for port in ports where key.port.covers(port) {
      guard let level = levels[port] else { continue }
      if key.identity == 0 {
        for (identity, found) in level where isBeaten(Key(port: port, identity: identity), found) {
          self[Key(port: port, identity: identity)] = nil
        }
      } else if let found = level[key.identity], isBeaten(Key(port: port, identity: key.identity), found) {
        self[Key(port: port, identity: key.identity)] = nil
      }
    }
  }

  /// An allow among rules that ask for authentication: what a broader entry for the same identity asks for counts
  /// where the narrower one leaves it open.
  ///
  /// Source: Cilium `authPreferredInsert`.
  private mutating func insertAuthenticated(_ key: Key, _ entry: Entry) {
    var entry = entry
    var isDerived = false
    let isExplicit = entry.auth.isExplicit
    for (other, found) in ofSameIdentity(covering: key) {
      guard let precedence = found.precedence, let own = entry.precedence else { continue }
      if precedence > own {
        if found.isDeny || !isExplicit { return }
        // It asks for something else, so that it stays, and ranks as what covers it.
        entry.proxyPort = found.proxyPort
        entry.precedence = precedence
        break
      }
      if !isDerived, !isExplicit, other.port != key.port, found.auth.isExplicit,
        precedence.asAllow >= own.asAllow
      {
        entry.auth = found.auth.derived
        isDerived = true
      }
    }
    hand(entry, at: key, isExplicit: isExplicit)
    add(key, entry)
  }

  /// Gives narrower entries for the same identity what they leave open, and takes out those that are beaten.
  private mutating func hand(_ entry: Entry, at key: Key, isExplicit: Bool) {
    var isStopped = false
    for (other, found) in ofSameIdentity(coveredBy: key) {
      var found = found
      if found.rank < entry.rank {
        guard found.auth.isExplicit else {
          self[other] = nil
          continue
        }
        found.proxyPort = entry.proxyPort
        found.precedence = entry.precedence
        self[other] = found
      }
      guard !isStopped, isExplicit, other.port != key.port else { continue }
      if found.isDeny || found.auth.isExplicit {
        isStopped = true
      } else if found.auth.type != entry.auth.type {
        found.auth = entry.auth.derived
        self[other] = found
      }
    }
  }

  /// The longest ports first.
  private func ofSameIdentity(covering key: Key) -> [(Key, Entry)] {
    covering(key).filter { $0.0.identity == key.identity }
      .sorted { ($1.0.port.bits, $1.0.port) < ($0.0.port.bits, $0.0.port) }
  }

  /// The shortest ports first.
  private func ofSameIdentity(coveredBy key: Key) -> [(Key, Entry)] {
    covered(key).filter { $0.0.identity == key.identity }
      .sorted { ($0.0.port.bits, $0.0.port) < ($1.0.port.bits, $1.0.port) }
  }
}

extension MapState {
  /// The map's entries, by direction, identity, protocol and port.
  ///
  /// Source of the key's prefix length: Cilium `pkg/maps/policymap/policymap.go`.
  func rendered() -> (table: LPMTable<PolicyKey, PolicyEntry>, origins: [[PolicyOrigin]]) {
    var rows: [(key: PortKey, identity: UInt32, entry: Entry)] = []
    for (key, level) in levels {
      for (identity, entry) in level where entry.precedence != nil { rows.append((key, identity, entry)) }
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
        (row.entry.isDeny ? POLICY_ENTRY_DENY.rawValue : 0) | bits
        << UInt32(POLICY_ENTRY_PREFIX_SHIFT.rawValue)
      table[exactly: key] = PolicyEntry(
        proxy_port: row.entry.proxyPort.bigEndian, bits: UInt8(truncatingIfNeeded: flags),
        auth: row.entry.auth.bits, precedence: row.entry.rank, cookie: 0)
      origins.append(row.entry.origins.sorted())
    }
    return (table, origins)
  }
}

extension MapState.PortKey {
  /// How many bits of protocol and port count: 0, 8, or 8 and those of the port.
  var bits: UInt32 {
    guard transport != 0 || prefix.port != 0 else { return 0 }
    return 8 + (prefix.port != 0 ? UInt32(prefix.length) : 0)
  }
}
