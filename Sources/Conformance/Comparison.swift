public import Datapath
import MapABI
import Wire

/// Compares what two interpreters made of the same hop, field by field.
public struct Comparison {
  /// Whether the other side runs objects that are not ours, whose source positions say nothing.
  public var foreign: Bool

  public init(foreign: Bool) { self.foreign = foreign }

  /// Counts the hop in `agreement`, with one divergence for each field that differs.
  public func compare(_ hop: borrowing Hop, with other: HookResult, into agreement: inout Agreement) {
    let before = agreement.divergences.count
    compareVerdict(hop, other, &agreement)
    compareSubjects(hop, other, &agreement)
    compareChanges(hop, other, &agreement)
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
    let (ours, ourCounters) = canonical(hop.result.changes)
    let (theirs, theirCounters) = canonical(other.changes)
    for (field, a, b) in [(Field.mapChanges, ours, theirs), (.counters, ourCounters, theirCounters)] {
      for entry in a where b.value(of: entry.key) != entry.value {
        agreement.divergences.append(
          Divergence(
            hop: hop, field: field, expected: "\(entry.key): \(entry.value)",
            found: b.value(of: entry.key) ?? "no change"))
      }
      for entry in b where a.value(of: entry.key) == nil {
        agreement.divergences.append(
          Divergence(
            hop: hop, field: field, expected: "\(entry.key): no change", found: entry.value))
      }
    }
  }

  /// Changes as sorted text: entries, and counters summed by key.
  private func canonical(_ changes: [MapChange]) -> (entries: [TextEntry], counters: [TextEntry]) {
    var entries: [TextEntry] = []
    var sums: [(key: String, packets: UInt64, bytes: UInt64)] = []
    for change in changes {
      guard change.operation == .add else {
        let value = change.operation == .delete ? "removed" : Self.hexadecimal(change.valueBytes)
        entries.append(
          TextEntry(key: "\(change.map.name)[\(Self.hexadecimal(change.keyBytes))]", value: value))
        continue
      }
      let key: String
      if change.map == .metrics, foreign {
        let metric = change.key(as: MetricsKey.self)
        key = "\(change.map.name)[reason \(metric.reason) direction \(metric.dir)]"
      } else {
        key = "\(change.map.name)[\(Self.hexadecimal(change.keyBytes))]"
      }
      let added = change.value(as: Counters.self)
      if let index = sums.firstIndex(where: { $0.key == key }) {
        sums[index].packets &+= added.packets
        sums[index].bytes &+= added.bytes
      } else {
        sums.append((key, added.packets, added.bytes))
      }
    }
    let counters = sums.map { TextEntry(key: $0.key, value: "+\($0.packets) packets, +\($0.bytes) bytes") }
    return (entries.sorted { $0.key < $1.key }, counters.sorted { $0.key < $1.key })
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
          found: Self.kinds([theirs[number]]), details: Self.octetDifferences(a, b)))
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
    case .other(let bytes): return bytes
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

/// A key with its value, both as text.
struct TextEntry {
  var key: String
  var value: String
}

extension [TextEntry] {
  /// The value of a key; the array is sorted by key.
  fileprivate func value(of key: String) -> String? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      if self[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low < count && self[low].key == key ? self[low].value : nil
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

  static func frameDifferences(_ a: [UInt8], _ b: [UInt8]) -> [String] { octetDifferences(a, b) }
}
