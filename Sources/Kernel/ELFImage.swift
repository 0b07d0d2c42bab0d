import CLibelf

/// An eBPF object file in memory: sections and symbols, read with every access checked, and patched in place.
///
/// System V ABI, ELF-64; only 64-bit little-endian BPF objects are accepted.
struct ELFImage: Sendable {
  struct Section: Sendable {
    var name: String
    var index: Int
    var type: UInt32
    var link: Int
    var info: Int
    var range: Range<Int>
  }

  struct Symbol: Sendable {
    var name: String
    var section: Int
    var value: Int
    var size: Int
    var isFunction: Bool
    var isLocal: Bool
    /// Where the `st_info` octet stands in the file.
    var infoOffset: Int
  }

  let name: String
  private(set) var bytes: [UInt8]
  private(set) var sections: [Section]
  private(set) var symbols: [Symbol]

  /// `name` stands in error messages.
  init(_ bytes: [UInt8], name: String) throws(KernelError) {
    self.name = name
    self.bytes = bytes
    func bad(_ detail: String) -> KernelError {
      KernelError(.object, call: "ELF", detail: "\(name): \(detail)")
    }
    guard bytes.count >= MemoryLayout<Elf64_Ehdr>.size, bytes[0..<4] == [0x7f, 0x45, 0x4c, 0x46] else {
      throw bad("not an ELF file")
    }
    guard bytes[4] == 2, bytes[5] == 1 else { throw bad("not a 64-bit little-endian object") }
    let header = try Self.load(Elf64_Ehdr.self, at: 0, bytes, name)
    let machineBPF: UInt16 = 247
    guard header.e_machine == machineBPF else {
      throw bad("machine \(header.e_machine) found, eBPF (247) expected")
    }
    sections = try Self.readSections(header, bytes, name)
    symbols = try Self.readSymbols(sections, bytes, name)
  }

  func section(_ name: String) -> Section? { sections.first { $0.name == name } }

  func symbol(_ name: String) -> Symbol? { symbols.first { $0.name == name } }

  /// The octets of a section; none for one without contents.
  func contents(_ section: Section) -> ArraySlice<UInt8> { bytes[section.range] }

  /// Replaces one octet of the file.
  mutating func patch(_ offset: Int, to value: UInt8) {
    guard bytes.indices.contains(offset) else { return }
    bytes[offset] = value
  }

  /// Gives a section other contents, of any length: they go to the file's end, and the section's header says so.
  mutating func replace(_ section: Section, with contents: [UInt8]) throws(KernelError) {
    let header = try Self.load(Elf64_Ehdr.self, at: 0, bytes, name)
    let size = MemoryLayout<Elf64_Shdr>.size
    guard sections.indices.contains(section.index), let table = Int(exactly: header.e_shoff),
      table <= bytes.count, (section.index + 1) * size <= bytes.count - table
    else { throw KernelError(.object, call: "ELF", detail: "\(name): no section \(section.index)") }
    bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    let start = bytes.count
    bytes += contents
    let place = table + section.index * size
    var entry = try Self.load(Elf64_Shdr.self, at: place, bytes, name)
    entry.sh_offset = UInt64(start)
    entry.sh_size = UInt64(contents.count)
    withUnsafeBytes(of: entry) { bytes.replaceSubrange(place..<place + size, with: $0) }
    sections = try Self.readSections(header, bytes, name)
    symbols = try Self.readSymbols(sections, bytes, name)
  }

  /// Gives a section that has no relocations some: a section more, whose header is like that of `model`. The table of
  /// headers goes to the file's end, where it can grow.
  mutating func addRelocations(
    of section: Section, _ contents: [UInt8], like model: Section
  ) throws(KernelError) {
    var header = try Self.load(Elf64_Ehdr.self, at: 0, bytes, name)
    let size = MemoryLayout<Elf64_Shdr>.size
    guard sections.indices.contains(model.index), let table = Int(exactly: header.e_shoff),
      table <= bytes.count, sections.count * size <= bytes.count - table, header.e_shnum < .max
    else { throw KernelError(.object, call: "ELF", detail: "\(name): no section \(model.index)") }
    var entry = try Self.load(Elf64_Shdr.self, at: table + model.index * size, bytes, name)
    entry.sh_name = 0
    entry.sh_info = UInt32(section.index)
    entry.sh_size = 0
    let headers = Array(bytes[table..<table + sections.count * size])
    bytes += [UInt8](repeating: 0, count: (8 - bytes.count % 8) % 8)
    header.e_shoff = UInt64(bytes.count)
    header.e_shnum += 1
    bytes += headers
    withUnsafeBytes(of: entry) { bytes += $0 }
    withUnsafeBytes(of: header) { bytes.replaceSubrange(0..<$0.count, with: $0) }
    sections = try Self.readSections(header, bytes, name)
    if let added = sections.last { try replace(added, with: contents) }
  }

  /// The relocations of a section: offset in the section, and the symbol's index.
  func relocations(of section: Section) throws(KernelError) -> [(offset: Int, symbol: Int)] {
    var found: [(offset: Int, symbol: Int)] = []
    let typeREL: UInt32 = 9
    for relocations in sections where relocations.type == typeREL && relocations.info == section.index {
      var offset = relocations.range.lowerBound
      while offset + 16 <= relocations.range.upperBound {
        let entry = try Self.load(Elf64_Rel.self, at: offset, bytes, name)
        found.append((Int(truncatingIfNeeded: entry.r_offset), Int(entry.r_info >> 32)))
        offset += 16
      }
    }
    return found
  }

  private static func readSections(
    _ header: Elf64_Ehdr, _ bytes: [UInt8], _ name: String
  ) throws(KernelError) -> [Section] {
    var raw: [Elf64_Shdr] = []
    for index in 0..<Int(header.e_shnum) {
      guard let start = Int(exactly: header.e_shoff), start < bytes.count else { break }
      raw.append(try load(Elf64_Shdr.self, at: start + index * MemoryLayout<Elf64_Shdr>.size, bytes, name))
    }
    func range(_ section: Elf64_Shdr) throws(KernelError) -> Range<Int> {
      let typeNOBITS: UInt32 = 8
      if section.sh_type == typeNOBITS || section.sh_type == 0 { return 0..<0 }
      guard let start = Int(exactly: section.sh_offset), let size = Int(exactly: section.sh_size),
        start <= bytes.count, size <= bytes.count - start
      else {
        throw KernelError(.object, call: "ELF", detail: "\(name): a section reaches beyond the file's end")
      }
      return start..<start + size
    }
    let namesIndex = Int(header.e_shstrndx)
    let names = raw.indices.contains(namesIndex) ? try range(raw[namesIndex]) : 0..<0
    var sections: [Section] = []
    for (index, section) in raw.enumerated() {
      sections.append(
        Section(
          name: text(Int(section.sh_name), in: names, bytes), index: index, type: section.sh_type,
          link: Int(section.sh_link), info: Int(section.sh_info), range: try range(section)))
    }
    return sections
  }

  private static func readSymbols(
    _ sections: [Section], _ bytes: [UInt8], _ name: String
  ) throws(KernelError) -> [Symbol] {
    let typeSYMTAB: UInt32 = 2
    guard let table = sections.first(where: { $0.type == typeSYMTAB }), sections.indices.contains(table.link)
    else { return [] }
    let names = sections[table.link].range
    var symbols: [Symbol] = []
    var offset = table.range.lowerBound
    while offset + MemoryLayout<Elf64_Sym>.size <= table.range.upperBound {
      let entry = try load(Elf64_Sym.self, at: offset, bytes, name)
      symbols.append(
        Symbol(
          name: text(Int(entry.st_name), in: names, bytes), section: Int(entry.st_shndx),
          value: Int(truncatingIfNeeded: entry.st_value), size: Int(truncatingIfNeeded: entry.st_size),
          isFunction: entry.st_info & 0xf == 2, isLocal: entry.st_info >> 4 == 0, infoOffset: offset + 4))
      offset += MemoryLayout<Elf64_Sym>.size
    }
    return symbols
  }

  private static func load<T: BitwiseCopyable>(
    _ type: T.Type, at offset: Int, _ bytes: [UInt8], _ name: String
  ) throws(KernelError) -> T {
    guard offset >= 0, offset <= bytes.count, MemoryLayout<T>.size <= bytes.count - offset else {
      throw KernelError(.object, call: "ELF", detail: "\(name): the file is cut short")
    }
    return bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: type) }
  }

  private static func text(_ offset: Int, in table: Range<Int>, _ bytes: [UInt8]) -> String {
    guard offset < table.count else { return "" }
    let start = table.lowerBound + offset
    let end = bytes[start..<table.upperBound].firstIndex(of: 0) ?? table.upperBound
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}
