extension TextOutput {
  /// A JSON string (RFC 8259 section 7); control characters of both ranges are escaped.
  mutating func put(json text: String) {
    put("\"")
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": put("\\\"")
      case "\\": put("\\\\")
      default:
        if scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value) {
          put("\\u")
          hex(UInt64(scalar.value), digits: 4)
        } else if scalar.value < 0x80 {
          put(UInt8(scalar.value))
        } else {
          put(text: String(scalar))
        }
      }
    }
    put("\"")
  }

  /// A JSON string of something that needs no escapes.
  mutating func quoted(_ body: (inout TextOutput) -> Void) {
    put("\"")
    body(&self)
    put("\"")
  }
}

extension DecodeReport {
  /// Writes the report as `ciliate.decode/v1`: one entry per direction; `reverse` is the number of the other
  /// direction's entry. Times are decimal strings of nanoseconds since the epoch; bytes are inner frame lengths.
  public func writeJSON(to output: inout TextOutput, names: ReportNames) {
    Self.writeJSONHead(files, to: &output)
    writeJSONTail(to: &output, names: names)
  }

  /// The document's start, for one that carries a list of packets between start and end.
  static func writeJSONHead(_ files: [String], to output: inout TextOutput) {
    output.put("{\"schema\":\"ciliate.decode/v1\",\"files\":[")
    for (place, file) in files.enumerated() {
      if place > 0 { output.put(",") }
      output.put(json: file)
    }
    output.put("],")
  }

  func writeJSONTail(to output: inout TextOutput, names: ReportNames) {
    output.put("\"packets\":")
    output.put(counts.packets)
    output.put(",\"tunnelPackets\":")
    output.put(counts.tunnel)
    output.put(",\"identities\":[")
    for (place, identity) in identities.enumerated() {
      output.put(place > 0 ? ",{\"vni\":" : "{\"vni\":")
      output.put(UInt64(identity.vni))
      output.put(",\"name\":")
      if let name = names.identities.name(identity.vni) { output.put(json: name) } else { output.put("null") }
      output.put(",\"packets\":")
      output.put(identity.packets)
      output.put(",\"bytes\":")
      output.put(identity.bytes)
      output.put("}")
    }
    output.put("],\"flows\":[")
    for number in 0..<flowCount {
      guard !output.failed else { return }
      output.put(number > 0 ? ",\n" : "\n")
      put(flow(number), reverse(of: number), to: &output)
    }
    output.put("],\"malformed\":")
    output.put(counts.malformed)
    output.put("}\n")
  }

  private func put(_ flow: Flow, _ reverse: Int?, to output: inout TextOutput) {
    output.put(flow.tunnel == .vxlan ? "{\"tunnel\":\"vxlan\"" : "{\"tunnel\":\"geneve\"")
    output.put(",\"outer\":{\"src\":")
    output.quoted { $0.put(flow.outer.source) }
    output.put(",\"dst\":")
    output.quoted { $0.put(flow.outer.destination) }
    output.put("},\"vni\":")
    output.put(UInt64(flow.vni))
    output.put(",\"inner\":{\"src\":")
    output.quoted { $0.put(flow.source) }
    output.put(",\"dst\":")
    output.quoted { $0.put(flow.destination) }
    output.put(",\"protocol\":")
    output.quoted { flow.kind.put(flow.transport, to: &$0) }
    output.put(",\"sport\":")
    if flow.hasPorts { output.put(UInt64(flow.sourcePort)) } else { output.put("null") }
    output.put(",\"dport\":")
    if flow.hasPorts { output.put(UInt64(flow.destinationPort)) } else { output.put("null") }
    output.put("},\"packets\":")
    output.put(flow.packets)
    output.put(",\"bytes\":")
    output.put(flow.bytes)
    output.put(",\"first\":")
    output.quoted { $0.put(flow.first) }
    output.put(",\"last\":")
    output.quoted { $0.put(flow.last) }
    output.put(",\"reverse\":")
    if let reverse { output.put(UInt64(reverse)) } else { output.put("null") }
    output.put("}")
  }
}
