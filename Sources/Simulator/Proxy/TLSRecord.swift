/// TLS as far as a proxy sees it without keys: records, and the server's name in the first one. Nothing is encrypted
/// here; what stands in a record of application data is what the two ends say.
///
/// Source: RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3.
enum TLSRecord {
  static let handshake: UInt8 = 22
  static let applicationData: UInt8 = 23

  static func isHandshake(_ octets: [UInt8]) -> Bool { octets.first == handshake }

  /// A record of TLS 1.2's layout.
  static func make(_ type: UInt8, _ body: [UInt8]) -> [UInt8] {
    [type, 3, 3] + word(body.count) + body
  }

  /// The body of the first record; nil when it is not whole.
  static func body(_ octets: [UInt8], _ type: UInt8) -> [UInt8]? {
    guard octets.count >= 5, octets[0] == type else { return nil }
    let length = Int(octets[3]) << 8 | Int(octets[4])
    guard octets.count >= 5 + length else { return nil }
    return Array(octets[5..<(5 + length)])
  }

  /// A client's first message, which names the server unless it has only an address.
  static func clientHello(_ serverName: String?) -> [UInt8] {
    var extensions: [UInt8] = []
    if let name = serverName.map({ Array($0.utf8) }), name.count < 256 {
      let entry = [0] + word(name.count) + name
      extensions += [0, 0] + word(entry.count + 2) + word(entry.count) + entry
    }
    let random = [UInt8](repeating: 0x5a, count: 32)
    let body = [3, 3] + random + [0] + [0, 2, 0x13, 0x01] + [1, 0] + word(extensions.count) + extensions
    return make(handshake, [1, 0] + word(body.count) + body)
  }

  /// A server's answer to it.
  static var serverHello: [UInt8] {
    let body = [3, 3] + [UInt8](repeating: 0xa5, count: 32) + [0, 0x13, 0x01, 0, 0, 0]
    return make(handshake, [2, 0] + word(body.count) + body)
  }

  /// The name that a client's first message asks for; nil when it names none, or is no such message.
  static func serverName(_ octets: [UInt8]) -> String? {
    guard let hello = body(octets, handshake), hello.count > 39, hello[0] == 1 else { return nil }
    var offset = 38
    func skip(_ width: Int) -> Bool {
      guard offset + width <= hello.count else { return false }
      let length = hello[offset..<(offset + width)].reduce(0) { $0 << 8 | Int($1) }
      offset += width + length
      return offset <= hello.count
    }
    guard skip(1), skip(2), skip(1), offset + 2 <= hello.count else { return nil }
    offset += 2
    while offset + 4 <= hello.count {
      let type = Int(hello[offset]) << 8 | Int(hello[offset + 1])
      let length = Int(hello[offset + 2]) << 8 | Int(hello[offset + 3])
      let end = offset + 4 + length
      guard end <= hello.count else { return nil }
      if type == 0, length > 5 { return String(decoding: hello[(offset + 9)..<end], as: UTF8.self) }
      offset = end
    }
    return nil
  }

  private static func word(_ value: Int) -> [UInt8] {
    [UInt8(truncatingIfNeeded: value >> 8), UInt8(truncatingIfNeeded: value)]
  }
}
