/// What map definitions of an object hold from the start: programs and other maps (`values` in `.maps`).
enum MapInitialisers {
  static func read(
    _ image: ELFImage
  ) throws(KernelError) -> (programs: [CodeGraph.Slot], maps: [(outer: String, inner: String)]) {
    var programs: [CodeGraph.Slot] = []
    var maps: [(outer: String, inner: String)] = []
    guard let section = image.section(".maps") else { return (programs, maps) }
    let types = try BTFTypes(image)
    for relocation in try image.relocations(of: section) {
      guard image.symbols.indices.contains(relocation.symbol), let outer = map(at: relocation.offset, image),
        let definition = image.symbols.first(where: { $0.name == outer && $0.section == section.index })
      else { continue }
      let target = image.symbols[relocation.symbol]
      if target.isFunction {
        guard let start = types.mapDefinitionSize(outer), relocation.offset >= definition.value &+ start,
          let slot = UInt32(exactly: (relocation.offset - definition.value - start) / 8)
        else { continue }
        programs.append(CodeGraph.Slot(map: outer, slot: slot, program: target.name))
      } else if let inner = map(at: target.value, image), target.section == section.index {
        maps.append((outer, inner))
      }
    }
    return (programs, maps)
  }

  /// Takes the programs out of the definitions. libbpf would put all of them into their arrays and fail on those that
  /// are not loaded; the loader fills the arrays itself.
  static func removePrograms(_ image: inout ELFImage) throws(KernelError) {
    guard let section = image.section(".maps") else { return }
    let typeREL: UInt32 = 9
    guard let table = image.sections.first(where: { $0.type == typeREL && $0.info == section.index }) else {
      return
    }
    let all = try image.relocations(of: section)
    let octets = Array(image.contents(table))
    var kept: [UInt8] = []
    for (index, relocation) in all.enumerated() {
      let isProgram =
        image.symbols.indices.contains(relocation.symbol) && image.symbols[relocation.symbol].isFunction
      if !isProgram { kept += octets[index * 16..<index * 16 + 16] }
    }
    try image.replace(table, with: kept)
  }

  /// The map whose definition covers this place of `.maps`.
  static func map(at offset: Int, _ image: ELFImage) -> String? {
    guard let section = image.section(".maps") else { return nil }
    return image.symbols.first { symbol in
      symbol.section == section.index && !symbol.name.isEmpty && symbol.value <= offset
        && offset - symbol.value < symbol.size
    }?.name
  }
}
