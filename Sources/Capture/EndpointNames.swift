import Wire

/// Pods by their addresses, as `kubectl get ciliumendpoints -A -o json` lists them.
public struct EndpointNames: Sendable {
  public struct Endpoint: Hashable, Sendable {
    /// `namespace/name`.
    public var name: String
    public var identity: UInt32?
    /// Sorted.
    public var labels: [String]

    public init(name: String, identity: UInt32?, labels: [String]) {
      self.name = name
      self.identity = identity
      self.labels = labels.sorted()
    }
  }

  public private(set) var endpoints: [IPAddress: Endpoint] = [:]
  public var isEmpty: Bool { endpoints.isEmpty }

  public init() {}

  public subscript(address: IPAddress) -> Endpoint? { endpoints[address] }
  public subscript(address: InnerPacket.Address) -> Endpoint? {
    if case .ip(let address) = address { endpoints[address] } else { nil }
  }

  public mutating func set(_ address: IPAddress, _ endpoint: Endpoint) { endpoints[address] = endpoint }

  public mutating func read(_ octets: [UInt8], file: String) throws(CaptureError) {
    let document: JSONValue
    do { document = try JSONValue(parsing: octets) } catch {
      throw CaptureError(file: file, offset: UInt64(error.offset), reason: "JSON: \(error.reason)")
    }
    let items = document["items"]?.array ?? document.array ?? [document]
    var found = 0
    for item in items {
      guard let name = item["metadata"]?["name"]?.string, let status = item["status"] else { continue }
      let namespace = item["metadata"]?["namespace"]?.string ?? "default"
      let identity = status["identity"]
      let endpoint = Endpoint(
        name: "\(namespace)/\(name)",
        identity: identity?["id"]?.unsigned.map { UInt32(truncatingIfNeeded: $0) },
        labels: (identity?["labels"]?.array ?? []).compactMap(\.string))
      for pair in status["networking"]?["addressing"]?.array ?? [] {
        for family in ["ipv4", "ipv6"] {
          if let text = pair[family]?.string, let address = IPAddress(text) { endpoints[address] = endpoint }
        }
      }
      found += 1
    }
    if found == 0, !items.isEmpty {
      throw CaptureError(file: file, reason: "no endpoints found: expected CiliumEndpoint objects")
    }
  }
}

/// Reads a small file whole, such as a names file; `-` is standard input.
public func readWholeFile(_ path: String, limit: Int = 256 << 20) throws(CaptureError) -> [UInt8] {
  var source = try ByteSource(path: path)
  var octets: [UInt8] = []
  let piece = UnsafeMutableRawPointer.allocate(byteCount: 65536, alignment: 16)
  defer { piece.deallocate() }
  while true {
    let count = try source.fill(piece, 65536)
    if count == 0 { return octets }
    octets += UnsafeRawBufferPointer(start: piece, count: count)
    guard octets.count <= limit else { throw CaptureError(file: path, reason: "larger than \(limit) octets") }
  }
}
