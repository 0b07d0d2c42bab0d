/// The octets that the text spells in hexadecimal, two digits each; white space between them is ignored.
///
/// For literals in tests: anything else in the text stops the test.
public func hex(_ text: String) -> [UInt8] {
  let digits = text.filter { !$0.isWhitespace }.map { $0.hexDigitValue }
  precondition(digits.count.isMultiple(of: 2) && !digits.contains(nil), "not hexadecimal: \(text)")
  return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0]! << 4 | digits[$0 + 1]!) }
}

/// The octets in hexadecimal, two digits each, with spaces between them.
public func hex(_ octets: some Sequence<UInt8>) -> String {
  octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}
