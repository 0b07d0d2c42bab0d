import Cluster
import Manifests
import Wire

extension Cursor {
  func probe(_ defaults: ProbeDefaults) -> Probe? {
    fields { fields in
      var probe = Probe(from: nil, to: nil, timeout: defaults.timeout, location: fields.location)
      let from = fields.optional("from")
      probe.from = from?.probeSource() ?? (from == nil ? defaults.from : nil)
      let to = fields.optional("to")
      probe.to = to?.probeTarget()
      let port = fields.optional("port")
      probe.port = port?.probePort()
      probe.sourcePort = fields.optional("sport")?.port()
      probe.count = fields.optional("count")?.integer(1...1_000_000) ?? 1
      probe.family = fields.optional("family")?.choice(AddressFamily.self)
      probe.http = fields.optional("http")?.httpRequest()
      probe.dns = fields.optional("dns")?.dnsQuery()
      probe.icmp = fields.optional("icmp")?.icmpMessage()
      probe.size = fields.optional("size")?.integer(0...65_535)
      if let timeout = fields.optional("timeout")?.duration() { probe.timeout = timeout }
      probe.keep = fields.optional("keep")?.nonEmptyString()
      probe.continues = fields.optional("continue")?.nonEmptyString()
      check(probe, hasFrom: from != nil, hasTo: to != nil, port)
      return probe
    }
  }

  private func check(_ probe: Probe, hasFrom: Bool, hasTo: Bool, _ port: Cursor?) {
    if probe.continues == nil {
      if probe.from == nil, !hasFrom { report("missing-field", "the field \"from\" is missing") }
      if probe.to == nil, !hasTo, probe.dns == nil { report("missing-field", "the field \"to\" is missing") }
    }
    if case .url(let url)? = probe.to, let given = probe.port, given != ProbePort(url.effectivePort) {
      port?.report("conflict", "the URL asks for port \(url.effectivePort)/TCP, and port says \(given)")
    }
    if probe.icmp != nil, let given = probe.port, given.transport.hasPorts {
      port?.report("conflict", "icmp and port \(given) exclude each other")
    }
    if probe.http != nil, let given = probe.port, given.transport != .tcp {
      port?.report("conflict", "HTTP goes over TCP, and port says \(given)")
    }
  }

  private func httpRequest() -> Probe.HTTPRequest? {
    fields { fields in
      var request = Probe.HTTPRequest()
      request.method = fields.optional("method")?.nonEmptyString() ?? "GET"
      request.path = fields.optional("path")?.nonEmptyString() ?? "/"
      request.host = fields.optional("host")?.nonEmptyString()
      let headers: [(String, String)]? = fields.optional("headers")?.members()?.compactMap { name, value in
        value.text().map { (name.value, $0) }
      }
      request.headers = Labels(headers ?? [])
      return request
    }
  }

  private func dnsQuery() -> Probe.DNSQuery? {
    if case .string = value.content { return nonEmptyString().map { Probe.DNSQuery(name: $0) } }
    return fields { fields in
      let name = fields.required("name")?.nonEmptyString()
      let type = fields.optional("type")?.choice(Probe.DNSQuery.RecordType.self) ?? .a
      return name.map { Probe.DNSQuery(name: $0, type: type) }
    }
  }

  private func icmpMessage() -> Probe.ICMPMessage? {
    fields { fields in
      let type = fields.required("type")?.number(UInt8.self)
      let code = fields.optional("code")?.number(UInt8.self) ?? 0
      return type.map { Probe.ICMPMessage(type: $0, code: code) }
    }
  }

  /// `80/TCP`, `80`, `ICMP`.
  func probePort() -> ProbePort? {
    guard let text = text() else { return nil }
    if let port = ProbePort(text) { return port }
    report("invalid-value", "\(quoted(text)) is no port; expected a form like 80/TCP, 53/UDP or ICMP")
    return nil
  }

  func matrixProbe(_ defaults: ProbeDefaults) -> MatrixProbe? {
    fields { fields in
      let from = fields.optional("from")?.oneOrMore { $0.probeSource() } ?? []
      let to = fields.optional("to")?.oneOrMore { $0.probeTarget() } ?? []
      let ports = fields.required("port")?.oneOrMore { $0.probePort() } ?? []
      let timeout = fields.optional("timeout")?.duration() ?? defaults.timeout
      return MatrixProbe(from: from, to: to, ports: ports, timeout: timeout)
    }
  }

  /// A list, or one item in place of it.
  func oneOrMore<Item>(_ decode: (Cursor) -> Item?) -> [Item]? {
    if case .sequence = value.content { return list(decode) }
    return decode(self).map { [$0] }
  }

  // MARK: Places

  /// `pod`, `ns/pod`, `node/NAME`, `external/NAME`, or a mapping of one of them.
  func probeSource() -> ProbeSource? {
    guard let place = place() else { return nil }
    if let source = ProbeSource(place) { return source }
    report("invalid-value", "\(place) cannot send; expected a pod, a workload, node/NAME or external/NAME")
    return nil
  }

  func probeTarget() -> ProbeTarget? { place() }

  private func place() -> ProbeTarget? {
    if case .mapping = value.content { return placeMapping() }
    guard let text = nonEmptyString() else { return nil }
    if let place = ProbeTarget(text) { return place }
    if text.contains("://") {
      report("invalid-value", "\(quoted(text)) is no URL of the form http://host[:port]/path")
      return nil
    }
    report(
      "invalid-value",
      "\(quoted(text)) is no place; expected pod, namespace/pod, node/NAME, external/NAME, svc/namespace/name,"
        + " an address or a URL")
    return nil
  }

  private func placeMapping() -> ProbeTarget? {
    fields { fields in
      let namespace = fields.optional("namespace")?.nonEmptyString()
      func id(_ cursor: Cursor?) -> NamespacedName? { cursor?.namespacedName(default: namespace) }
      let places: [ProbeTarget?] = [
        id(fields.optional("pod")).map { .pod($0) }, id(fields.optional("workload")).map { .workload($0) },
        id(fields.optional("service")).map { .service($0) },
        fields.optional("node")?.nonEmptyString().map { .node($0) },
        fields.optional("external")?.nonEmptyString().map { .external($0) },
        fields.optional("ip")?.address().map { .address($0) },
      ]
      let found = places.compactMap(\.self)
      if found.count != 1 {
        report("conflict", "expected one of pod, workload, service, node, external, ip; found \(found.count)")
      }
      return found.first
    }
  }

  /// `name` or `namespace/name`.
  func namespacedName(default namespace: String? = nil) -> NamespacedName? {
    guard let text = nonEmptyString() else { return nil }
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
      report("invalid-value", "\(quoted(text)) is no name; expected name or namespace/name")
      return nil
    }
    return named(parts, default: namespace)
  }

  private func named(_ parts: [String], default namespace: String? = nil) -> NamespacedName {
    NamespacedName(
      namespace: parts.count > 1 ? parts[0] : namespace ?? "default", name: parts.last ?? "")
  }
}
