public import Datapath
import MapABI
import Wire

/// Compares what two interpreters made of the same hop, field by field.
public struct Comparison {
  /// Whether the other side runs objects that are not ours, whose source positions say nothing.
  public var foreign: Bool

  public init(foreign: Bool) { self.foreign = foreign }

  /// Counts the hop in `agreement`, with one divergence for each field that differs.
  ///
  /// - Parameter readMaps: whether `other` says what has changed in the maps; without it, changes and counters are
  ///   left out, to be compared as a whole later (``MapHoldingInterpreter``).
  public func compare(
    _ hop: borrowing Hop, with other: HookResult, readMaps: Bool = true, into agreement: inout Agreement
  ) {
    let before = agreement.divergences.count
    compareVerdict(hop, other, &agreement)
    compareSubjects(hop, other, &agreement)
    if readMaps { compareChanges(hop, other, &agreement) }
    compareEvents(hop, other, &agreement)
    agreement.count(hop.hook.rawValue, isAgreeing: agreement.divergences.count == before)
  }

  private func compareVerdict(_ hop: borrowing Hop, _ other: HookResult, _ agreement: inout Agreement) {
    switch (hop.result.verdict, other.verdict) {
    case (.redirect(let ours?), .redirect(let theirs?)):
      guard ours != theirs else { return }
      agreement.divergences.append(
        Divergence(hop: hop, field: .redirectTarget, expected: "\(ours)", found: "\(theirs)"))
    case (.redirect, .redirect): agreement.countNotObserved(.redirectTarget)
    case (let ours, let theirs):
      guard ours != theirs else { return }
      agreement.divergences.append(
        Divergence(
          hop: hop, field: .verdict, expected: Self.describe(ours, hop.result.drop),
          found: Self.describe(theirs, other.drop)))
    }
  }

  private static func describe(_ verdict: Verdict, _ drop: DropReason?) -> String {
    guard let drop else { return "\(verdict)" }
    return "\(verdict) (\(drop.rawValue) \(drop.text))"
  }

  private func compareSubjects(_ hop: borrowing Hop, _ other: HookResult, _ agreement: inout Agreement) {
    func check<T: Equatable>(_ field: Field, _ a: T, _ b: T, details: [String] = []) {
      guard a != b else { return }
      agreement.divergences.append(
        Divergence(hop: hop, field: field, expected: Self.text(a), found: Self.text(b), details: details))
    }
    switch (hop.result.subject, other.subject) {
    case (.skb(let a), .skb(let b)):
      if a.frame != b.frame {
        check(.frame, a.frame, b.frame, details: Self.frameDifferences(a.frame, b.frame))
      }
      check(.mark, Hexadecimal(a.mark), Hexadecimal(b.mark))
      check(.tcIndex, a.tcIndex, b.tcIndex)
      check(.packetType, a.packetType, b.packetType)
      check(.tunnelKey, a.tunnelKey, b.tunnelKey)
    case (.xdp(let a), .xdp(let b)):
      if a.frame != b.frame {
        check(.frame, a.frame, b.frame, details: Self.frameDifferences(a.frame, b.frame))
      }
    case (.socket(let a), .socket(let b)): check(.socketAddress, a, b)
    default: check(.frame, "\(hop.result.subject)", "\(other.subject)")
    }
  }

  private func compareChanges(_ hop: borrowing Hop, _ other: HookResult, _ agreement: inout Agreement) {
    guard hop.result.changes != other.changes else { return }
    let ours = CanonicalChanges(hop.result.changes, foreign: foreign)
    let theirs = CanonicalChanges(other.changes, foreign: foreign)
    for (field, a, b) in [
      (Field.mapChanges, ours.entries, theirs.entries), (.counters, ours.counters, theirs.counters),
    ] {
      for entry in a {
        let found = b.change(of: entry.id)
        if let found, found.valueBytes == entry.change.valueBytes { continue }
        agreement.divergences.append(
          Divergence(
            hop: hop, field: field,
            expected: "\(EntryFields.key(of: entry.change)): \(EntryFields.text(of: entry.change))",
            found: found.map(EntryFields.text) ?? "no change",
            details: found.map { EntryFields.differences(entry.change, $0) } ?? []))
      }
      for entry in b where a.change(of: entry.id) == nil {
        agreement.divergences.append(
          Divergence(
            hop: hop, field: field, expected: "\(EntryFields.key(of: entry.change)): no change",
            found: EntryFields.text(of: entry.change)))
      }
    }
  }

  private func compareEvents(_ hop: borrowing Hop, _ other: HookResult, _ agreement: inout Agreement) {
    let ours = hop.result.events
    let theirs = other.events
    guard ours.count == theirs.count else {
      agreement.divergences.append(
        Divergence(
          hop: hop, field: .events, expected: "\(ours.count) events: \(Self.kinds(ours))",
          found: "\(theirs.count) events: \(Self.kinds(theirs))"))
      return
    }
    for (number, (a, b)) in zip(ours, theirs).enumerated() {
      let a = comparable(a)
      let b = comparable(b)
      guard a != b else { continue }
      agreement.divergences.append(
        Divergence(
          hop: hop, field: .events, expected: "event \(number) \(Self.kinds([ours[number]]))",
          found: Self.kinds([theirs[number]]),
          details: Self.eventDifferences(ours[number], theirs[number], a, b)))
    }
  }

  /// An event's octets without what is given or not comparable.
  private func comparable(_ event: Event) -> [UInt8] {
    switch event {
    case .drop(var notify, let captured):
      notify.header.hash = 0
      if foreign {
        notify.line = 0
        notify.file = 0
      }
      return Event.drop(notify, captured: captured).bytes
    case .trace(var notify, let captured):
      notify.header.hash = 0
      return Event.trace(notify, captured: captured).bytes
    case .policyVerdict(var notify, let captured):
      notify.header.hash = 0
      return Event.policyVerdict(notify, captured: captured).bytes
    case .other: return event.withoutSocket.bytes
    }
  }

  private static func kinds(_ events: [Event]) -> String {
    events.map { event in
      switch event {
      case .drop(let notify, _): "drop \(notify.header.subtype)"
      case .trace(let notify, _): "trace \(notify.header.subtype)"
      case .policyVerdict(let notify, _): "policy-verdict \(notify.verdict)"
      case .other(let bytes): "record of \(bytes.count) octets"
      }
    }.joined(separator: ", ")
  }
}

/// A number that prints in hexadecimal.
struct Hexadecimal: Equatable, CustomStringConvertible {
  var value: UInt32
  init(_ value: UInt32) { self.value = value }
  var description: String { "0x" + String(value, radix: 16) }
}

extension Comparison {
  static func hexadecimal(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  static func text(_ value: some Any) -> String {
    if let bytes = value as? [UInt8] { return "\(bytes.count) octets" }
    if let optional = value as? TunnelKey? {
      return optional.map { "VNI \($0.id) to \($0.remote)" } ?? "none"
    }
    return "\(value)"
  }

  /// `offset: ours theirs` for each run of differing octets.
  static func octetDifferences(_ a: [UInt8], _ b: [UInt8]) -> [String] {
    var lines: [String] = []
    var offset = 0
    let shared = Swift.min(a.count, b.count)
    while offset < shared {
      guard a[offset] != b[offset] else {
        offset += 1
        continue
      }
      let start = offset
      while offset < shared, a[offset] != b[offset] { offset += 1 }
      lines.append(
        "octets \(start)..<\(offset): \(hexadecimal(Array(a[start..<offset]))) vs "
          + hexadecimal(Array(b[start..<offset])))
    }
    if a.count != b.count { lines.append("length: \(a.count) vs \(b.count)") }
    return lines
  }

  /// `ipv4.ttl: 63 vs 64` for each header field in which two frames differ.
  static func frameDifferences(_ a: [UInt8], _ b: [UInt8]) -> [String] {
    FieldDiff.between(a, b).map(\.description)
  }

  /// The record's own octets that differ (given as `a` and `b`, without what is not comparable), then the header
  /// fields of the captured packets.
  static func eventDifferences(_ ours: Event, _ theirs: Event, _ a: [UInt8], _ b: [UInt8]) -> [String] {
    guard let first = ours.captured, let second = theirs.captured,
      a.count - first.count == b.count - second.count
    else { return octetDifferences(a, b) }
    let own = a.count - first.count
    return octetDifferences(Array(a.prefix(own)), Array(b.prefix(own)))
      + frameDifferences(first, second).map { "captured \($0)" }
  }
}

extension Event {
  /// Without cookie and cgroup if it is a socket's trace record: `struct trace_sock_notify`, octets 8 to 23.
  var withoutSocket: Event {
    guard case .other(var bytes) = self, bytes.count >= 24,
      bytes[0] == UInt8(truncatingIfNeeded: NOTIFY_TRACE_SOCK.rawValue)
    else { return self }
    for index in 8..<24 { bytes[index] = 0 }
    return .other(bytes)
  }

  /// The packet's octets in the record; nil for records of other types.
  var captured: [UInt8]? {
    switch self {
    case .drop(_, let captured), .trace(_, let captured), .policyVerdict(_, let captured): captured
    case .other: nil
    }
  }
}
