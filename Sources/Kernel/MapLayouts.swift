import MapABI

/// How an object lays out the values of the maps, compared with `bpf/abi/maps.h`.
struct MapLayouts: Sendable {
  /// Translations of values that differ; a map without one has our layout.
  private(set) var values: [MapID: ValueLayout] = [:]

  static let native = MapLayouts()

  /// The size of a map's value in the kernel.
  func valueSize(_ map: MapID) -> Int { values[map]?.size ?? map.valueSize }

  /// Reads the layouts of the maps that an object defines. Throws when a key differs, or when a value has a field
  /// that is not known here: a wider value would be cut off silently.
  mutating func adopt(_ types: BTFTypes, object: String) throws(KernelError) {
    for map in MapID.allCases {
      if let key = types.mapSide(map.name, "key"), key.size != map.keySize {
        throw Self.unknown(map, "key", "\(map.keySize) octets", key, object)
      }
      guard let found = types.mapSide(map.name, "value") else { continue }
      let layout = try ValueLayout.translation(of: map, to: found, object: object)
      if let known = values[map], let layout, known != layout {
        throw Self.unknown(map, "value", "the layout of the other objects", found, object)
      }
      if let layout { values[map] = layout }
    }
  }

  static func unknown(
    _ map: MapID, _ side: String, _ expected: String, _ found: StructLayout, _ object: String
  ) -> KernelError {
    KernelError(
      .object, call: "map layout",
      detail: "\(object): the \(side) of \(map.name) is not laid out as known; expected \(expected), found "
        + "\(found)")
  }
}

/// Moves a value's fields between our layout and another.
struct ValueLayout: Sendable, Equatable {
  /// Octets of the other layout.
  var size: Int
  var moves: [Move]

  /// A run of octets: where it is in ours and in theirs.
  struct Move: Sendable, Equatable {
    var ours: Int
    var theirs: Int
    var count: Int
  }

  /// Theirs from ours; octets without a counterpart are zero.
  func encode(_ ours: UnsafeRawPointer, into theirs: UnsafeMutableRawPointer) {
    theirs.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    for move in moves { (theirs + move.theirs).copyMemory(from: ours + move.ours, byteCount: move.count) }
  }

  /// Ours from theirs.
  func decode(_ theirs: UnsafeRawPointer, into ours: UnsafeMutableRawPointer, size: Int) {
    ours.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    for move in moves { (ours + move.ours).copyMemory(from: theirs + move.theirs, byteCount: move.count) }
  }

  /// The translation to `found`; nil when it is our layout.
  static func translation(
    of map: MapID, to found: StructLayout, object: String
  ) throws(KernelError) -> ValueLayout? {
    guard let known = FieldNames.of(map) else {
      guard found.size == map.valueSize else {
        throw MapLayouts.unknown(map, "value", "\(map.valueSize) octets", found, object)
      }
      return nil
    }
    var moves: [Move] = []
    for field in found.fields {
      guard field.bitOffset / 8 + (field.bits + 7) / 8 <= found.size else { continue }
      // Bit-fields are moved with the octet that holds them.
      let start = field.bitOffset / 8
      let count = (field.bitOffset % 8 + field.bits + 7) / 8
      if let ours = known.first(where: { $0.names.contains(field.name) }) {
        guard count <= ours.size else {
          throw MapLayouts.unknown(map, "value", "\(field.name) of \(ours.size) octets", found, object)
        }
        let move = Move(ours: ours.offset, theirs: start, count: count)
        if !moves.contains(move) { moves.append(move) }
      } else if !FieldNames.isPadding(field.name) {
        throw MapLayouts.unknown(map, "value", "no field \(field.name)", found, object)
      }
    }
    let isSame = found.size == map.valueSize && moves.allSatisfy { $0.ours == $0.theirs }
    return isSame ? nil : ValueLayout(size: found.size, moves: moves)
  }
}
