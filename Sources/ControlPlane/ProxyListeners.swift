import MapABI

/// A listener of a node's proxies: one for each parser and direction.
///
/// Source: Cilium `pkg/proxy/proxyports/proxyports.go` (`defaultProxyPortMap`).
public struct ProxyListener: Hashable, Sendable {
  public var parser: ProxyParser
  public var isIngress: Bool

  public init(_ parser: ProxyParser, isIngress: Bool) {
    self.parser = parser
    self.isIngress = isIngress
  }

  /// `cilium-http-ingress`; the DNS proxy's is `cilium-dns-egress`.
  public var name: String { "cilium-\(parser.rawValue)-\(isIngress ? "ingress" : "egress")" }

  public static let all = ProxyParser.allCases.flatMap { parser in
    [true, false].map { ProxyListener(parser, isIngress: $0) }
  }

  /// What stands for the listener's port in a rendering that nodes share: 1 … 8.
  var placeholder: UInt16 { UInt16((ProxyListener.all.firstIndex(of: self) ?? 0) + 1) }
}

/// The ports that the listeners of a node have.
public struct ProxyPorts: Hashable, Sendable {
  /// In network order, by placeholder.
  private let ports: [UInt16]

  /// Draws them from Cilium's range, 10000 … 20000, by the names of node and listener.
  public init(node: String) {
    var space = NumberSpace("proxy-port", 10_000...20_000)
    ports = ProxyListener.all.map { listener in
      UInt16(truncatingIfNeeded: space.number(for: "\(node)/\(listener.name)") ?? 0).bigEndian
    }
  }

  /// In host order.
  public subscript(listener: ProxyListener) -> UInt16 {
    UInt16(bigEndian: ports[Int(listener.placeholder) - 1])
  }

  /// A rendering as this node has it.
  func realize(_ rendering: PolicyRendering) -> PolicyRendering {
    guard !rendering.proxyPolicy.entries.isEmpty else { return rendering }
    var own = rendering
    var table = LPMTable<PolicyKey, PolicyEntry>()
    table.reserveCapacity(rendering.table.entries.keys.count)
    for (key, value) in zip(rendering.table.entries.keys, rendering.table.entries.values) {
      var entry = value
      let place = Int(UInt16(bigEndian: entry.proxy_port)) - 1
      if ports.indices.contains(place) { entry.proxy_port = ports[place] }
      table[exactly: key] = entry
    }
    own.table = table
    return own
  }
}
