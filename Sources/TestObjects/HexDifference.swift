import Wire

/// Two packets in hexadecimal, the rows that differ beneath each other, with the headers that they belong to.
///
///     0010  - 00 28 00 01 00 00 40 06  66 c4 0a 00 00 01 0a 00   ipv4
///           + 00 28 00 01 00 00 3f 06  67 c4 0a 00 00 01 0a 00
///                               ^^     ^^
enum HexDifference {
  /// Rows that are equal are shown only next to one that differs.
  static func rows(_ expected: [UInt8], _ found: [UInt8], as first: WireProtocol) -> [String] {
    let count = (max(expected.count, found.count) + 15) / 16
    let differs = (0..<count).map { slice(expected, $0) != slice(found, $0) }
    let layers = Frame.dissect(expected, as: first).entries
    var rows: [String] = []
    var isGap = false
    for row in 0..<count {
      let isNear = row > 0 && differs[row - 1] || row + 1 < count && differs[row + 1]
      if differs[row] {
        let (a, b) = (slice(expected, row), slice(found, row))
        rows.append(place(row) + "  - " + padded(hex(a)) + names(layers, row))
        rows.append("      + " + hex(b))
        rows.append("        " + marks(Array(a), Array(b)))
      } else if isNear {
        rows.append(place(row) + "    " + padded(hex(slice(expected, row))) + names(layers, row))
      } else if !isGap {
        rows.append("...")
      }
      isGap = !differs[row] && !isNear
    }
    return rows
  }

  /// One packet alone.
  static func rows(_ packet: [UInt8], as first: WireProtocol) -> [String] {
    let layers = Frame.dissect(packet, as: first).entries
    return (0..<(packet.count + 15) / 16).map {
      place($0) + "    " + padded(hex(slice(packet, $0))) + names(layers, $0)
    }
  }

  private static func slice(_ octets: [UInt8], _ row: Int) -> ArraySlice<UInt8> {
    octets[min(row * 16, octets.count)..<min(row * 16 + 16, octets.count)]
  }

  private static func place(_ row: Int) -> String {
    let digits = String(row * 16, radix: 16)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  private static func hex(_ octets: ArraySlice<UInt8>) -> String {
    octets.enumerated().map { index, octet in
      (index == 0 ? "" : index == 8 ? "  " : " ") + (octet < 16 ? "0" : "") + String(octet, radix: 16)
    }.joined()
  }

  private static func padded(_ text: String) -> String {
    text + String(repeating: " ", count: max(0, 48 - text.count))
  }

  private static func marks(_ a: [UInt8], _ b: [UInt8]) -> String {
    let text = (0..<max(a.count, b.count)).map { index in
      let isEqual = index < a.count && index < b.count && a[index] == b[index]
      return (index == 0 ? "" : index == 8 ? "  " : " ") + (isEqual ? "  " : "^^")
    }.joined()
    return String(text.reversed().drop { $0 == " " }.reversed())
  }

  /// The headers that a row holds a part of.
  private static func names(_ layers: [Dissection.Entry], _ row: Int) -> String {
    let names = layers.filter { $0.range.overlaps(row * 16..<row * 16 + 16) }.map(\.path)
    return names.isEmpty ? "" : "   " + names.joined(separator: ", ")
  }
}
