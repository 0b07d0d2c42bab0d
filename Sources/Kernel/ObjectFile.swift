/// An object file made ready for libbpf: what it holds, and the patches that Cilium's objects need.
///
/// Done once for each file; `ObjectInstance` loads it as often as there are configurations.
struct ObjectFile: Sendable {
  /// A function in an attachable section.
  struct Program: Sendable {
    var name: String
    var section: String
    /// The slot of `cilium_calls` that it stands in, if it is a tail call's target.
    var slot: UInt32?
    /// The slots that it tail-calls; nil when that cannot be told from the code.
    var calls: [UInt32]?
    /// The maps that its code names, those of shared functions included.
    var maps: Set<String>
  }

  let name: String
  let bytes: [UInt8]
  let programs: [Program]
  /// Where `config` (ours) lies in `.rodata`, or each `__config_…` variable in `.rodata.config`.
  let variables: [Variable]

  struct Variable: Sendable {
    var name: String
    var section: String
    var offset: Int
    var size: Int
  }

  static let tailCallMap = "cilium_calls"

  init(_ bytes: [UInt8], name: String) throws(KernelError) {
    var image = try ELFImage(bytes, name: name)
    try Self.refuseLegacyMaps(image)
    let slots = try Self.tailSlots(image)
    programs = try Self.programs(image, slots)
    variables = Self.variables(image)
    Self.makeFunctionsGlobal(&image)
    Self.neutralisePinning(&image)
    self.bytes = image.bytes
    self.name = name
  }

  func program(_ name: String) -> Program? { programs.first { $0.name == name } }

  /// The programs that `entries` can reach through tail calls, themselves included, in the file's order.
  func reachable(from entries: [String]) -> [Program] {
    var wanted = Set(entries)
    var queue = entries
    while let next = queue.popLast() {
      guard let program = program(next) else { continue }
      for target in programs {
        guard let slot = target.slot, !wanted.contains(target.name),
          program.calls.map({ $0.contains(slot) }) ?? true
        else { continue }
        wanted.insert(target.name)
        queue.append(target.name)
      }
    }
    return programs.filter { wanted.contains($0.name) }
  }

  /// Objects of Cilium 1.17 and older define maps in a `maps` section, which libbpf no longer reads.
  private static func refuseLegacyMaps(_ image: ELFImage) throws(KernelError) {
    guard image.section("maps") == nil else {
      throw KernelError(
        .object, call: "open object",
        detail: "\(image.name): maps are defined in the legacy section `maps`, as in Cilium 1.17 and older; "
          + "1.18 or later is needed")
    }
  }

  private static func tailSlots(_ image: ELFImage) throws(KernelError) -> [String: UInt32] {
    var slots: [String: UInt32] = [:]
    let prefix = "tail:\(tailCallMap)/"
    for (function, tag) in try BTFTypes(image).functionTags() where tag.hasPrefix(prefix) {
      guard let slot = UInt32(tag.dropFirst(prefix.count)) else {
        throw KernelError(.object, call: "open object", detail: "\(image.name): tag \(tag) on \(function)")
      }
      slots[function] = slot
    }
    return slots
  }

  private static func programs(
    _ image: ELFImage, _ slots: [String: UInt32]
  ) throws(KernelError) -> [Program] {
    let text = image.section(".text")
    let shared = try text.map { section throws(KernelError) in
      try TailCalls.slots(in: image, section: section, range: 0..<Int.max)
    }
    let sharedMaps = try text.map { section throws(KernelError) in
      try mapNames(in: image, section: section, range: 0..<Int.max)
    }
    var programs: [Program] = []
    for section in image.sections where isAttachable(section.name) {
      for symbol in image.symbols
      where symbol.isFunction && symbol.section == section.index && !symbol.name.isEmpty {
        let range = symbol.value..<max(symbol.value, symbol.value &+ symbol.size)
        let own = try TailCalls.slots(in: image, section: section, range: range)
        let maps = try mapNames(in: image, section: section, range: range)
        let calls: [UInt32]? =
          if let own { shared.map { $0.map { own + $0 } } ?? own } else { nil }
        programs.append(
          Program(
            name: symbol.name, section: section.name, slot: slots[symbol.name], calls: calls,
            maps: maps.union(sharedMaps ?? [])))
      }
    }
    return programs
  }

  private static func mapNames(
    in image: ELFImage, section: ELFImage.Section, range: Range<Int>
  ) throws(KernelError) -> Set<String> {
    var names: Set<String> = []
    for relocation in try image.relocations(of: section) where range.contains(relocation.offset) {
      guard image.symbols.indices.contains(relocation.symbol) else { continue }
      let symbol = image.symbols[relocation.symbol]
      if image.sections.indices.contains(symbol.section), image.sections[symbol.section].name == ".maps" {
        names.insert(symbol.name)
      }
    }
    return names
  }

  static func isAttachable(_ section: String) -> Bool {
    ["tc", "classifier", "xdp", "cgroup"].contains {
      section == $0 || section.hasPrefix($0 + "/")
    }
  }

  private static func variables(_ image: ELFImage) -> [Variable] {
    image.symbols.compactMap { symbol in
      guard !symbol.isFunction, image.sections.indices.contains(symbol.section), symbol.size > 0 else {
        return nil
      }
      let section = image.sections[symbol.section].name
      guard section.hasPrefix(".rodata") || section.hasPrefix(".data") else { return nil }
      return Variable(name: symbol.name, section: section, offset: symbol.value, size: symbol.size)
    }
  }

  /// libbpf takes static functions in a program section for subprograms and refuses them.
  private static func makeFunctionsGlobal(_ image: inout ELFImage) {
    let attachable = Set(image.sections.filter { isAttachable($0.name) }.map(\.index))
    for symbol in image.symbols
    where symbol.isFunction && symbol.isLocal && attachable.contains(symbol.section) {
      image.patch(symbol.infoOffset, to: 0x12)  // STB_GLOBAL, STT_FUNC
    }
  }

  /// Map definitions ask to be pinned, in ways that libbpf does not know (16: replace). The member's name is spoilt;
  /// an unknown member is ignored by `relaxed_maps`. So nothing is ever pinned.
  private static func neutralisePinning(_ image: inout ELFImage) {
    guard let section = image.section(".BTF") else { return }
    let word: [UInt8] = [0] + Array("pinning".utf8) + [0]
    let contents = image.contents(section)
    var start = contents.startIndex
    while start + word.count <= contents.endIndex {
      if contents[start] == 0, contents[start..<start + word.count].elementsEqual(word) {
        image.patch(start + 1, to: UInt8(ascii: "P"))
      }
      start += 1
    }
  }
}

/// Which slots a piece of code tail-calls, read from its instructions.
enum TailCalls {
  /// Nil when some tail call's slot is not a constant next to the call.
  ///
  /// The pattern: a 16-octet load of the map's address into r2 (relocated against `cilium_calls`), with a move of a
  /// constant into r3 right before or after, up to the call of helper 12.
  static func slots(
    in image: ELFImage, section: ELFImage.Section, range: Range<Int>
  ) throws(KernelError) -> [UInt32]? {
    let code = image.contents(section)
    var slots: [UInt32] = []
    for relocation in try image.relocations(of: section) where range.contains(relocation.offset) {
      guard image.symbols.indices.contains(relocation.symbol),
        image.symbols[relocation.symbol].name == ObjectFile.tailCallMap
      else { continue }
      guard let slot = constant(near: relocation.offset, in: code) else { return nil }
      if !slots.contains(slot) { slots.append(slot) }
    }
    return slots
  }

  private static func constant(near offset: Int, in code: ArraySlice<UInt8>) -> UInt32? {
    for position in [offset + 16, offset - 8, offset + 24, offset - 16] {
      guard position >= 0, position + 8 <= code.count else { continue }
      let start = code.startIndex + position
      let isMoveToR3 = (code[start] == 0xb7 || code[start] == 0xb4) && code[start + 1] & 0x0f == 3
      guard isMoveToR3 else { continue }
      return UInt32(code[start + 4]) | UInt32(code[start + 5]) << 8 | UInt32(code[start + 6]) << 16
        | UInt32(code[start + 7]) << 24
    }
    return nil
  }
}
