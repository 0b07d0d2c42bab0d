/// An HTTP/1.1 response, as far as a probe looks at it.
struct HTTPResponse {
  var status: Int
  var body: String

  /// Reads a response; nil when it has no status line.
  init?(_ octets: [UInt8]) {
    let text = String(decoding: octets, as: UTF8.self)
    let words = text.prefix { $0 != "\r\n" }.split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/"), let status = Int(words[1]) else { return nil }
    self.status = status
    body = Self.headerEnd(octets).map { String(decoding: octets[$0...], as: UTF8.self) } ?? ""
  }

  /// Whether header and body have come whole, by the Content-Length.
  static func isComplete(_ octets: [UInt8]) -> Bool {
    guard let end = headerEnd(octets) else { return false }
    let header = String(decoding: octets[..<end], as: UTF8.self).lowercased()
    for line in header.split(separator: "\r\n") where line.hasPrefix("content-length:") {
      let value = line.dropFirst("content-length:".count).filter { $0 != " " }
      return octets.count - end >= (Int(value) ?? 0)
    }
    return true
  }

  /// What a server answers, header and body in segments of their own as nginx sends them.
  static func segments(_ behaviour: HTTPBehaviour, to request: [UInt8]) -> [[UInt8]] {
    let line = String(decoding: request.prefix { $0 != UInt8(ascii: "\r") }, as: UTF8.self)
    let words = line.split(separator: " ")
    let path = words.count >= 2 ? String(words[1]) : "/"
    let bare = String(path.prefix { $0 != "?" })
    let status = behaviour.statuses[path] ?? behaviour.statuses[bare] ?? 200
    let isHead = words.first == "HEAD"
    let body = isHead || status == 204 ? [] : Array(behaviour.body.utf8)
    let header =
      "HTTP/1.1 \(status) \(reason(status))\r\nServer: ciliate\r\nContent-Type: text/html\r\n"
      + "Content-Length: \(body.count)\r\nConnection: keep-alive\r\n\r\n"
    return body.isEmpty ? [Array(header.utf8)] : [Array(header.utf8), body]
  }

  static func headerEnd(_ octets: [UInt8]) -> Int? {
    guard octets.count >= 4 else { return nil }
    let mark = Array("\r\n\r\n".utf8)
    return (0...octets.count - 4).first { Array(octets[$0..<$0 + 4]) == mark }.map { $0 + 4 }
  }

  static func reason(_ status: Int) -> String {
    switch status {
    case 200: "OK"
    case 204: "No Content"
    case 301: "Moved Permanently"
    case 302: "Found"
    case 400: "Bad Request"
    case 401: "Unauthorized"
    case 403: "Forbidden"
    case 404: "Not Found"
    case 500: "Internal Server Error"
    case 502: "Bad Gateway"
    case 503: "Service Unavailable"
    default: "Status"
    }
  }
}
