import Datapath
import MapABI
import Wire

/// Writes hops as text: one fact a line, octets in hexadecimal as they lie in memory. `HopReader` reads it.
struct HopWriter {
  private(set) var text: String
  /// Configurations that have been written, by their octets; the first is the pattern of the others.
  private var configs: [[UInt8]: Int] = [:]
  private var pattern: [UInt8] = []
  private var node = ""

  init(version: String, scenario: String) {
    text = """
      # What the compiled programs of Cilium \(version) made of hops of a scenario: data, written by `ciliate record`.
      # Event hashes and source positions are zero; frames and map entries are octets in hexadecimal.
      hops 1
      version \(version)
      scenario \(scenario)

      """
  }

  mutating func enter(_ name: String) {
    guard name != node else { return }
    node = name
    line("node", name)
  }

  mutating func write(_ attachments: [Attachment]) {
    let numbers = attachments.map { number($0.config) }
    line("attachments")
    for (attachment, number) in zip(attachments, numbers) {
      line("attach", attachment.hook.rawValue, "\(attachment.ifindex)", attachment.device, "\(number)")
    }
  }

  mutating func write(_ configs: [DatapathConfig]) {
    let numbers = configs.map { number($0) }
    line(["endpoints"] + numbers.map { "\($0)" })
  }

  mutating func write(_ change: MapChange) { line(Self.words(change)) }

  mutating func write(_ hop: borrowing Hop) {
    let attachment = hop.attachment
    let config = number(attachment.config)
    line(
      "hop", "\(hop.time.nanoseconds)", attachment.hook.rawValue, "\(attachment.ifindex)", attachment.device,
      "\(config)")
    let environment = hop.input.environment
    line(
      "  environment", "\(environment.ktime)", "\(environment.random)", "\(environment.flowHash)",
      environment.chosenBackend.map { "\($0)" } ?? "-", environment.chosenPort.map { "\($0)" } ?? "-")
    write(hop.input.subject, before: nil)
    line("  verdict", Self.word(hop.result.verdict))
    write(hop.result.subject, before: hop.input.subject)
    for change in hop.result.changes { line(["  change"] + Self.words(change)) }
    let before = hop.input.subject.frame ?? []
    let after = hop.result.subject.frame ?? []
    for event in hop.result.events { line(["  event"] + Self.words(event, before, after)) }
    line("end")
  }

  private mutating func line(_ words: String...) { line(words) }

  private mutating func line(_ words: [String]) {
    for (index, word) in words.enumerated() {
      if index > 0 { text += " " }
      text += word
    }
    text += "\n"
  }

  /// The number of a configuration, written when it is new: in full, or as what differs from the first.
  private mutating func number(_ config: DatapathConfig) -> Int {
    let octets = withUnsafeBytes(of: config) { Array($0) }
    if let known = configs[octets] { return known }
    let number = configs.count + 1
    configs[octets] = number
    if pattern.isEmpty {
      pattern = octets
      line("config", "\(number)", Comparison.hexadecimal(octets))
    } else {
      line(["config", "\(number)", "like-1"] + Self.edits(pattern, octets))
    }
    return number
  }

  private mutating func write(_ subject: Subject, before: Subject?) {
    let prefix = before == nil ? "  in" : "  out"
    switch subject {
    case .skb(let buffer):
      line(
        [
          "\(prefix) skb", "\(buffer.ifindex)", "\(buffer.ingressIfindex)", "\(buffer.mark)",
          "\(buffer.tcIndex)", "\(buffer.packetType.rawValue)",
        ]
          // Working space says nothing about a program's answer.
          + (0..<5).map { before == nil ? "\(buffer.cb[$0])" : "0" })
      if let key = buffer.tunnelKey {
        line(
          "\(prefix) tunnel", "\(key.id)", "\(key.remote)", "\(key.tos)", "\(key.ttl)",
          key.options.isEmpty ? "-" : Comparison.hexadecimal(key.options))
      }
      line(["\(prefix) frame"] + Self.frame(buffer.frame, before?.frame))
    case .xdp(let buffer):
      line("\(prefix) xdp", "\(buffer.ingressIfindex)")
      line(["\(prefix) frame"] + Self.frame(buffer.frame, before?.frame))
    case .socket(let address):
      line(
        "\(prefix) socket", "\(address.destination)", "\(address.port)", "\(address.protocol)",
        "\(address.cookie)", "\(address.netnsCookie)")
    }
  }

  private static func frame(_ frame: [UInt8], _ before: [UInt8]?) -> [String] {
    guard let before else { return [Comparison.hexadecimal(frame)] }
    if frame == before { return ["same"] }
    guard frame.count == before.count else { return [Comparison.hexadecimal(frame)] }
    return ["edited"] + edits(before, frame)
  }

  /// `offset=octets` for each run of octets that differ.
  private static func edits(_ before: [UInt8], _ after: [UInt8]) -> [String] {
    var words: [String] = []
    var offset = 0
    while offset < min(before.count, after.count) {
      guard before[offset] != after[offset] else {
        offset += 1
        continue
      }
      let start = offset
      while offset < min(before.count, after.count), before[offset] != after[offset] { offset += 1 }
      words.append("\(start)=" + Comparison.hexadecimal(Array(after[start..<offset])))
    }
    return words
  }

  private static func words(_ change: MapChange) -> [String] {
    let map = change.map.isPerEndpoint ? "\(change.map.name)@\(change.endpoint)" : change.map.name
    let key = Comparison.hexadecimal(change.keyBytes)
    switch change.operation {
    case .delete: return ["delete", map, key]
    case .put: return ["put", map, key, Comparison.hexadecimal(change.valueBytes)]
    case .add: return ["add", map, key, Comparison.hexadecimal(change.valueBytes)]
    }
  }

  /// The record's octets; those that are the packet's, before or after the run, are only counted.
  private static func words(_ event: Event, _ before: [UInt8], _ after: [UInt8]) -> [String] {
    let captured: [UInt8] =
      switch event {
      case .drop(_, let captured), .trace(_, let captured), .policyVerdict(_, let captured): captured
      case .other: []
      }
    let octets = event.bytes
    for (name, frame) in [("out", after), ("in", before)]
    where !captured.isEmpty && frame.starts(with: captured) {
      return [Comparison.hexadecimal(Array(octets.dropLast(captured.count))), name, "\(captured.count)"]
    }
    return [Comparison.hexadecimal(octets)]
  }

  static func word(_ verdict: Verdict) -> String {
    switch verdict {
    case .pass: "pass"
    case .drop: "drop"
    case .transmit: "transmit"
    case .other(let value): "other \(value)"
    case .redirect(nil): "redirect unobserved"
    case .redirect(let target?): "redirect \(target.ifindex) \(target.mode)"
    }
  }
}
