/// Functions of program sections that other programs call.
///
/// libbpf links calls into `.text` only. A function that is called but stands elsewhere, because it is a program too,
/// is copied to the end of `.text` with its relocations and its type and line information; the calls then go to the
/// copy. The program stays what it was, and the kernel verifies the copy by its linkage in BTF, as any other function.
enum CalledFunctions {
  /// Gives the names of the functions that were copied.
  static func copyIntoText(_ image: inout ELFImage) throws(KernelError) -> [String] {
    let calls = try findCalls(image)
    guard !calls.isEmpty else { return [] }
    guard let text = image.section(".text") else {
      throw bad(image, "\(calls[0].name) is called from another section, and there is no section .text")
    }
    var copies: [Copy] = []
    var end = text.range.count
    for call in calls where !copies.contains(where: { $0.function == call.function }) {
      let function = image.symbols[call.function]
      let home = image.sections[function.section]
      guard function.value >= 0, function.size > 0, function.value <= home.range.count,
        function.size <= home.range.count - function.value
      else { throw bad(image, "\(function.name) reaches beyond its section") }
      copies.append(Copy(function: call.function, home: home, offset: end))
      end += function.size
    }
    let firstSymbol = image.symbols.count
    try addSymbols(copies, text, &image)
    // The copies' own calls are relocated like all others.
    try redirect(calls, copies, firstSymbol, &image)
    try image.replace(text, with: extended(text, copies, image))
    try copyRelocations(copies, text, &image)
    try ExtendedTypes.copy(
      copies.map { copy in
        ExtendedTypes.Copied(section: copy.home.name, range: range(of: copy, image), offset: copy.offset)
      }, to: text.name, &image)
    return copies.map { image.symbols[$0.function].name }
  }

  struct Call {
    var section: ELFImage.Section
    /// Where the call stands, and which entry of the section's relocations it is.
    var offset: Int
    var relocation: Int
    /// The function's symbol.
    var function: Int
    var name: String
  }

  struct Copy {
    var function: Int
    var home: ELFImage.Section
    /// In `.text`.
    var offset: Int
  }

  private static func range(of copy: Copy, _ image: ELFImage) -> Range<Int> {
    let function = image.symbols[copy.function]
    return function.value..<function.value + function.size
  }

  private static func findCalls(_ image: ELFImage) throws(KernelError) -> [Call] {
    var calls: [Call] = []
    for section in image.sections where section.name == ".text" || ObjectFile.isAttachable(section.name) {
      let code = Instructions(image.contents(section), 0..<section.range.count)
      for (index, relocation) in try image.relocations(of: section).enumerated() {
        guard let instruction = code[relocation.offset], instruction.isLocalCall,
          image.symbols.indices.contains(relocation.symbol)
        else { continue }
        let symbol = image.symbols[relocation.symbol]
        guard image.sections.indices.contains(symbol.section),
          image.sections[symbol.section].name != ".text"
        else { continue }
        let target = symbol.value &+ (Int(instruction.immediate) + 1) * 8
        let function = image.symbols.firstIndex {
          $0.isFunction && $0.section == symbol.section && $0.value == target
        }
        guard let function else {
          throw bad(image, "a call in \(section.name) at \(relocation.offset) leads to no function")
        }
        calls.append(
          Call(
            section: section, offset: relocation.offset, relocation: index, function: function,
            name: image.symbols[function].name))
      }
    }
    return calls
  }

  /// A local symbol for each copy, at the table's end.
  private static func addSymbols(
    _ copies: [Copy], _ text: ELFImage.Section, _ image: inout ELFImage
  ) throws(KernelError) {
    let typeSYMTAB: UInt32 = 2
    guard let table = image.sections.first(where: { $0.type == typeSYMTAB }) else { return }
    var octets = Array(image.contents(table))
    for copy in copies {
      let function = image.symbols[copy.function]
      var entry = Array(octets[copy.function * 24..<copy.function * 24 + 24])
      entry[4] = 0x02  // STB_LOCAL, STT_FUNC
      entry.replaceSubrange(6..<8, with: littleEndian(UInt16(truncatingIfNeeded: text.index)))
      entry.replaceSubrange(8..<16, with: littleEndian(UInt64(copy.offset)))
      entry.replaceSubrange(16..<24, with: littleEndian(UInt64(function.size)))
      octets += entry
    }
    try image.replace(table, with: octets)
  }

  /// Points the relocations of `calls` at the copies.
  private static func redirect(
    _ calls: [Call], _ copies: [Copy], _ firstSymbol: Int, _ image: inout ELFImage
  ) throws(KernelError) {
    for call in calls {
      guard let copy = copies.firstIndex(where: { $0.function == call.function }),
        let table = table(of: call.section, image)
      else { continue }
      let info = table.range.lowerBound + call.relocation * 16 + 8
      // r_info: the symbol in the upper half, the relocation's type below.
      for (index, octet) in littleEndian(UInt32(truncatingIfNeeded: firstSymbol + copy)).enumerated() {
        image.patch(info + 4 + index, to: octet)
      }
      for index in 4..<8 { image.patch(call.section.range.lowerBound + call.offset + index, to: 0xff) }
    }
  }

  /// The code of `.text` and, behind it, that of the copies.
  private static func extended(_ text: ELFImage.Section, _ copies: [Copy], _ image: ELFImage) -> [UInt8] {
    copies.reduce(Array(image.contents(text))) { code, copy in
      let home = image.contents(copy.home)
      let range = range(of: copy, image)
      return code + home[home.startIndex + range.lowerBound..<home.startIndex + range.upperBound]
    }
  }

  private static func copyRelocations(
    _ copies: [Copy], _ text: ELFImage.Section, _ image: inout ELFImage
  ) throws(KernelError) {
    let target = table(of: text, image)
    var octets = target.map { Array(image.contents($0)) } ?? []
    for copy in copies {
      guard let source = table(of: copy.home, image) else { continue }
      let range = range(of: copy, image)
      let entries = Array(image.contents(source))
      for (index, relocation) in try image.relocations(of: copy.home).enumerated()
      where range.contains(relocation.offset) {
        octets += littleEndian(UInt64(relocation.offset - range.lowerBound + copy.offset))
        octets += entries[index * 16 + 8..<index * 16 + 16]
      }
    }
    if let target {
      try image.replace(target, with: octets)
    } else if !octets.isEmpty, let model = copies.compactMap({ table(of: $0.home, image) }).first {
      try image.addRelocations(of: text, octets, like: model)
    }
  }

  private static func table(of section: ELFImage.Section, _ image: ELFImage) -> ELFImage.Section? {
    let typeREL: UInt32 = 9
    return image.sections.first { $0.type == typeREL && $0.info == section.index }
  }

  private static func bad(_ image: ELFImage, _ detail: String) -> KernelError {
    KernelError(.object, call: "link functions", detail: "\(image.name): \(detail)")
  }
}

/// The octets of a number, least significant first.
func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.littleEndian) { Array($0) }
}
