import Cluster
import Manifests
import Wire

extension Cursor {
  func expectation() -> Expectation? {
    fields { fields in
      var expect = Expectation(location: fields.location)
      expect.outcome = fields.optional("outcome")?.located { $0.choice(Outcome.self) }
      expect.verdict = fields.optional("verdict")?.located { $0.choice(PolicyVerdict.self) }
      _ = fields.optional("verdicts")?.fields { verdicts -> Bool? in
        expect.egressVerdict = verdicts.optional("egress")?.located { $0.choice(PolicyVerdict.self) }
        expect.ingressVerdict = verdicts.optional("ingress")?.located { $0.choice(PolicyVerdict.self) }
        return true
      }
      expect.exitCode = fields.optional("exitCode")?.located { $0.integer(0...255) }
      expect.http = fields.optional("http")?.located { $0.integer(100...599) }
      expect.body = fields.optional("body")?.located { $0.text() }
      expect.drop = fields.optional("drop")?.dropExpectation()
      expect.rule = fields.optional("rule")?.located { $0.nonEmptyString() }
      expect.match = fields.optional("match")?.located { $0.choice(PolicyMatch.self) }
      expect.backend = fields.optional("backend")?.located { $0.nonEmptyString() }
      expect.backendOf = fields.optional("backendOf")?.located { $0.serviceName() }
      expect.distribution = fields.optional("distribution")?.distribution()
      expect.path = fields.optional("path")?.oneOrMore { $0.located { $0.passage() } } ?? []
      expect.wire = fields.optional("wire")?.oneOrMore { $0.wireExpectation() } ?? []
      expect.flows = fields.optional("flows")?.oneOrMore { $0.located { $0.nonEmptyString() } } ?? []
      expect.objects = fields.optional("objects")?.oneOrMore { $0.objectExpectation() } ?? []
      expect.matrix = fields.optional("matrix")?.located { $0.matrixTable() }
      expect.maps = fields.optional("map")?.mapExpectations() ?? []
      expect.lint = fields.optional("lint")?.oneOrMore { $0.located { $0.nonEmptyString() } }
      expect.view = fields.optional("view")?.located { $0.string() }
      return expect
    }
  }

  private func located<Value>(_ decode: (Cursor) -> Value?) -> Located<Value>? {
    decode(self).map { Located($0, at: location) }
  }

  /// `svc/ns/name` as in probes, or `ns/name`.
  private func serviceName() -> NamespacedName? {
    guard case .string(let text) = value.content, text.hasPrefix("svc/") else { return namespacedName() }
    if case .service(let id)? = probeTarget() { return id }
    return nil
  }

  /// A reason alone, or `{reason, node, direction, hook, stage}`.
  private func dropExpectation() -> DropExpectation? {
    switch value.content {
    case .string, .integer: return dropReason().map { DropExpectation(reason: $0, location: location) }
    default: break
    }
    return fields { fields in
      var drop = DropExpectation(location: fields.location)
      drop.reason = fields.optional("reason")?.dropReason()
      drop.node = fields.optional("node")?.nonEmptyString()
      drop.direction = fields.optional("direction")?.choice(DropExpectation.Direction.self)
      drop.hook = fields.optional("hook")?.nonEmptyString()
      drop.stage = fields.optional("stage")?.nonEmptyString()
      return drop
    }
  }

  private func dropReason() -> Located<DropExpectation.Reason>? {
    if case .integer = value.content {
      return integer(0...255).map { Located(.code($0), at: location) }
    }
    return nonEmptyString().map { Located(.name($0), at: location) }
  }

  /// `{tolerance: 5%, web-1: 50%, "web-*": 0.5}`.
  private func distribution() -> Distribution? {
    guard let members = members() else { return nil }
    var result = Distribution(shares: [], tolerance: 0, location: location)
    for (name, value) in members {
      guard let share = value.fraction() else { continue }
      if name.value == "tolerance" {
        result.tolerance = share
      } else {
        result.shares.append(.init(backend: name.value, share: share))
      }
    }
    return result
  }

  private func passage() -> PassagePattern? {
    guard let text = nonEmptyString() else { return nil }
    if let pattern = PassagePattern(text) { return pattern }
    report("invalid-value", "\(quoted(text)) is no passage; expected NODE/DEVICE:HOOK, DEVICE:HOOK or DEVICE")
    return nil
  }

  private func wireExpectation() -> WireExpectation? {
    fields { fields in
      var wire = WireExpectation(location: fields.location)
      if let on = fields.optional("on")?.passage() {
        wire.node = on.node
        wire.device = on.device
      }
      if let node = fields.optional("node")?.nonEmptyString() { wire.node = node }
      if let device = fields.optional("device")?.nonEmptyString() { wire.device = device }
      wire.encapsulation = fields.optional("encap")?.choice(WireExpectation.Encapsulation.self)
      wire.port = fields.optional("port")?.port()
      wire.vni = fields.optional("vni")?.vni()
      wire.source = fields.optional("src")?.nonEmptyString()
      wire.destination = fields.optional("dst")?.nonEmptyString()
      wire.overhead = fields.optional("overhead")?.integer(0...65_535)
      wire.ttl = fields.optional("ttl")?.number(UInt8.self)
      wire.isSeen = fields.optional("seen")?.bool() ?? true
      return wire
    }
  }

  private func vni() -> WireExpectation.VNI? {
    if case .integer = value.content { return number(UInt32.self, max: 0xff_ffff).map { .number($0) } }
    return fields { fields in
      fields.required("identityOf")?.probeSource().map { .identityOf($0) }
    }
  }

  private func objectExpectation() -> ObjectExpectation? {
    guard case .mapping(let members) = value.content else {
      wrongType("an object with kind and name")
      return nil
    }
    return fields { fields in
      let kind = fields.required("kind")?.nonEmptyString()
      let namespace = fields.optional("namespace")?.nonEmptyString()
      let name = fields.required("name")?.nonEmptyString()
      fields.acceptUnknown()
      guard let kind, let name else { return nil }
      return ObjectExpectation(
        kind: kind, namespace: namespace, name: name,
        fields: members.filter { !["kind", "namespace", "name"].contains($0.key) }, location: fields.location)
    }
  }

  private func matrixTable() -> MatrixTable? {
    guard let text = string() else { return nil }
    do {
      return try MatrixTable(text)
    } catch {
      report("invalid-value", "\(error)")
      return nil
    }
  }

  /// `{name, node, entries: [..]}` or a list of such, or maps by name: `{cilium_ipcache_v2: [..]}`.
  private func mapExpectations() -> [MapExpectation]? {
    if case .sequence = value.content { return list { $0.mapExpectation() } }
    if value["entries"] != nil || value["name"] != nil { return mapExpectation().map { [$0] } }
    return members()?.compactMap { name, entries in
      entries.oneOrMore { $0.value }.map {
        MapExpectation(name: name.value, entries: $0, location: name.location)
      }
    }
  }

  private func mapExpectation() -> MapExpectation? {
    fields { fields in
      let name = fields.required("name")?.nonEmptyString()
      let node = fields.optional("node")?.nonEmptyString()
      let entries = fields.required("entries")?.oneOrMore { $0.value } ?? []
      return name.map { MapExpectation(name: $0, node: node, entries: entries, location: fields.location) }
    }
  }
}
