import CLibbpf
import Datapath
import MapABI

/// A node's maps in the kernel: one of each name, shared by all its programs; policy maps one for each endpoint.
final class NodeMapSet {
  private let layouts: MapLayouts
  /// How large maps are made.
  var room: MapRoom
  private var shared: [String: BPFMap] = [:]
  private var known: [MapID: BPFMap] = [:]
  private(set) var policies: [UInt16: BPFMap] = [:]
  var shift: ClockShift = .none

  /// Working space that each loaded object has for itself, and what of it is mapped here.
  private var scratch: [MappedArray.Shared] = []
  private var scratchSpans: [(base: UnsafeMutableRawPointer, count: Int)] = []

  /// Cilium's programs hand state from tail call to tail call in these, and do not clear them.
  private static let scratchMaps: Set<String> = [
    "cilium_tail_call_buffer4", "cilium_tail_call_buffer6", "cilium_nodeport_nat_buffer",
  ]

  init(layouts: MapLayouts, room: MapRoom = MapRoom()) {
    self.layouts = layouts
    self.room = room
  }

  /// Maps that the model has no table for.
  var unmodelled: [BPFMap] {
    shared.values.filter { map in !MapID.allCases.contains { $0.name == map.name } }
  }

  subscript(name: String) -> BPFMap? { shared[name] }
  subscript(map: MapID, endpoint: UInt16) -> BPFMap? { map == .policy ? policies[endpoint] : known[map] }

  /// What an object that is loaded for `endpoint` uses for its map `name`; made and filled when it is new.
  func placement(
    _ name: String, _ shape: MapShape, endpoint: UInt16, maps: borrowing NodeMaps
  ) throws(KernelError) -> MapPlacement {
    if name == ObjectFile.tailCallMap { return .fresh(shape.maxEntries) }
    if Self.scratchMaps.contains(name), shape.type == BPF_MAP_TYPE_PERCPU_ARRAY.rawValue {
      return .existing(try scratchMap(name, shape))
    }
    if name == MapID.policy.name { return .existing(try policy(endpoint, shape, maps)) }
    if let map = shared[name] {
      try checkAlike(map, shape)
      return .existing(map)
    }
    if shape.type == BPF_MAP_TYPE_HASH_OF_MAPS.rawValue || shape.type == BPF_MAP_TYPE_ARRAY_OF_MAPS.rawValue {
      return .shared(min(shape.maxEntries, room.size(shape, nil, holding: 0)))  // libbpf knows the inner map
    }
    var sized = shape
    if shape.type == BPF_MAP_TYPE_PERF_EVENT_ARRAY.rawValue {
      sized.maxEntries = UInt32(Processors.possible)
    }
    let id = MapID.allCases.first { $0.name == name }
    if shape.isSizable { sized.maxEntries = room.size(shape, id, holding: id.map { maps.count($0) } ?? 0) }
    let map = try BPFMap.create(name: name, sized)
    if let id {
      try check(map, id)
      try fill(map, id, 0, maps)
      known[id] = map
    }
    shared[name] = map
    return .existing(map)
  }

  /// The endpoints' policy programs by endpoint id. Made here, because the programs that stand in it do not name it.
  func policyPrograms() throws(KernelError) -> BPFMap {
    let name = "cilium_call_policy"
    if let map = shared[name] { return map }
    let map = try BPFMap.create(
      name: name,
      MapShape(
        type: BPF_MAP_TYPE_PROG_ARRAY.rawValue, keySize: 4, valueSize: 4, maxEntries: 65536, flags: 0))
    shared[name] = map
    return map
  }

  /// Remembers a map that libbpf has made.
  func adopt(_ map: BPFMap) { shared[map.name] = map }

  /// A plain array in place of a per-CPU one, so that it can be cleared from here without a system call: runs of one
  /// node never overlap, and a program sees one value in either.
  private func scratchMap(_ name: String, _ shape: MapShape) throws(KernelError) -> BPFMap {
    var plain = shape
    plain.type = BPF_MAP_TYPE_ARRAY.rawValue
    plain.flags |= UInt32(BPF_F_MMAPABLE)
    let map = try BPFMap.create(name: name, plain)
    let mapped = try MappedArray.Shared(MappedArray(map, size: shape.valueSize))
    scratch.append(mapped)
    scratchSpans.append((mapped.array.value, shape.valueSize))
    return map
  }

  /// Clears the working space that a packet before has left: what a real node would find there depends on its past.
  func clearScratch(to octet: UInt8 = 0) {
    for span in scratchSpans {
      span.base.initializeMemory(as: UInt8.self, repeating: octet, count: span.count)
    }
  }

  /// Octets of working space that are cleared before each run.
  var scratchSize: Int { scratchSpans.reduce(0) { $0 + $1.count } }

  private func policy(
    _ endpoint: UInt16, _ shape: MapShape, _ maps: borrowing NodeMaps
  ) throws(KernelError) -> BPFMap {
    if let map = policies[endpoint] { return map }
    var sized = shape
    sized.maxEntries = room.size(
      shape, .policy, endpoint: endpoint, holding: maps.count(.policy, endpoint: endpoint))
    let map = try BPFMap.create(name: MapID.policy.name, sized)
    try check(map, .policy)
    try fill(map, .policy, endpoint, maps)
    policies[endpoint] = map
    return map
  }

  private func checkAlike(_ map: BPFMap, _ shape: MapShape) throws(KernelError) {
    guard map.shape.type == shape.type, map.shape.keySize == shape.keySize,
      map.shape.valueSize == shape.valueSize, map.shape.flags == shape.flags
    else {
      throw KernelError(
        .object, call: "share map",
        detail: "\(map.name): objects of one node define it differently: \(map.shape) and \(shape)")
    }
  }

  private func check(_ map: BPFMap, _ id: MapID) throws(KernelError) {
    let size = layouts.valueSize(id)
    guard map.shape.keySize == id.keySize, map.shape.valueSize == size else {
      throw KernelError(
        .object, call: "map layout",
        detail: "\(map.name): key \(map.shape.keySize) and value \(map.shape.valueSize) octets, expected "
          + "\(id.keySize) and \(size)")
    }
  }

  /// How values of a map go over.
  func codec(_ id: MapID, _ map: BPFMap) -> ValueCodec {
    ValueCodec(map: id, shape: map.shape, layout: layouts.values[id], shift: shift)
  }

  private func fill(_ map: BPFMap, _ id: MapID, _ endpoint: UInt16, _ maps: borrowing NodeMaps)
    throws(KernelError)
  {
    var filler = BatchFill(target: map, codec: codec(id, map))
    try maps.visit(id, endpoint: endpoint, &filler)
  }

  /// Brings one entry to what `maps` says it is; does nothing if no loaded program has the map.
  func send(_ key: MapEntryKey, from maps: borrowing NodeMaps) throws(KernelError) {
    guard let map = self[key.map, key.endpoint] else { return }
    var lookup = EntryLookup(key.words)
    maps.visit(key.map, endpoint: key.endpoint, &lookup)
    var outcome: Result<Void, KernelError> = .success(())
    withUnsafeBytes(of: key.words) { words in
      guard let address = words.baseAddress else { return }
      do throws(KernelError) {
        guard let value = lookup.value else { return try map.delete(address) }
        var encoded = [UInt8](repeating: 0, count: map.shape.transferSize)
        encoded.withUnsafeMutableBytes { target in
          value.withUnsafeBytes { source in
            if let from = source.baseAddress, let to = target.baseAddress {
              codec(key.map, map).encode(from, into: to)
            }
          }
        }
        try map.update(address, encoded)
      } catch {
        outcome = .failure(error)
      }
    }
    try outcome.get()
  }

  /// Moves the times in all maps to another clock.
  func move(to newShift: ClockShift) throws(KernelError) {
    let difference = ClockShift(seconds: newShift.seconds &- shift.seconds)
    guard difference != .none else { return }
    for id in ClockShift.maps {
      guard let map = known[id] else { continue }
      let dump = try map.readAll()
      guard dump.count > 0 else { continue }
      // Times stand at the same places in every version's layout.
      for index in 0..<dump.count {
        difference.apply(to: dump.values + index * dump.valueSize, of: id)
      }
      try map.updateAll(dump.keys, dump.values, count: dump.count)
    }
    shift = newShift
  }
}

/// Which map an object is given.
enum MapPlacement {
  case existing(BPFMap)
  /// A new one of this size, for the object alone.
  case fresh(UInt32)
  /// A new one of this size, which later objects share.
  case shared(UInt32)
}

/// One entry of one map.
struct MapEntryKey: Hashable {
  var map: MapID
  var endpoint: UInt16
  var words: InlineArray<5, UInt64>

  init(_ change: MapChange) {
    map = change.map
    endpoint = change.endpoint
    words = change.keyWords
  }

  static func == (a: Self, b: Self) -> Bool {
    guard a.map == b.map, a.endpoint == b.endpoint else { return false }
    for index in a.words.indices where a.words[index] != b.words[index] { return false }
    return true
  }

  func hash(into hasher: inout Hasher) {
    hasher.combine(map)
    hasher.combine(endpoint)
    for index in words.indices { hasher.combine(words[index]) }
  }
}
