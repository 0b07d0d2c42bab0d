/// What a report is laid out by.
public enum Grouping: String, Sendable, CaseIterable {
  case flow, identity, packet
}

/// Columns of text, two spaces apart; each as wide as its widest cell among the first rows.
struct ColumnLayout: ~Copyable {
  private var widths: [Int]
  private let numeric: [Bool]
  private var scratch = TextOutput()

  /// Rows that are measured; later ones may stick out.
  static let measuredRows = 4096

  init(_ titles: [StaticString], numeric: [Bool]) {
    widths = titles.map(\.utf8CodeUnitCount)
    self.numeric = numeric
  }

  mutating func measure(_ column: Int, _ cell: (inout TextOutput) -> Void) {
    scratch.removeAll()
    cell(&scratch)
    widths[column] = max(widths[column], scratch.count)
  }

  mutating func put(_ column: Int, to output: inout TextOutput, _ cell: (inout TextOutput) -> Void) {
    let isLast = column == widths.count - 1
    if numeric[column] {
      scratch.removeAll()
      cell(&scratch)
      output.spaces(widths[column] - scratch.count)
      scratch.copy(to: &output)
    } else {
      let start = output.total
      cell(&output)
      if !isLast { output.spaces(widths[column] - (output.total - start)) }
    }
    output.put(isLast ? "\n" : "  ")
  }
}

extension DecodeReport {
  /// Writes the report for people: what was in the files, the identities, and the conversations.
  public func writeTable(to output: inout TextOutput, by grouping: Grouping, names: ReportNames) {
    writeCounts(to: &output)
    guard counts.tunnel > 0 else { return }
    output.put("\n")
    writeIdentities(to: &output, names: names)
    if grouping == .flow, flowCount > 0 {
      output.put("\n")
      writeConversations(to: &output, names: names)
    }
  }

  private func writeCounts(to output: inout TextOutput) {
    for (place, file) in files.enumerated() {
      if place > 0 { output.put(", ") }
      output.put(escaped: file)
    }
    output.put(": ")
    output.put(counts.packets)
    output.put(counts.packets == 1 ? " packet, " : " packets, ")
    output.put(counts.tunnel)
    output.put(" of tunnels")
    let rest: [(UInt64, StaticString)] = [
      (counts.laterFragments, " later fragments"), (counts.wireguard, " WireGuard (opaque)"),
      (counts.ipsec, " IPsec (opaque)"), (counts.dsr, " with a DSR option"),
      (counts.cut, " cut by the snap length"),
      (counts.truncated, " too short to decode"), (counts.malformed, " malformed"),
      (counts.vniZero, " with VNI 0"),
      (counts.unknownLinkType, " of an unknown link type"),
    ]
    for (count, text) in rest where count > 0 {
      output.put(", ")
      output.put(count)
      output.put(text)
    }
    output.put("\n")
  }

  private func writeIdentities(to output: inout TextOutput, names: ReportNames) {
    let peers = peers()
    let showsPeers = !peers.isEmpty
    let titles: [StaticString] =
      ["IDENTITY", "PACKETS", "BYTES"] + (showsPeers ? ["PEERS", "NODES"] : ["NODES"])
    var layout = ColumnLayout(titles, numeric: [false, true, true, false, false])
    func cell(_ identity: IdentityCount, _ column: Int, _ cell: inout TextOutput) {
      switch column {
      case 0: cell.put(identity: identity.vni, names.identities)
      case 1: cell.put(identity.packets)
      case 2: cell.put(identity.bytes)
      case 3 where showsPeers: cell.put(list: peers[identity.vni]) { $0.put(UInt64($1)) }
      default:
        cell.put(list: identity.paths) {
          $0.put($1.source)
          $0.put(" > ")
          $0.put($1.destination)
        }
      }
    }
    for identity in identities {
      for column in titles.indices { layout.measure(column) { cell(identity, column, &$0) } }
    }
    for column in titles.indices { layout.put(column, to: &output) { $0.put(titles[column]) } }
    for identity in identities {
      for column in titles.indices { layout.put(column, to: &output) { cell(identity, column, &$0) } }
    }
  }

  private func writeConversations(to output: inout TextOutput, names: ReportNames) {
    let titles: [StaticString] = [
      "PROTOCOL", "SOURCE", "IDENTITY", "DESTINATION", "IDENTITY", "PACKETS", "REPLIES", "BYTES", "REPLIED",
      "SECONDS",
      "TUNNEL",
    ]
    var layout = ColumnLayout(
      titles, numeric: [false, false, false, false, false, true, true, true, true, true, false])
    var measured = 0
    forEachConversation { there, back in
      measured += 1
      for column in titles.indices {
        layout.measure(column) { Self.put(there, back, column, to: &$0, names) }
      }
      return measured < ColumnLayout.measuredRows
    }
    for column in titles.indices { layout.put(column, to: &output) { $0.put(titles[column]) } }
    forEachConversation { there, back in
      for column in titles.indices {
        layout.put(column, to: &output) { Self.put(there, back, column, to: &$0, names) }
      }
      return !output.failed
    }
  }

  /// Calls with both directions of each conversation, the first one to speak first, until it is told to stop.
  public func forEachConversation(_ body: (Flow, Flow?) -> Bool) {
    for number in 0..<flowCount {
      let reverse = reverse(of: number)
      if let reverse, reverse < number { continue }
      guard body(flow(number), reverse.map { flow($0) }) else { return }
    }
  }

  private static func put(
    _ there: Flow, _ back: Flow?, _ column: Int, to cell: inout TextOutput, _ names: ReportNames
  ) {
    switch column {
    case 0: there.kind.put(there.transport, to: &cell)
    case 1: cell.put(there.source, port: there.hasPorts ? there.sourcePort : nil, names.endpoints)
    case 2: cell.put(identity: there.vni, names.identities)
    case 3: cell.put(there.destination, port: there.hasPorts ? there.destinationPort : nil, names.endpoints)
    case 4: if let back { cell.put(identity: back.vni, names.identities) } else { cell.put("-") }
    case 5: cell.put(there.packets)
    case 6: cell.put(back?.packets ?? 0)
    case 7: cell.put(there.bytes)
    case 8: cell.put(back?.bytes ?? 0)
    case 9:
      let first = min(there.first, back?.first ?? .max)
      let milliseconds = (max(there.last, back?.last ?? 0) &- first) / 1_000_000
      cell.put(milliseconds / 1000)
      cell.put(".")
      cell.padded(milliseconds % 1000, width: 3)
    default:
      cell.put(there.tunnel == .vxlan ? "vxlan " : "geneve ")
      cell.put(there.outer.source)
      cell.put(" > ")
      cell.put(there.outer.destination)
      if let option = there.dsr ?? back?.dsr {
        cell.put(", DSR for ")
        cell.put(.ip(option.address), port: option.port)
      }
    }
  }
}

extension TextOutput {
  /// Up to eight elements, separated by commas.
  mutating func put<Element>(list: [Element], _ element: (inout TextOutput, Element) -> Void) {
    if list.isEmpty { put("-") }
    for (place, value) in list.prefix(8).enumerated() {
      if place > 0 { put(", ") }
      element(&self, value)
    }
    if list.count > 8 {
      put(" and ")
      put(UInt64(list.count - 8))
      put(" more")
    }
  }
}
