import Datapath
import MapABI
import Wire

extension HopRecording {
  /// Reads what ``HopWriter`` wrote; `file` stands in errors.
  public init(_ text: String, file: String) throws(RecordingError) {
    var reader = HopReader(file)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) { try reader.read(line) }
    self = try reader.finish()
  }
}

/// Reads a recording line by line.
struct HopReader {
  private let file: String
  private var number = 0
  private var isMarked = false
  private var recording = HopRecording(version: "", scenario: "")
  private var configs: [Int: DatapathConfig] = [:]
  private var pattern: [UInt8] = []
  /// The list that `attach` lines are added to: its place among the items.
  private var attachments: [Attachment]?
  private var hop: OpenHop?

  /// A hop whose `end` is still to come.
  private struct OpenHop {
    var time: Instant
    var attachment: Attachment
    var environment: Environment?
    var before: Subject?
    var after: Subject?
    var verdict: Verdict?
    var changes: [MapChange] = []
    var events: [Event] = []
  }

  init(_ file: String) { self.file = file }

  mutating func finish() throws(RecordingError) -> HopRecording {
    guard isMarked else { throw bad("no recording: expected a line \"hops 1\"") }
    guard hop == nil else { throw bad("the text ends inside a hop: expected \"end\"") }
    closeAttachments()
    return recording
  }

  mutating func read(_ line: Substring) throws(RecordingError) {
    number += 1
    let words = line.split(separator: " ")
    guard let first = words.first, !first.hasPrefix("#") else { return }
    let rest = Array(words.dropFirst())
    guard isMarked || first == "hops" else { throw bad("no recording: expected a line \"hops 1\"") }
    if hop != nil { return try readHop(first, rest) }
    if first != "attach" && first != "config" { closeAttachments() }
    switch first {
    case "hops":
      guard rest == ["1"] else { throw bad("format \(rest.joined(separator: " ")) found, 1 expected") }
      isMarked = true
    case "version": recording.version = rest.joined(separator: " ")
    case "scenario": recording.scenario = rest.joined(separator: " ")
    case "node": recording.items.append(.node(rest.joined(separator: " ")))
    case "config": try readConfig(rest)
    case "attachments": attachments = []
    case "attach":
      guard attachments != nil else { throw bad("attach outside attachments") }
      let attachment = try attachment(rest)
      attachments?.append(attachment)
    case "endpoints":
      var list: [DatapathConfig] = []
      for word in rest { list.append(try config(word)) }
      recording.items.append(.endpointConfigs(list))
    case "put", "delete", "add": recording.items.append(.change(try change(words)))
    case "hop":
      let time: UInt64 = try integer(rest, 0)
      hop = OpenHop(time: Instant(nanoseconds: time), attachment: try attachment(Array(rest.dropFirst())))
    default: throw bad("\(first): unknown word")
    }
  }

  private mutating func closeAttachments() {
    guard let list = attachments else { return }
    recording.items.append(.attachments(list))
    attachments = nil
  }

  private mutating func readConfig(_ words: [Substring]) throws(RecordingError) {
    let name: Int = try integer(words, 0)
    let size = MemoryLayout<DatapathConfig>.size
    var octets: [UInt8]
    if words.count > 1, words[1] == "like-1" {
      octets = try edited(pattern, words.dropFirst(2))
    } else {
      octets = try hexadecimal(words, 1)
      pattern = octets
    }
    guard octets.count == size else {
      throw bad("a configuration has \(size) octets, \(octets.count) found: recorded for another ABI")
    }
    configs[name] = octets.withUnsafeBytes { $0.loadUnaligned(as: DatapathConfig.self) }
  }

  private mutating func readHop(_ first: Substring, _ rest: [Substring]) throws(RecordingError) {
    guard var open = hop else { return }
    switch first {
    case "environment":
      open.environment = Environment(
        ktime: try integer(rest, 0), random: try integer(rest, 1), flowHash: try integer(rest, 2),
        chosenBackend: try optional(rest, 3), chosenPort: try optional(rest, 4))
    case "in": open.before = try subject(open.before, rest, from: nil)
    case "out": open.after = try subject(open.after, rest, from: open.before?.frame)
    case "verdict": open.verdict = try verdict(rest)
    case "change": open.changes.append(try change(rest))
    case "event": open.events.append(try event(rest, open))
    case "end":
      hop = nil
      return try close(open)
    default: throw bad("\(first): unknown word in a hop")
    }
    hop = open
  }

  private mutating func close(_ open: OpenHop) throws(RecordingError) {
    guard let environment = open.environment, let before = open.before,
      let after = open.after, let verdict = open.verdict
    else { throw bad("the hop lacks its environment, in, out or verdict") }
    recording.items.append(
      .hop(
        Hop(
          time: open.time, node: "", attachment: open.attachment,
          input: HookInput(before, environment: environment),
          result: HookResult(verdict: verdict, subject: after, changes: open.changes, events: open.events),
          position: 0)))
  }

  private func attachment(_ words: [Substring]) throws(RecordingError) -> Attachment {
    guard words.count == 4, let hook = Hook(rawValue: String(words[0])) else {
      throw bad("expected a hook, a device's index and name, and a configuration")
    }
    return Attachment(
      hook: hook, ifindex: try integer(words, 1), device: String(words[2]), config: try config(words[3]))
  }

  private func config(_ word: Substring) throws(RecordingError) -> DatapathConfig {
    guard let number = Int(word), let config = configs[number] else {
      throw bad("\(word): there is no such configuration")
    }
    return config
  }

  private func change(_ words: [Substring]) throws(RecordingError) -> MapChange {
    guard words.count >= 3 else { throw bad("expected put, delete or add, a map and a key") }
    let operation: MapChange.Operation
    switch words[0] {
    case "put": operation = .put
    case "delete": operation = .delete
    case "add": operation = .add
    default: throw bad("\(words[0]): expected put, delete or add")
    }
    let place = words[1].split(separator: "@", maxSplits: 1)
    guard let name = place.first, let map = MapID.allCases.first(where: { $0.name == name }) else {
      throw bad("\(words[1]): there is no such map")
    }
    let endpoint: UInt16 = place.count > 1 ? try integer(place, 1) : 0
    let value = operation == .delete ? [] : try hexadecimal(words, 3)
    guard
      let change = MapChange(
        map: map, operation: operation, endpoint: endpoint, key: try hexadecimal(words, 2), value: value)
    else {
      throw bad("\(map.name) has keys of \(map.keySize) and values of \(map.valueSize) octets")
    }
    return change
  }

  /// One line about a packet or a socket; `before` is the frame that an edited one is made from.
  private func subject(
    _ known: Subject?, _ words: [Substring], from before: [UInt8]?
  ) throws(RecordingError) -> Subject {
    guard let kind = words.first else { throw bad("expected what the line is about") }
    let rest = Array(words.dropFirst())
    switch (kind, known) {
    case ("skb", nil):
      guard let type = PacketType(rawValue: try integer(rest, 4)) else { throw bad("unknown packet type") }
      var cb = ControlBlock()
      for slot in 0..<5 { cb[slot] = try integer(rest, 5 + slot) }
      return .skb(
        SocketBuffer(
          frame: [], ifindex: try integer(rest, 0), ingressIfindex: try integer(rest, 1),
          mark: try integer(rest, 2), tcIndex: try integer(rest, 3), cb: cb, packetType: type))
    case ("xdp", nil): return .xdp(XDPBuffer(frame: [], ingressIfindex: try integer(rest, 0)))
    case ("socket", nil):
      return .socket(
        SocketAddress(
          destination: try address(rest, 0), port: try integer(rest, 1), protocol: try integer(rest, 2),
          cookie: try integer(rest, 3), netnsCookie: try integer(rest, 4)))
    case ("tunnel", .skb(var buffer)?):
      let options = rest.count > 4 && rest[4] != "-" ? try hexadecimal(rest, 4) : []
      buffer.tunnelKey = TunnelKey(
        id: try integer(rest, 0), remote: try address(rest, 1), tos: try integer(rest, 2),
        ttl: try integer(rest, 3), options: options)
      return .skb(buffer)
    case ("frame", .skb(var buffer)?):
      buffer.frame = try frame(rest, before)
      return .skb(buffer)
    case ("frame", .xdp(var buffer)?):
      buffer.frame = try frame(rest, before)
      return .xdp(buffer)
    default: throw bad("\(kind): not expected here")
    }
  }

  private func frame(_ words: [Substring], _ before: [UInt8]?) throws(RecordingError) -> [UInt8] {
    switch (words.first, before) {
    case ("same"?, let before?): return before
    case ("edited"?, let before?): return try edited(before, words.dropFirst())
    default: return words.isEmpty ? [] : try hexadecimal(words, 0)
    }
  }

  private func event(_ words: [Substring], _ open: OpenHop) throws(RecordingError) -> Event {
    var octets = try hexadecimal(words, 0)
    if words.count > 1 {
      let count: Int = try integer(words, 2)
      let frame = (words[1] == "in" ? open.before?.frame : open.after?.frame) ?? []
      guard words[1] == "in" || words[1] == "out", count >= 0, count <= frame.count else {
        throw bad("expected in or out, and no more octets than the packet has")
      }
      octets += frame.prefix(count)
    }
    return octets.withUnsafeBytes { Event(bytes: $0) }
  }

  private func verdict(_ words: [Substring]) throws(RecordingError) -> Verdict {
    switch words.first {
    case "pass"?: return .pass
    case "drop"?: return .drop
    case "transmit"?: return .transmit
    case "other"?: return .other(try integer(words, 1))
    case "redirect"? where words.count == 2 && words[1] == "unobserved": return .redirect(nil)
    case "redirect"? where words.count == 3:
      let modes: [Redirect.Mode] = [.egress, .ingress, .peer, .neighbour]
      guard let mode = modes.first(where: { "\($0)" == words[2] }) else {
        throw bad("\(words[2]): expected egress, ingress, peer or neighbour")
      }
      return .redirect(Redirect(ifindex: try integer(words, 1), mode: mode))
    default: throw bad("expected pass, drop, transmit, redirect TARGET or other NUMBER")
    }
  }

  private func edited(_ before: [UInt8], _ words: ArraySlice<Substring>) throws(RecordingError) -> [UInt8] {
    var octets = before
    for word in words {
      let parts = word.split(separator: "=", maxSplits: 1)
      let offset: Int = try integer(parts, 0)
      let run = try hexadecimal(parts, 1)
      guard offset >= 0, offset <= octets.count, run.count <= octets.count - offset else {
        throw bad("\(word): reaches beyond \(octets.count) octets")
      }
      octets.replaceSubrange(offset..<offset + run.count, with: run)
    }
    return octets
  }

  private func integer<T: FixedWidthInteger>(_ words: [Substring], _ index: Int) throws(RecordingError) -> T {
    guard words.indices.contains(index), let value = T(words[index]) else {
      throw bad("expected a number\(words.indices.contains(index) ? ", found \(words[index])" : "")")
    }
    return value
  }

  private func optional<T: FixedWidthInteger>(_ words: [Substring], _ index: Int) throws(RecordingError) -> T?
  {
    if words.indices.contains(index), words[index] == "-" { return nil }
    return try integer(words, index)
  }

  private func address(_ words: [Substring], _ index: Int) throws(RecordingError) -> IPAddress {
    guard words.indices.contains(index), let address = IPAddress(words[index]) else {
      throw bad("expected an address")
    }
    return address
  }

  private func hexadecimal(_ words: [Substring], _ index: Int) throws(RecordingError) -> [UInt8] {
    guard words.indices.contains(index) else { throw bad("expected octets in hexadecimal") }
    let digits = Array(words[index].utf8)
    guard digits.count % 2 == 0 else { throw bad("an odd number of hexadecimal digits") }
    var octets: [UInt8] = []
    octets.reserveCapacity(digits.count / 2)
    for position in stride(from: 0, to: digits.count, by: 2) {
      guard let high = Self.digit(digits[position]), let low = Self.digit(digits[position + 1]) else {
        throw bad("\(words[index].prefix(16)): not hexadecimal")
      }
      octets.append(high << 4 | low)
    }
    return octets
  }

  private static func digit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    default: nil
    }
  }

  private func bad(_ message: String) -> RecordingError {
    RecordingError(file: file, line: number, message: message)
  }
}
