import Wire

/// What the agent of a node has learnt of names, and what keeps it from forgetting.
///
/// Every endpoint has a history of what it was answered. What has outlived its TTL there is a zombie: it counts until
/// two passes over conntrack have found no connection to the address. Times are nanoseconds since the scenario began.
///
/// Source: Cilium `pkg/fqdn/cache.go`, `pkg/fqdn/namemanager/{manager,gc}.go`.
struct NameCache: Sendable {
  fileprivate struct Zombie: Sendable {
    var names: Set<String>
    var aliveAt: UInt64
    var expiredAt: UInt64
    /// Which pass over conntrack was the last when it came.
    var pass: Int
  }

  fileprivate struct History: Sendable {
    /// When an answer has outlived its time.
    var expiries: [String: [IPAddress: UInt64]] = [:]
    var zombies: [IPAddress: Zombie] = [:]
    var lastPass: UInt64 = 0
    var passes = 0
  }

  private var histories: [UInt16: History] = [:]
  /// The addresses of each name that the node's ipcache tells of.
  private(set) var addresses: [String: Set<IPAddress>] = [:]
  /// When the next look for what is out of date is due.
  private(set) var nextCollection = NameCache.interval

  /// Once a minute.
  static let interval: UInt64 = 60_000_000_000

  init() {}

  /// Takes in what a name server answered an endpoint.
  ///
  /// - Parameter lifetime: of the answer, no shorter than the agent's minimum.
  mutating func learn(
    _ name: String, _ found: [IPAddress], endpoint: UInt16, lifetime: UInt64, now: UInt64
  ) {
    var history = histories[endpoint] ?? History()
    for address in found {
      let expiry = now &+ lifetime
      history.expiries[name, default: [:]][address] =
        max(expiry, history.expiries[name]?[address] ?? expiry)
      if let zombie = history.zombies[address], zombie.expiredAt <= now {
        history.zombies[address]?.names.remove(name)
        if history.zombies[address]?.names.isEmpty == true { history.zombies[address] = nil }
      }
    }
    histories[endpoint] = history
    addresses[name, default: []].formUnion(found)
  }

  /// A pass over conntrack has ended: these addresses still have connections of the endpoint.
  mutating func notePass(endpoint: UInt16, alive: Set<IPAddress>, now: UInt64) {
    guard var history = histories[endpoint] else { return }
    for address in alive { history.zombies[address]?.aliveAt = now }
    history.lastPass = now
    history.passes += 1
    histories[endpoint] = history
  }

  /// Forgets an endpoint that is gone.
  mutating func keep(_ endpoints: Set<UInt16>) {
    histories = histories.filter { endpoints.contains($0.key) }
  }

  /// Makes zombies of what has run out, and forgets those that nothing keeps.
  ///
  /// - Parameter limit: how many addresses of a name an endpoint may have.
  mutating func collect(limit: Int, now: UInt64) {
    while nextCollection <= now { nextCollection &+= NameCache.interval }
    var left: [String: Set<IPAddress>] = [:]
    for endpoint in histories.keys.sorted() {
      guard var history = histories[endpoint] else { continue }
      history.expire(limit: limit, now: now)
      for (address, zombie) in history.zombies {
        for name in zombie.names { left[name, default: []].insert(address) }
      }
      for (name, entries) in history.expiries { left[name, default: []].formUnion(entries.keys) }
      histories[endpoint] = history
    }
    addresses = left
  }
}

extension NameCache.History {
  fileprivate mutating func expire(limit: Int, now: UInt64) {
    for name in expiries.keys.sorted() {
      guard let entries = expiries[name] else { continue }
      var order = entries.sorted { ($0.value, $0.key.description) < ($1.value, $1.key.description) }
      let overLimit = max(0, order.count - limit)
      let gone = order.enumerated().filter { $0.offset < overLimit || $0.element.value <= now }.map(\.element)
      for (address, expiry) in gone { bury(address, name, expiry) }
      order.removeAll { entry in gone.contains { $0.key == entry.key } }
      expiries[name] = order.isEmpty ? nil : Dictionary(uniqueKeysWithValues: order)
    }
    let alive = Set(zombies.values.filter(isConnected).flatMap(\.names))
    zombies = zombies.filter { !$0.value.names.isDisjoint(with: alive) }
  }

  private mutating func bury(_ address: IPAddress, _ name: String, _ expiry: UInt64) {
    var zombie =
      zombies[address]
      ?? NameCache.Zombie(names: [], aliveAt: lastPass, expiredAt: expiry, pass: passes)
    zombie.names.insert(name)
    zombie.expiredAt = max(zombie.expiredAt, expiry)
    zombie.aliveAt = max(zombie.aliveAt, lastPass)
    zombies[address] = zombie
  }

  /// Whether a connection may still be there: no pass has said the opposite, or fewer than two have come.
  private func isConnected(_ zombie: NameCache.Zombie) -> Bool {
    lastPass <= zombie.expiredAt || lastPass <= zombie.aliveAt || passes < zombie.pass + 2
  }
}
