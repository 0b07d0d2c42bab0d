/// A message in protocol buffers' encoding, field by field: as much of it as the test results use.
///
/// Source: protobuf.dev, "Encoding". Reading stops at the first field that is broken, or at a tag of zero: results
/// stand at the start of a map value, and what follows them is zeros.
struct ProtocolBuffer {
  enum Value: Equatable {
    case number(UInt64)
    case octets(ArraySlice<UInt8>)
  }

  struct Field: Equatable {
    var number: UInt64
    var value: Value
  }

  private(set) var fields: [Field] = []
  /// Octets that could not be read, from the first broken field on.
  private(set) var unread = 0

  init(_ octets: some Sequence<UInt8>) {
    let octets = Array(octets)[...]
    var rest = octets
    while !rest.isEmpty, rest.first != 0 {
      let before = rest
      guard let field = Self.field(&rest) else {
        unread = before.count
        return
      }
      fields.append(field)
    }
  }

  /// The texts of all fields of that number, without the zero that C puts at the end.
  func texts(_ number: UInt64) -> [String] {
    octets(number).map { octets in
      String(decoding: octets.last == 0 ? octets.dropLast() : octets, as: UTF8.self)
    }
  }

  func octets(_ number: UInt64) -> [ArraySlice<UInt8>] {
    fields.compactMap { field in
      if field.number == number, case .octets(let octets) = field.value { octets } else { nil }
    }
  }

  /// The numbers of all fields of that number, fixed or of variable length.
  func numbers(_ number: UInt64) -> [UInt64] {
    fields.compactMap { field in
      if field.number == number, case .number(let value) = field.value { value } else { nil }
    }
  }

  private static func field(_ rest: inout ArraySlice<UInt8>) -> Field? {
    guard let tag = variable(&rest), tag >> 3 > 0 else { return nil }
    switch tag & 7 {
    case 0: return variable(&rest).map { Field(number: tag >> 3, value: .number($0)) }
    case 1: return fixed(8, &rest).map { Field(number: tag >> 3, value: .number($0)) }
    case 5: return fixed(4, &rest).map { Field(number: tag >> 3, value: .number($0)) }
    case 2:
      guard let length = length(&rest) else { return nil }
      let octets = rest.prefix(length)
      rest = rest.dropFirst(length)
      return Field(number: tag >> 3, value: .octets(octets))
    default: return nil
    }
  }

  /// Programs write the length of a log into one octet, also where it is above 127 and should be two. Read as it
  /// should be, such a length reaches beyond the message.
  private static func length(_ rest: inout ArraySlice<UInt8>) -> Int? {
    var proper = rest
    if let length = variable(&proper), length <= UInt64(proper.count) {
      rest = proper
      return Int(length)
    }
    guard let octet = rest.popFirst(), Int(octet) <= rest.count else { return nil }
    return Int(octet)
  }

  private static func variable(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      guard let octet = rest.popFirst() else { return nil }
      value |= UInt64(octet & 0x7f) << shift
      if octet < 0x80 { return value }
    }
    return nil
  }

  private static func fixed(_ count: Int, _ rest: inout ArraySlice<UInt8>) -> UInt64? {
    guard rest.count >= count else { return nil }
    let value = rest.prefix(count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    rest = rest.dropFirst(count)
    return value
  }
}
