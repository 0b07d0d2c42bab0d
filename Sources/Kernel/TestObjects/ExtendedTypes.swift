/// The section `.BTF.ext`: which instruction begins which function, and from which source line it comes.
///
/// Layout: a header with three areas (functions, lines, relocations), each a record size and, for every section of
/// code, the section's name, the number of records and the records; a record begins with the instruction's offset.
/// Source: the kernel's Documentation/bpf/btf.rst.
enum ExtendedTypes {
  /// What is to be said again of code that was copied.
  struct Copied {
    var section: String
    /// Where it was, in octets from the section's start.
    var range: Range<Int>
    /// Where it is now.
    var offset: Int
  }

  static func copy(_ copies: [Copied], to target: String, _ image: inout ELFImage) throws(KernelError) {
    guard let section = image.section(".BTF.ext") else { return }
    let octets = Array(image.contents(section))
    guard let headerLength = word(octets, 4).map(Int.init), headerLength >= 24, headerLength <= octets.count
    else {
      return
    }
    var header = Array(octets[0..<headerLength])
    var body: [UInt8] = []
    for place in stride(from: 8, to: min(headerLength, 32), by: 8) {
      guard let start = word(octets, place).map(Int.init), let length = word(octets, place + 4).map(Int.init),
        start <= octets.count - headerLength, length <= octets.count - headerLength - start
      else { continue }
      let area = Array(octets[headerLength + start..<headerLength + start + length])
      let longer = extended(area, copies, target, Strings(image))
      header.replaceSubrange(place..<place + 4, with: littleEndian(UInt32(body.count)))
      header.replaceSubrange(place + 4..<place + 8, with: littleEndian(UInt32(longer.count)))
      body += longer
    }
    try image.replace(section, with: header + body)
  }

  /// One area with the records of `copies` added to those of `target`.
  private static func extended(
    _ area: [UInt8], _ copies: [Copied], _ target: String, _ strings: Strings
  ) -> [UInt8] {
    guard let size = word(area, 0).map(Int.init), size >= 4 else { return area }
    var groups: [(name: UInt32, records: [[UInt8]])] = []
    var at = 4
    while let name = word(area, at), let count = word(area, at + 4).map(Int.init),
      count <= (area.count - at - 8) / size
    {
      at += 8
      groups.append((name, (0..<count).map { Array(area[at + $0 * size..<at + ($0 + 1) * size]) }))
      at += count * size
    }
    guard let home = groups.firstIndex(where: { strings.text($0.name) == target }) else { return area }
    for copy in copies {
      guard let source = groups.first(where: { strings.text($0.name) == copy.section }) else { continue }
      for record in source.records {
        guard let place = word(record, 0).map(Int.init), copy.range.contains(place) else { continue }
        let moved = UInt32(truncatingIfNeeded: place - copy.range.lowerBound + copy.offset)
        groups[home].records.append(littleEndian(moved) + record[4...])
      }
    }
    return groups.reduce(littleEndian(UInt32(size))) { octets, group in
      octets + littleEndian(group.name) + littleEndian(UInt32(group.records.count)) + group.records.joined()
    }
  }

  /// The strings of `.BTF`.
  private struct Strings {
    private let octets: ArraySlice<UInt8>

    init(_ image: ELFImage) {
      guard let section = image.section(".BTF") else {
        octets = []
        return
      }
      let contents = image.contents(section)
      let header = Array(contents.prefix(24))
      guard let length = word(header, 4).map(Int.init), let start = word(header, 16).map(Int.init),
        length <= contents.count, start <= contents.count - length
      else {
        octets = []
        return
      }
      octets = contents[(contents.startIndex + length + start)...]
    }

    func text(_ offset: UInt32) -> String {
      guard Int(offset) < octets.count else { return "" }
      return String(decoding: octets[(octets.startIndex + Int(offset))...].prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  private static func word(_ octets: [UInt8], _ offset: Int) -> UInt32? {
    guard offset >= 0, offset <= octets.count, octets.count - offset >= 4 else { return nil }
    return octets.withUnsafeBytes {
      UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
  }
}
