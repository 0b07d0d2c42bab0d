import Wire

/// A DNS query or answer, as far as resolvers and CoreDNS speak it here: one question, address records.
/// Source: RFC 1035 section 4.1, RFC 3596.
struct DNSMessage: Equatable {
  enum RecordType: UInt16 {
    case a = 1
    case aaaa = 28
  }
  enum ResponseCode: UInt8 {
    case success = 0
    case serverFailure = 2
    case nameError = 3
    case refused = 5
  }

  var identifier: UInt16
  var isResponse: Bool
  /// Lower case, without the final dot.
  var name: String
  var type: RecordType
  var code = ResponseCode.success
  var answers: [IPAddress] = []
  var ttl: UInt32 = 0

  /// The octets of the message; nil when the name cannot be written.
  var octets: [UInt8]? {
    guard let question = Self.encode(name: name) else { return nil }
    var octets: [UInt8] = []
    func put(_ value: UInt16) { octets += [UInt8(value >> 8), UInt8(value & 255)] }
    put(identifier)
    // Recursion desired; in answers also: response, authoritative, recursion available.
    put(isResponse ? 0x8580 | UInt16(code.rawValue) : 0x0100)
    put(1)
    put(UInt16(answers.count))
    put(0)
    put(0)
    octets += question
    put(type.rawValue)
    put(1)
    for answer in answers {
      put(0xc00c)
      put(answer.family == .ipv4 ? RecordType.a.rawValue : RecordType.aaaa.rawValue)
      put(1)
      put(UInt16(ttl >> 16))
      put(UInt16(ttl & 0xffff))
      put(UInt16(answer.octets.count))
      octets += answer.octets
    }
    return octets
  }

  /// Reads a message; nil when it is not one of the kind that is spoken here.
  init?(_ octets: [UInt8]) {
    func word(_ offset: Int) -> UInt16? {
      guard offset >= 0, offset + 2 <= octets.count else { return nil }
      return UInt16(octets[offset]) << 8 | UInt16(octets[offset + 1])
    }
    guard let identifier = word(0), let flags = word(2), word(4) == 1, let answerCount = word(6) else {
      return nil
    }
    guard let (name, afterName) = Self.decode(octets, at: 12) else { return nil }
    guard let typeNumber = word(afterName), let type = RecordType(rawValue: typeNumber) else { return nil }
    self.identifier = identifier
    isResponse = flags & 0x8000 != 0
    self.name = name
    self.type = type
    guard let code = ResponseCode(rawValue: UInt8(flags & 15)) else { return nil }
    self.code = code
    var offset = afterName + 4
    for _ in 0..<answerCount {
      guard let length = word(offset + 10), let high = word(offset + 6), let low = word(offset + 8) else {
        return nil
      }
      let start = offset + 12
      guard start + Int(length) <= octets.count else { return nil }
      let data = octets[start..<start + Int(length)]
      ttl = UInt32(high) << 16 | UInt32(low)
      if data.count == 4 {
        answers.append(.v4(IPv4Address(bits: data.reduce(0) { $0 << 8 | UInt32($1) })))
      } else if let address = IPv6Address(octets: data) {
        answers.append(.v6(address))
      }
      offset = start + Int(length)
    }
  }

  init(query name: String, type: RecordType, identifier: UInt16) {
    self.identifier = identifier
    isResponse = false
    self.name = name.lowercased()
    self.type = type
  }

  /// The answer to this query out of a table.
  func answer(from table: NameTable) -> DNSMessage {
    var answer = self
    answer.isResponse = true
    guard let addresses = table.records[name.lowercased()] else {
      answer.code = .nameError
      return answer
    }
    answer.answers = addresses.filter { ($0.family == .ipv4) == (type == .a) }
    answer.ttl = table.ttl
    return answer
  }

  private static func encode(name: String) -> [UInt8]? {
    var octets: [UInt8] = []
    for label in name.split(separator: ".") {
      guard label.utf8.count <= 63 else { return nil }
      octets.append(UInt8(label.utf8.count))
      octets += label.utf8
    }
    guard octets.count <= 254 else { return nil }
    return octets + [0]
  }

  private static func decode(_ octets: [UInt8], at start: Int) -> (name: String, end: Int)? {
    var labels: [String] = []
    var offset = start
    while offset < octets.count {
      let length = Int(octets[offset])
      offset += 1
      if length == 0 { return (labels.joined(separator: ".").lowercased(), offset) }
      guard length <= 63, offset + length <= octets.count else { return nil }
      labels.append(String(decoding: octets[offset..<offset + length], as: UTF8.self))
      offset += length
    }
    return nil
  }
}
