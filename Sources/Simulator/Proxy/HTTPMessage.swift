import Cluster

/// A request as a proxy reads it.
struct HTTPMessage: Equatable {
  var method: String
  var path: String
  var host: String
  /// In order; names in lower case.
  var headers: [(name: String, value: String)]
  var body: [UInt8]

  static func == (a: Self, b: Self) -> Bool {
    a.method == b.method && a.path == b.path && a.host == b.host && a.body == b.body
      && a.headers.elementsEqual(b.headers) { $0 == $1 }
  }

  enum Reading: Equatable {
    case request(HTTPMessage)
    case incomplete
    case malformed
  }

  /// Reads a request. Only as many octets are looked at as Envoy allows for headers.
  static func read(_ octets: [UInt8]) -> Reading {
    guard let end = HTTPResponse.headerEnd(octets) else {
      return octets.count > 60 * 1024 || !looksLikeRequest(octets) ? .malformed : .incomplete
    }
    let lines = String(decoding: octets[..<(end - 4)], as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 3, words[2].hasPrefix("HTTP/1.") else { return .malformed }
    var message = HTTPMessage(
      method: String(words[0]), path: String(words[1]), host: "", headers: [], body: [])
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { return .malformed }
      let name = line[..<colon].lowercased()
      let value = String(line[line.index(after: colon)...].drop { $0 == " " })
      if name == "host" { message.host = value } else { message.headers.append((name, value)) }
    }
    let length = message.header("content-length").flatMap(Int.init) ?? 0
    guard length >= 0, octets.count - end >= length else { return .incomplete }
    message.body = Array(octets[end..<(end + length)])
    return .request(message)
  }

  /// A method begins with a capital letter.
  private static func looksLikeRequest(_ octets: [UInt8]) -> Bool {
    octets.first.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) } ?? true
  }

  /// The values of a header, joined as proxies join them; nil when it is not there.
  func header(_ name: String) -> String? {
    let name = name.lowercased()
    let values = headers.filter { $0.name == name }.map(\.value)
    return values.isEmpty ? nil : values.joined(separator: ",")
  }

  /// What Envoy sends on: its own headers behind the client's.
  func forwarded(id: UInt32) -> [UInt8] {
    let digits = String(id, radix: 16)
    let padded = String(repeating: "0", count: 8 - min(8, digits.utf8.count)) + digits
    var text = "\(method) \(path) HTTP/1.1\r\nhost: \(host)\r\n"
    for header in headers { text += "\(header.name): \(header.value)\r\n" }
    text += "x-forwarded-proto: http\r\nx-request-id: \(padded)-0000-4000-8000-000000000000\r\n"
    text += "x-envoy-expected-rq-timeout-ms: 3600000\r\n\r\n"
    return Array(text.utf8) + body
  }

  /// An answer that Envoy gives itself.
  static func answer(_ status: Int, _ body: String, closes: Bool = false) -> [UInt8] {
    let header =
      "HTTP/1.1 \(status) \(HTTPResponse.reason(status))\r\ncontent-length: \(body.utf8.count)\r\n"
      + "content-type: text/plain\r\nserver: envoy\r\n" + (closes ? "connection: close\r\n" : "") + "\r\n"
    return Array((header + body).utf8)
  }

  /// An answer from behind, as Envoy hands it on.
  static func handedOn(_ octets: [UInt8], milliseconds: UInt64) -> [UInt8] {
    guard let end = HTTPResponse.headerEnd(octets) else { return octets }
    let lines = String(decoding: octets[..<(end - 4)], as: UTF8.self).split(separator: "\r\n")
    var text = (lines.first.map(String.init) ?? "HTTP/1.1 502 Bad Gateway") + "\r\n"
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let name = line[..<colon].lowercased()
      text += name == "server" ? "server: envoy\r\n" : name + line[colon...] + "\r\n"
    }
    text += "x-envoy-upstream-service-time: \(milliseconds)\r\n\r\n"
    return Array(text.utf8) + octets[end...]
  }
}
