import Cluster
import Wire

/// Helm writes its values into text, so that most scalars may come with or without quotes.
extension Cursor {
  var isEmptyText: Bool { value.content == .string("") }

  func helmBool() -> Bool? {
    switch value.content {
    case .bool(let bool): return bool
    case .string("true"): return true
    case .string("false"): return false
    default:
      wrongType("true or false")
      return nil
    }
  }

  /// A port with or without quotes; "" is 0, for none; "auto" too, which asks the cluster.
  func helmPort() -> Int? {
    if case .integer = value.content { return integer(0...65_535) }
    guard let text = text() else { return nil }
    if text.isEmpty || text == "auto" { return 0 }
    if let number = UInt16(text) { return Int(number) }
    report("invalid-value", "\(quoted(text)) is no port")
    return nil
  }

  func cidrs() -> [CIDR]? {
    if case .string = value.content { return words()?.compactMap { self.with($0).cidr() } }
    return list { $0.cidr() }
  }

  /// A list, or words in one string.
  func words() -> [String]? {
    if case .string(let text) = value.content {
      return text.split(whereSeparator: { $0 == " " || $0 == "," || $0 == "\n" }).map(String.init)
    }
    return list { $0.string() }
  }

  /// `5s`, `2m`, `1h30m`, or a number of seconds.
  func seconds() -> Int? {
    guard let text = text() else { return nil }
    if let duration = VirtualDuration(text) { return Int(duration.nanoseconds / 1_000_000_000) }
    report("invalid-value", "\(quoted(text)) is no duration; expected a form like 5s or 1m30s")
    return nil
  }

  /// `low-high`.
  func portRange() -> ClosedRange<UInt16>? {
    guard let text = text() else { return nil }
    let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt16($0) }
    if parts.count == 2, let low = parts[0], let high = parts[1], low <= high { return low...high }
    report("invalid-value", "\(quoted(text)) is no range of ports; expected a form like 30000-32767")
    return nil
  }

  /// `low,high`, as the agent takes it, or `low-high`.
  func nodePortRange() -> ClosedRange<UInt16>? {
    guard let text = text() else { return nil }
    return with(String(text.map { $0 == "," ? "-" : $0 })).portRange()
  }

  /// The primes that Cilium takes.
  ///
  /// Source: Cilium `pkg/maglev/maglev.go`.
  func maglevTableSize() -> Int? {
    let sizes = [251, 509, 1021, 2039, 4093, 8191, 16_381, 32_749, 65_521, 131_071]
    guard let size = integer(1...131_071) else { return nil }
    if sizes.contains(size) { return size }
    report(
      "invalid-value", "\(size) is no table size; expected \(sizes.map(String.init).joined(separator: ", "))")
    return nil
  }

  private func with(_ text: String) -> Cursor {
    Cursor(
      YAMLValue(.string(text), text: text, location: location), path: path, log: log, authority: authority)
  }
}
