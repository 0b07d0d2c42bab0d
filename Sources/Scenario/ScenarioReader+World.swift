import Cluster
import Manifests
import Wire

extension Cursor {
  func nodeChange() -> Step.Verb? {
    fields { fields in
      let name = fields.required("name")?.nonEmptyString()
      let state = fields.required("state")?.choice(NodeState.self)
      guard let name, let state else { return nil }
      return .node(name, state)
    }
  }

  func linkChange() -> LinkChange? {
    fields { fields in
      let ends: [String]? = fields.required("between")?.list { $0.nonEmptyString() }
      var change = LinkChange(ends?.first ?? "", ends?.last ?? "")
      if let ends, ends.count != 2 || ends[0] == ends[1] {
        report("invalid-value", "a link is between two nodes, found \(ends.count)")
      }
      change.state = fields.optional("state")?.choice(PowerState.self)
      change.drops = fields.optional("drop")?.oneOrMore { $0.linkDrop() }
      change.mtu = fields.optional("mtu")?.integer(68...65_535)
      change.loss = fields.optional("loss")?.fraction()
      change.delay = fields.optional("delay")?.duration()
      return ends == nil ? nil : change
    }
  }

  /// `udp/8472`, `8472/UDP`, `icmp`.
  private func linkDrop() -> LinkChange.Drop? {
    guard let text = text() else { return nil }
    var port: UInt16?
    var transport: ProbeProtocol?
    for part in text.split(separator: "/", omittingEmptySubsequences: false) {
      if let known = ProbeProtocol.allCases.first(where: { $0.rawValue.lowercased() == part.lowercased() }) {
        transport = known
      } else if let number = UInt16(part), number > 0, port == nil {
        port = number
      } else {
        transport = nil
        break
      }
    }
    if let transport, port == nil || transport.hasPorts { return .init(transport: transport, port: port) }
    report("invalid-value", "\(quoted(text)) names no packets; expected a form like udp/8472 or icmp")
    return nil
  }

  /// `{records: …, ttl: …}`, or the records themselves.
  func worldDNSChange() -> WorldDNS? {
    if value["records"] != nil || value["ttl"] != nil { return worldDNS() }
    let member = YAMLValue.Member(key: "records", keyLocation: location, value: value)
    return Cursor(YAMLValue(.mapping([member]), location: location), path: path, log: log).worldDNS()
  }

  func injection() -> Injection? {
    fields { fields in
      let node = fields.required("node")?.nonEmptyString()
      let interface = fields.required("interface")?.nonEmptyString()
      let hex = fields.optional("hex")?.octets()
      let frame = fields.optional("frame")?.frame()
      if (hex == nil) == (frame == nil), fields.keys.contains("hex") == fields.keys.contains("frame") {
        report("conflict", "expected one of frame and hex")
      }
      guard let node, let interface else { return nil }
      guard let content = hex.map(Injection.Frame.octets) ?? frame else { return nil }
      return Injection(node: node, interface: interface, frame: content, location: fields.location)
    }
  }

  private func frame() -> Injection.Frame? {
    switch value.content {
    case .string, .integer: return octets().map { .octets($0) }
    case .mapping:
      let layers: [FrameLayer]? = members()?.compactMap { name, value in value.layer(name) }
      return layers.map { .layers($0) }
    default:
      let layers = list { item -> FrameLayer? in
        guard let members = item.members() else { return nil }
        guard members.count == 1 else {
          item.report("invalid-value", "a layer is one header, found \(members.count) keys")
          return nil
        }
        return members[0].value.layer(members[0].key)
      }
      return layers.map { .layers($0) }
    }
  }

  private func layer(_ name: Located<String>) -> FrameLayer? {
    guard let kind = FrameLayer.Kind(rawValue: name.value) else {
      let known = FrameLayer.Kind.allCases.map(\.rawValue)
      report(
        "unknown-field", "unknown header \(quoted(name.value)); \(suggestion(name.value, known))",
        at: name.location)
      return nil
    }
    if value.isNull { return FrameLayer(kind: kind, fields: [], location: name.location) }
    if kind == .payload, case .string(let text) = value.content {
      let field = FrameLayer.Field(name: "text", text: Located(text, at: location))
      return FrameLayer(kind: kind, fields: [field], location: name.location)
    }
    return fields { fields in
      var found: [FrameLayer.Field] = []
      for key in kind.fields {
        if let cursor = fields.optional(key), let text = cursor.text() {
          found.append(.init(name: key, text: Located(text, at: cursor.location)))
        }
      }
      return FrameLayer(kind: kind, fields: found, location: name.location)
    }
  }

  /// Hexadecimal octets; spaces, newlines and colons are skipped.
  private func octets() -> [UInt8]? {
    guard let text = text() else { return nil }
    var digits: [UInt8] = []
    for character in text.unicodeScalars where !" \n\t:".unicodeScalars.contains(character) {
      guard let digit = character.isASCII ? Character(character).hexDigitValue : nil else {
        report("invalid-value", "\(quoted(String(character))) is no hexadecimal digit")
        return nil
      }
      digits.append(UInt8(digit))
    }
    guard digits.count.isMultiple(of: 2) else {
      report("invalid-value", "an odd number of hexadecimal digits: \(digits.count)")
      return nil
    }
    guard digits.count <= 2 * 65_535 else {
      report("invalid-value", "the frame has \(digits.count / 2) octets; at most 65535 can be sent")
      return nil
    }
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// `identity list`, or `{name: identity list, node: n1}`.
  func viewRequest() -> ViewRequest? {
    if case .string = value.content { return nonEmptyString().map { ViewRequest(name: $0) } }
    return fields { fields in
      let name = fields.required("name")?.nonEmptyString()
      let node = fields.optional("node")?.nonEmptyString()
      return name.map { ViewRequest(name: $0, node: node) }
    }
  }

  /// `{start: name, node: …, interface: …}` or `{stop: name}`.
  func captureCommand() -> CaptureCommand? {
    fields { fields in
      let stop = fields.optional("stop")?.nonEmptyString()
      if let start = fields.optional("start")?.nonEmptyString() {
        if stop != nil { report("conflict", "start and stop exclude each other") }
        let node = fields.required("node")?.nonEmptyString()
        let interface = fields.required("interface")?.nonEmptyString()
        guard let node, let interface else { return nil }
        return .start(name: start, node: node, interface: interface)
      }
      if stop == nil { report("missing-field", "expected start or stop") }
      return stop.map { .stop(name: $0) }
    }
  }
}
