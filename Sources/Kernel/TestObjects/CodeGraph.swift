/// Which functions of an object reach which others, and which maps their code names.
///
/// Edges are calls, callbacks, and tail calls through arrays of programs that the object itself fills (`values` of a
/// map's definition, or a tag `tail:MAP/SLOT`). A tail call whose slot is no constant reaches the whole array.
struct CodeGraph: Sendable {
  struct Function: Sendable {
    var name: String
    var section: String
    var callees: [Int] = []
    var tailCalls: [TailCall] = []
    var maps: Set<String> = []
  }

  struct TailCall: Sendable, Equatable {
    var map: String
    /// Nil when the code does not tell.
    var slot: UInt32?
  }

  struct Slot: Sendable, Equatable {
    var map: String
    var slot: UInt32
    var program: String
  }

  let functions: [Function]
  /// What stands in arrays of programs.
  let slots: [Slot]
  /// Maps that stand in other maps from the start.
  let innerMaps: [(outer: String, inner: String)]

  init(_ image: ELFImage) throws(KernelError) {
    let places = Self.functions(image)
    var functions = places.map { Function(name: $0.symbol.name, section: $0.section.name) }
    for (index, place) in places.enumerated() {
      try Self.read(place, places, image, into: &functions[index])
    }
    self.functions = functions
    let initial = try MapInitialisers.read(image)
    slots = try Self.taggedSlots(image) + initial.programs
    innerMaps = initial.maps
  }

  /// What runs when the functions `entries` run.
  struct Reach: Sendable {
    /// Functions in program sections, in the file's order: what has to be loaded.
    var programs: [String]
    var maps: Set<String>
  }

  func reach(from entries: [String]) -> Reach {
    var isWanted = functions.map { entries.contains($0.name) && $0.section != ".text" }
    var queue = functions.indices.filter { isWanted[$0] }
    func add(_ index: Int) {
      guard !isWanted[index] else { return }
      isWanted[index] = true
      queue.append(index)
    }
    while let next = queue.popLast() {
      for callee in functions[next].callees { add(callee) }
      for call in functions[next].tailCalls {
        for slot in slots where slot.map == call.map && (call.slot == nil || call.slot == slot.slot) {
          for index in functions.indices
          where functions[index].name == slot.program && functions[index].section != ".text" {
            add(index)
          }
        }
      }
    }
    var reach = Reach(programs: [], maps: [])
    for index in functions.indices where isWanted[index] {
      reach.maps.formUnion(functions[index].maps)
      if functions[index].section != ".text" { reach.programs.append(functions[index].name) }
    }
    while let more = innerMaps.first(where: {
      reach.maps.contains($0.outer) && !reach.maps.contains($0.inner)
    }) {
      reach.maps.insert(more.inner)
    }
    return reach
  }

  private struct Place {
    var symbol: ELFImage.Symbol
    var section: ELFImage.Section
    var range: Range<Int> { symbol.value..<max(symbol.value, symbol.value &+ symbol.size) }
  }

  private static func functions(_ image: ELFImage) -> [Place] {
    image.symbols.compactMap { symbol in
      guard symbol.isFunction, !symbol.name.isEmpty, symbol.value >= 0, symbol.size >= 0,
        image.sections.indices.contains(symbol.section)
      else { return nil }
      let section = image.sections[symbol.section]
      guard section.name == ".text" || ObjectFile.isAttachable(section.name) else { return nil }
      return Place(symbol: symbol, section: section)
    }
  }

  private static func taggedSlots(_ image: ELFImage) throws(KernelError) -> [Slot] {
    try BTFTypes(image).functionTags().compactMap { function, tag in
      let parts = tag.split(separator: "/")
      guard parts.count == 2, parts[0].hasPrefix("tail:"), let slot = UInt32(parts[1]) else { return nil }
      return Slot(map: String(parts[0].dropFirst("tail:".count)), slot: slot, program: function)
    }
  }

  private static func read(
    _ place: Place, _ places: [Place], _ image: ELFImage, into function: inout Function
  ) throws(KernelError) {
    let code = Instructions(image.contents(place.section), place.range)
    func callee(_ section: Int, _ offset: Int) -> Int? {
      places.firstIndex { $0.section.index == section && $0.range.contains(offset) }
    }
    var relocated: Set<Int> = []
    for relocation in try image.relocations(of: place.section) where place.range.contains(relocation.offset) {
      relocated.insert(relocation.offset)
      guard image.symbols.indices.contains(relocation.symbol), let instruction = code[relocation.offset]
      else { continue }
      let symbol = image.symbols[relocation.symbol]
      if instruction.isLocalCall {
        // Against the function: -1. Against its section: the instruction before the function's first.
        let offset = symbol.value &+ (Int(instruction.immediate) + 1) * 8
        if let index = callee(symbol.section, offset) { function.callees.append(index) }
      } else if instruction.isWideLoad, image.sections.indices.contains(symbol.section) {
        let offset = symbol.value &+ Int(instruction.immediate)
        if image.sections[symbol.section].name == ".maps" {
          guard let map = MapInitialisers.map(at: offset, image) else { continue }
          function.maps.insert(map)
          function.tailCalls += code.tailCalls(after: relocation.offset).map { TailCall(map: map, slot: $0) }
        } else if let index = callee(symbol.section, offset) {
          function.callees.append(index)  // its address: a callback
        }
      }
    }
    for offset in code.offsets where !relocated.contains(offset) {
      guard let instruction = code[offset], instruction.isLocalCall else { continue }
      let target = offset &+ (Int(instruction.immediate) + 1) * 8
      if let index = callee(place.section.index, target) { function.callees.append(index) }
    }
  }
}
