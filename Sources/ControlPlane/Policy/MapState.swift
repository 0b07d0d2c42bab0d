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

  struct Key: Hashable {
    var port: PortKey
    /// 0 for every identity.
    var identity: UInt32

    func with(identity: UInt32) -> Key { Key(port: port, identity: identity) }
  }

  /// What a pass verdict leaves on a key: entries of lower tiers that it covers rank right behind it.
  struct PassMark: Hashable {
    var precedence: UInt32
    /// The precedences of its tier.
    var tierMax: UInt32
    var tierMin: UInt32

    /// Whether a verdict of that precedence leaves it standing: it is of another tier, or ranks before.
    func survives(_ other: UInt32) -> Bool {
      !(tierMin...max(tierMin, tierMax) ~= other) || precedence > other
    }
  }

  struct Entry: Equatable {
    /// nil where there is nothing but passes.
    var precedence: Precedence?
    /// 0 for none.
    var proxyPort: UInt16 = 0
    var auth = AuthRequirement.none
    var origins: [PolicyOrigin] = []
    /// At most one of each tier, the lowest tier first.
    var passes: [PassMark] = []

    var isDeny: Bool { precedence?.isDeny ?? false }
    /// 0 where there is no verdict, which every verdict beats.
    var rank: UInt32 { precedence?.bits ?? 0 }
  }

  /// Entries by identity, for each port key: the keys are few, the identities many.
  private(set) var levels: [PortKey: [UInt32: Entry]] = [:]
  /// The keys of `levels`, since they are searched all the time.
  private(set) var ports: [PortKey] = []

  subscript(key: Key) -> Entry? {
    get { levels[key.port]?[key.identity] }
    set {
      if levels[key.port] == nil {
        guard newValue != nil else { return }
        levels[key.port] = [:]
        ports.append(key.port)
      }
      levels[key.port]?[key.identity] = newValue
    }
  }

  // MARK: Neighbours of a key

  /// Entries of the same or broader ports, for the same identity or for every one.
  func covering(_ key: Key) -> [(Key, Entry)] {
    var result: [(Key, Entry)] = []
    for port in ports where port.covers(key.port) {
      guard let level = levels[port] else { continue }
      if let entry = level[0] { result.append((Key(port: port, identity: 0), entry)) }
      if key.identity != 0, let entry = level[key.identity] {
        result.append((Key(port: port, identity: key.identity), entry))
      }
    }
    return result
  }

  /// The same; for a key of every identity those of single ones as well.
  func broader(_ key: Key) -> [(Key, Entry)] {
    guard key.identity == 0 else { return covering(key) }
    var result: [(Key, Entry)] = []
    for port in ports where port.covers(key.port) {
      for (identity, entry) in levels[port] ?? [:] {
        result.append((Key(port: port, identity: identity), entry))
      }
    }
    return result
  }

  /// Entries of the same or narrower ports, for the same identity, or for any under a key of every identity.
  func covered(_ key: Key) -> [(Key, Entry)] {
    narrower(key).filter { key.identity == 0 || $0.0.identity == key.identity }
  }

  /// The same; for a key of one identity those of every identity as well.
  func narrower(_ key: Key) -> [(Key, Entry)] {
    var result: [(Key, Entry)] = []
    for port in ports where key.port.covers(port) {
      guard let level = levels[port] else { continue }
      if key.identity == 0 {
        for (identity, entry) in level { result.append((Key(port: port, identity: identity), entry)) }
      } else {
        for identity in [0, key.identity] {
          if let entry = level[identity] { result.append((Key(port: port, identity: identity), entry)) }
        }
      }
    }
    return result
  }

  /// Puts an entry in, merged with what is there.
  ///
  /// Source: Cilium `addKeyWithChanges`, `MapStateEntry.Merge`.
  mutating func add(_ key: Key, _ new: Entry) {
    guard var old = self[key] else {
      self[key] = new
      return
    }
    old.passes = new.passes.reduce(into: old.passes) { $0.collect($1) }
    switch (old.precedence, new.precedence) {
    case (_, nil): break
    case (nil, _?):
      old.take(new)
    case (let known?, let precedence?):
      if known.isOfSameLevel(as: precedence) {
        old.merge(new)
      } else if known < precedence {
        old.take(new)
      }
    }
    self[key] = old
  }
}

extension MapState.Entry {
  /// The other's verdict; the passes stay.
  mutating func take(_ other: Self) {
    let passes = passes
    self = other
    self.passes = passes
  }

  /// Joins an entry of the same level: the first listener by rank, the stricter authentication.
  fileprivate mutating func merge(_ other: Self) {
    for origin in other.origins where !origins.contains(origin) { origins.append(origin) }
    guard !isDeny, let own = precedence, let theirs = other.precedence else { return }
    if other.proxyPort != 0, theirs > own || theirs == own && other.proxyPort < proxyPort {
      proxyPort = other.proxyPort
      precedence = theirs
    }
    if other.auth.isExplicit == auth.isExplicit {
      if other.auth.bits > auth.bits { auth = other.auth }
    } else if other.auth.isExplicit {
      auth = other.auth
    }
  }
}

extension [MapState.PassMark] {
  /// Takes a mark in, unless one of its tier ranks before it.
  mutating func collect(_ mark: MapState.PassMark) {
    guard mark.precedence != 0, mark.precedence >= mark.tierMin, mark.precedence <= mark.tierMax else {
      return
    }
    let position = firstIndex { $0.tierMin >= mark.tierMin } ?? endIndex
    guard position < endIndex, self[position].tierMin == mark.tierMin else {
      return insert(mark, at: position)
    }
    if mark.precedence > self[position].precedence { self[position] = mark }
  }
}
