import Cluster
import Wire

extension Cursor {
  func portRule(isDeny: Bool, _ profile: Profile) -> PortRule? {
    fields { fields in
      var rule = PortRule(location: fields.location)
      rule.ports = fields.optional("ports")?.list { $0.portProtocol(profile) }
      guard !isDeny else { return rule }
      rule.rules = fields.optional("rules")?.l7Rules(profile)
      rule.serverNames = fields.optional("serverNames")?.list { item in
        item.string().map { Located($0, at: item.location) }
      }
      rule.terminatingTLS = fields.optional("terminatingTLS")?.tlsContext()
      rule.originatingTLS = fields.optional("originatingTLS")?.tlsContext()
      rule.listener = fields.optional("listener")?.listener()
      return rule
    }
  }

  private func portProtocol(_ profile: Profile) -> PortProtocol? {
    fields { fields in
      let cursor = profile >= .v120 ? fields.optional("port") : fields.required("port")
      let port = cursor?.policyPort()
      let endPort = fields.optional("endPort")?.number(UInt16.self)
      // Before 1.20 the schema ends with SCTP.
      let proto = fields.optional("protocol")?.choice(PolicyProtocol.self) {
        profile >= .v120 || [.any, .tcp, .udp, .sctp].contains($0)
      }
      return PortProtocol(port, endPort: endPort, proto ?? .any, location: fields.location)
    }
  }

  /// A port in quotes: a number 0…65535 (as Go reads it, a leading zero is octal), or a service name in any case.
  ///
  /// The CRD's pattern lets larger numbers pass, so it is the agent that refuses them.
  private func policyPort() -> PortReference? {
    guard let text = string() else { return nil }
    if text.isEmpty { return nil }
    if LabelSyntax.problem(portName: text.lowercased()) == nil { return .name(text.lowercased()) }
    if text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {
      let radix = text.count > 1 && text.hasPrefix("0") ? 8 : 10
      if let number = UInt16(text, radix: radix) { return .number(number) }
      report(
        "invalid-value", "the port \(quoted(text)) is out of range; expected 0 to 65535", authority: .agent)
      return nil
    }
    report("invalid-value", "\(quoted(text)) is neither a port number nor a port name")
    return nil
  }

  private func tlsContext() -> PortRule.TLSContext? {
    fields { fields in
      var context = PortRule.TLSContext(location: fields.location)
      context.secret = fields.required("secret")?.secretName()
      context.trustedCA = fields.optional("trustedCA")?.string() ?? ""
      context.certificate = fields.optional("certificate")?.string() ?? ""
      context.privateKey = fields.optional("privateKey")?.string() ?? ""
      return context
    }
  }

  private func secretName() -> NamespacedName? {
    fields { fields in
      let namespace = fields.optional("namespace")?.string() ?? ""
      return fields.required("name")?.string().map { NamespacedName(namespace: namespace, name: $0) }
    }
  }

  private func listener() -> PortRule.Listener? {
    fields { fields in
      let config: (kind: String, name: String)? = fields.required("envoyConfig")?.fields { fields in
        let kind = fields.optional("kind")?.string() ?? ""
        return fields.required("name")?.string().map { (kind, $0) }
      }
      let name = fields.required("name")?.string()
      let priority = fields.optional("priority")?.number(UInt8.self, min: 1, max: 100) ?? 0
      guard let config, let name else { return nil }
      return PortRule.Listener(
        configKind: config.kind, configName: config.name, name: name, priority: priority,
        location: fields.location)
    }
  }

  private func l7Rules(_ profile: Profile) -> L7Rules? {
    fields { fields in
      var rules = L7Rules(location: fields.location)
      rules.http = fields.optional("http")?.list { $0.httpRule() }
      rules.dns = fields.optional("dns")?.list { $0.fqdnSelector() }
      if profile < .v120 {
        rules.kafka = fields.optional("kafka")?.list { $0.opaqueRule() }
        rules.l7proto = fields.optional("l7proto")?.string()
        rules.l7 = fields.optional("l7")?.list { $0.opaqueRule() }
      } else {
        for key in ["kafka", "l7proto", "l7"] {
          fields.optional(key)?.report(
            "unknown-field", "\(key) rules are gone in Cilium 1.20", at: fields.keyLocation(key))
        }
      }
      return rules
    }
  }

  private func opaqueRule() -> OpaqueRule? {
    guard let members = members() else { return nil }
    return OpaqueRule(
      fields: Labels(members.compactMap { key, value in value.text().map { (key.value, $0) } }),
      location: location)
  }

  private func httpRule() -> HTTPRule? {
    fields { fields in
      var rule = HTTPRule(location: fields.location)
      rule.method = fields.optional("method")?.string()
      rule.path = fields.optional("path")?.string()
      rule.host = fields.optional("host")?.string()
      rule.headers =
        fields.optional("headers")?.list { item in item.string().map { Located($0, at: item.location) } }
        ?? []
      rule.headerMatches = fields.optional("headerMatches")?.list { $0.headerMatch() } ?? []
      return rule
    }
  }

  private func headerMatch() -> HTTPRule.HeaderMatch? {
    fields { fields in
      let name = fields.required("name")?.nonEmptyString()
      let value = fields.optional("value")?.string() ?? ""
      let secret = fields.optional("secret")?.secretName()
      let mismatch = fields.optional("mismatch")?.choice(HTTPRule.HeaderMatch.Mismatch.self)
      return name.map {
        HTTPRule.HeaderMatch(
          name: $0, value: value, secret: secret, mismatch: mismatch, location: fields.location)
      }
    }
  }

  func icmpRule() -> ICMPRule? {
    fields { fields in
      ICMPRule(fields: fields.optional("fields")?.list { $0.icmpField() }, location: fields.location)
    }
  }

  private func icmpField() -> ICMPRule.Field? {
    fields { fields in
      let family = fields.optional("family")?.addressFamily() ?? .ipv4
      let type = fields.required("type")?.icmpType(family)
      return type.map { ICMPRule.Field(family: family, type: $0, location: fields.location) }
    }
  }

  /// A number 0…255, with or without quotes, or a name of the family's types.
  private func icmpType(_ family: AddressFamily) -> UInt8? {
    if case .integer = value.content { return number(UInt8.self) }
    guard let text = string() else { return nil }
    if let number = UInt8(text) { return number }
    let names = family == .ipv4 ? ICMPNames.v4 : ICMPNames.v6
    if let match = names.first(where: { $0.name == text }) { return match.type }
    report(
      "invalid-value",
      "unknown ICMP type \(quoted(text)) for \(family.rawValue); \(suggestion(text, names.map(\.name)))")
    return nil
  }
}

/// The names that policies give ICMP types: the IANA registries', run together.
///
/// Source: Cilium `pkg/policy/api/icmp.go`.
enum ICMPNames {
  static let v4: [(name: String, type: UInt8)] = [
    ("EchoReply", 0), ("DestinationUnreachable", 3), ("Redirect", 5), ("Echo", 8), ("EchoRequest", 8),
    ("RouterAdvertisement", 9), ("RouterSelection", 10), ("TimeExceeded", 11), ("ParameterProblem", 12),
    ("Timestamp", 13), ("TimestampReply", 14), ("Photuris", 40), ("ExtendedEchoRequest", 42),
    ("ExtendedEchoReply", 43),
  ]

  static let v6: [(name: String, type: UInt8)] = [
    ("DestinationUnreachable", 1), ("PacketTooBig", 2), ("TimeExceeded", 3), ("ParameterProblem", 4),
    ("EchoRequest", 128), ("EchoReply", 129), ("MulticastListenerQuery", 130),
    ("MulticastListenerReport", 131), ("MulticastListenerDone", 132), ("RouterSolicitation", 133),
    ("RouterAdvertisement", 134), ("NeighborSolicitation", 135), ("NeighborAdvertisement", 136),
    ("RedirectMessage", 137), ("RouterRenumbering", 138), ("ICMPNodeInformationQuery", 139),
    ("ICMPNodeInformationResponse", 140), ("InverseNeighborDiscoverySolicitation", 141),
    ("InverseNeighborDiscoveryAdvertisement", 142), ("HomeAgentAddressDiscoveryRequest", 144),
    ("HomeAgentAddressDiscoveryReply", 145), ("MobilePrefixSolicitation", 146),
    ("MobilePrefixAdvertisement", 147), ("DuplicateAddressRequestCodeSuffix", 157),
    ("DuplicateAddressConfirmationCodeSuffix", 158), ("ExtendedEchoRequest", 160), ("ExtendedEchoReply", 161),
  ]
}
