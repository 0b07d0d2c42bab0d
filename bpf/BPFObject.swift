/// One compiled eBPF object, carried inside the binary as base64 (a byte-array literal compiles 30 times slower).
public struct BPFObject: Sendable {
  /// The program file's name without `.bpf.c`, for instance `from_container`.
  public let name: String
  let base64: StaticString

  /// The ELF image.
  public var image: [UInt8] {
    base64.withUTF8Buffer { text in
      var bytes: [UInt8] = []
      bytes.reserveCapacity(text.count / 4 * 3)
      var group: UInt32 = 0
      var count = 0
      for character in text where character != UInt8(ascii: "=") {
        group = group << 6 | UInt32(Self.value(of: character))
        count += 1
        if count == 4 {
          bytes.append(UInt8(truncatingIfNeeded: group >> 16))
          bytes.append(UInt8(truncatingIfNeeded: group >> 8))
          bytes.append(UInt8(truncatingIfNeeded: group))
          group = 0
          count = 0
        }
      }
      if count >= 2 { bytes.append(UInt8(truncatingIfNeeded: group >> (UInt32(count) * 6 - 8))) }
      if count == 3 { bytes.append(UInt8(truncatingIfNeeded: group >> 2)) }
      return bytes
    }
  }

  /// The object of that name, if it is carried.
  public static func named(_ name: String) -> BPFObject? {
    embedded.first { $0.name == name }
  }

  private static func value(of character: UInt8) -> UInt8 {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
    case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
    case UInt8(ascii: "+"): 62
    default: 63
    }
  }
}
