/// The contents of a node's maps.
public struct NodeMaps: Sendable {
  public var endpoints = FlatTable<EndpointKey, EndpointInfo>()
  public var ipcache = LPMTable<IPCacheKey, RemoteEndpointInfo>()
  public var policies = EndpointPolicies()
  public var policyStats = FlatTable<PolicyStatsKey, Counters>()
  public var ct4TCP = FlatTable<CTTuple4, CTEntry>()
  public var ct4Any = FlatTable<CTTuple4, CTEntry>()
  public var ct6TCP = FlatTable<CTTuple6, CTEntry>()
  public var ct6Any = FlatTable<CTTuple6, CTEntry>()
  public var services4 = FlatTable<ServiceKey4, ServiceEntry>()
  public var services6 = FlatTable<ServiceKey6, ServiceEntry>()
  public var backends4 = FlatTable<UInt32, Backend4>()
  public var backends6 = FlatTable<UInt32, Backend6>()
  public var reverseNAT4 = FlatTable<UInt16, ReverseNAT4>()
  public var reverseNAT6 = FlatTable<UInt16, ReverseNAT6>()
  public var affinity4 = FlatTable<AffinityKey4, AffinityValue>()
  public var affinity6 = FlatTable<AffinityKey6, AffinityValue>()
  public var affinityMatch = FlatTable<AffinityMatch, UInt8>()
  public var nat4 = FlatTable<CTTuple4, NATEntry4>()
  public var nat6 = FlatTable<CTTuple6, NATEntry6>()
  public var fragments4 = FlatTable<FragmentKey4, FragmentPorts>()
  public var fragments6 = FlatTable<FragmentKey6, FragmentPorts>()
  public var metrics = FlatTable<MetricsKey, Counters>()
  public var auth = FlatTable<AuthKey, AuthInfo>()
  public var nodes = FlatTable<NodeKey, NodeValue>()
  public var devices = FlatTable<UInt32, DeviceState>()
  public var rateLimit = FlatTable<RateLimitKey, RateLimitValue>()

  public init() {}

  /// Carries a change out.
  public mutating func apply(_ change: MapChange) {
    switch change.map {
    case .endpoints: change.apply(to: &endpoints)
    case .ipcache: change.apply(to: &ipcache)
    case .policy: policies.apply(change)
    case .policyStats: change.add(to: &policyStats)
    case .ct4TCP: change.apply(to: &ct4TCP)
    case .ct4Any: change.apply(to: &ct4Any)
    case .ct6TCP: change.apply(to: &ct6TCP)
    case .ct6Any: change.apply(to: &ct6Any)
    case .services4: change.apply(to: &services4)
    case .services6: change.apply(to: &services6)
    case .backends4: change.apply(to: &backends4)
    case .backends6: change.apply(to: &backends6)
    case .reverseNAT4: change.apply(to: &reverseNAT4)
    case .reverseNAT6: change.apply(to: &reverseNAT6)
    case .affinity4: change.apply(to: &affinity4)
    case .affinity6: change.apply(to: &affinity6)
    case .affinityMatch: change.apply(to: &affinityMatch)
    case .nat4: change.apply(to: &nat4)
    case .nat6: change.apply(to: &nat6)
    case .fragments4: change.apply(to: &fragments4)
    case .fragments6: change.apply(to: &fragments6)
    case .metrics: change.add(to: &metrics)
    case .auth: change.apply(to: &auth)
    case .nodes: change.apply(to: &nodes)
    case .devices: change.apply(to: &devices)
    case .rateLimit: change.apply(to: &rateLimit)
    }
  }
}

extension MapChange {
  fileprivate func apply<Key: MapKey, Value: MapValue>(to table: inout FlatTable<Key, Value>) {
    table[key(as: Key.self)] = operation == .delete ? nil : value(as: Value.self)
  }

  fileprivate func apply<Key: LPMKey, Value: MapValue>(to table: inout LPMTable<Key, Value>) {
    table[exactly: key(as: Key.self)] = operation == .delete ? nil : value(as: Value.self)
  }

  fileprivate func add<Key: MapKey>(to table: inout FlatTable<Key, Counters>) {
    let key = key(as: Key.self)
    guard operation == .add else {
      table[key] = operation == .delete ? nil : value(as: Counters.self)
      return
    }
    let added = value(as: Counters.self)
    var sum = table[key] ?? Counters(packets: 0, bytes: 0)
    sum.packets &+= added.packets
    sum.bytes &+= added.bytes
    table[key] = sum
  }
}

/// The policy map of each endpoint of a node.
public struct EndpointPolicies: Sendable {
  public typealias Table = LPMTable<PolicyKey, PolicyEntry>
  /// Ascending endpoint ids.
  public internal(set) var endpoints: [UInt16] = []
  @usableFromInline var tables: [Table] = []

  public init() {}

  /// The policy of an endpoint; an endpoint without one has an empty map. Assigning nil removes it.
  public subscript(endpoint: UInt16) -> Table? {
    get { position(of: endpoint).map { tables[$0] } }
    set {
      if let position = position(of: endpoint) {
        if let newValue {
          tables[position] = newValue
        } else {
          endpoints.remove(at: position)
          tables.remove(at: position)
        }
      } else if let newValue {
        let position = endpoints.firstIndex { $0 > endpoint } ?? endpoints.count
        endpoints.insert(endpoint, at: position)
        tables.insert(newValue, at: position)
      }
    }
  }

  /// The entry that decides for `key`, without copying the table.
  @inlinable @inline(__always)
  public func match(_ key: PolicyKey, endpoint: UInt16) -> PolicyEntry? {
    guard let position = position(of: endpoint) else { return nil }
    return tables[position][matching: key]
  }

  /// See ``FlatTable/prefetch(_:)``.
  @inlinable @inline(__always)
  public func prefetch(_ key: PolicyKey, endpoint: UInt16) -> UInt64 {
    guard let position = position(of: endpoint) else { return 0 }
    return tables[position].entries.prefetch(key)
  }

  /// See ``FlatTable/prefetchEntry(_:)``.
  @inlinable @inline(__always)
  public func prefetchEntry(_ hash: UInt64, endpoint: UInt16) {
    guard let position = position(of: endpoint) else { return }
    tables[position].entries.prefetchEntry(hash)
  }

  mutating func apply(_ change: MapChange) {
    if position(of: change.endpoint) == nil { self[change.endpoint] = Table() }
    guard let position = position(of: change.endpoint) else { return }
    change.apply(to: &tables[position])
  }

  @inlinable @inline(__always)
  func position(of endpoint: UInt16) -> Int? {
    var low = 0
    var high = endpoints.count
    while low < high {
      let middle = (low + high) / 2
      if endpoints[middle] < endpoint { low = middle + 1 } else { high = middle }
    }
    return low < endpoints.count && endpoints[low] == endpoint ? low : nil
  }
}
