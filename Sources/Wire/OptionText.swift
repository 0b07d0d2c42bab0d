// Options as text, for printing a frame and for naming a difference.

/// Octets in hexadecimal, two digits each, with spaces between; "none" when there are none.
func octetText(_ octets: some Collection<UInt8>) -> String {
  guard !octets.isEmpty else { return "none" }
  return octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
}

private func list(_ options: [some CustomStringConvertible]) -> String {
  options.isEmpty ? "none" : options.map(\.description).joined(separator: ", ")
}

extension IPv4Flags: CustomStringConvertible {
  public var description: String {
    let names: [(IPv4Flags, String)] = [
      (.reserved, "reserved"), (.dontFragment, "DF"), (.moreFragments, "MF"),
    ]
    let parts = names.filter { contains($0.0) }.map(\.1)
    return parts.isEmpty ? "none" : parts.joined(separator: ", ")
  }
}

extension IPv4Option: CustomStringConvertible {
  public var description: String {
    switch self {
    case .endOfList: "end"
    case .noOperation: "nop"
    case .option(let type, let data): "\(hexadecimal(type)) [\(octetText(data))]"
    case .malformed(let rest): "malformed [\(octetText(rest))]"
    }
  }
}

extension IPv4Options: CustomStringConvertible {
  public var description: String { Wire.list(list) }
}

extension TCPOption: CustomStringConvertible {
  public var description: String {
    switch self {
    case .endOfList: "end"
    case .noOperation: "nop"
    case .maximumSegmentSize(let size): "mss \(size)"
    case .windowScale(let shift): "wscale \(shift)"
    case .selectiveAcknowledgmentPermitted: "sackOK"
    case .selectiveAcknowledgment(let edges):
      "sack "
        + stride(from: 0, to: edges.count - 1, by: 2).map { "\(edges[$0])-\(edges[$0 + 1])" }
        .joined(separator: " ")
    case .timestamps(let value, let echo): "timestamps \(value) \(echo)"
    case .other(let kind, let data): "\(kind) [\(octetText(data))]"
    case .malformed(let rest): "malformed [\(octetText(rest))]"
    }
  }
}

extension TCPOptions: CustomStringConvertible {
  public var description: String { Wire.list(list) }
}

extension IPv6Option: CustomStringConvertible {
  public var description: String {
    switch self {
    case .pad1: "pad1"
    case .padN(let count): "padN \(count)"
    case .option(let type, let data): "\(hexadecimal(type)) [\(octetText(data))]"
    case .malformed(let rest): "malformed [\(octetText(rest))]"
    }
  }
}

extension IPv6Options: CustomStringConvertible {
  public var description: String { Wire.list(list) }
}

extension NDPOption: CustomStringConvertible {
  public var description: String {
    switch self {
    case .sourceLinkLayerAddress(let mac): "source \(mac)"
    case .targetLinkLayerAddress(let mac): "target \(mac)"
    case .prefix(let prefix, let length, let flags, let valid, let preferred):
      "prefix \(prefix)/\(length) flags \(hexadecimal(flags)) valid \(valid) preferred \(preferred)"
    case .mtu(let mtu): "mtu \(mtu)"
    case .other(let type, let data): "\(type) [\(octetText(data))]"
    case .malformed(let rest): "malformed [\(octetText(rest))]"
    }
  }
}

extension NDPOptions: CustomStringConvertible {
  public var description: String { Wire.list(list) }
}

extension GeneveOption: CustomStringConvertible {
  public var description: String {
    switch self {
    case .option(let `class`, let type, let reserved, let data):
      "\(hexadecimal(`class`))/\(hexadecimal(type))" + (reserved == 0 ? "" : " reserved \(reserved)")
        + " [\(octetText(data))]"
    case .malformed(let rest): "malformed [\(octetText(rest))]"
    }
  }
}

extension GeneveOptions: CustomStringConvertible {
  public var description: String { Wire.list(list) }
}

extension Layer: CustomStringConvertible {
  /// The name and every field: `udp sport 50000 dport 8472 length 94 checksum 0x0000`.
  public var description: String {
    switch self {
    case .payload(let octets), .trailer(let octets): "\(name) \(octets.count) octets"
    default: ([name.rawValue] + fields.map { "\($0.name) \($0.value)" }).joined(separator: " ")
    }
  }
}

extension Dissection: CustomStringConvertible {
  /// One line per layer, inner ones indented, and the error if there is one.
  public var description: String {
    var lines = entries.map { String(repeating: "  ", count: $0.depth) + $0.layer.description }
    if let error { lines.append("! \(error)") }
    return lines.joined(separator: "\n")
  }
}
