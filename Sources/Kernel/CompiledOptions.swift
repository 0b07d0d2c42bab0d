public import MapABI

/// What is compiled into a build of Cilium's objects and cannot be read from them.
public struct CompiledOptions: Sendable, Equatable {
  /// TUNNEL_MODE, ENABLE_ROUTING, ENABLE_HOST_ROUTING, MONITOR_AGGREGATION and the other macros. A scenario whose
  /// configuration says otherwise is refused.
  public var fixed: [Setting]

  /// A macro's value, as the field of the configuration that it fixes.
  public struct Setting: Sendable, Equatable {
    public var field: String
    public var value: UInt64
    /// The object files that it holds for; empty for all.
    public var files: [String]

    public init(field: String, value: UInt64, files: [String] = []) {
      self.field = field
      self.value = value
      self.files = files
    }
  }

  public init(fixed: [Setting] = []) { self.fixed = fixed }

  /// Reads the headers that the agent compiled the objects with, by file name: `node_config.h`, `ep_config.h`,
  /// `netdev_config.h`. A switch that none of them defines is off; a number that none defines has a default of the
  /// source tree and is not known. Without `node_config.h` nothing is known.
  public init(headers: [(name: String, text: String)]) {
    func macros(_ names: [String]) -> [String: UInt64] {
      var all: [String: UInt64] = [:]
      for header in headers where names.contains(header.name) {
        all.merge(Self.macros(header.text)) { $1 }
      }
      return all
    }
    self.init()
    guard headers.contains(where: { $0.name == "node_config.h" }) else { return }
    let node = macros(["node_config.h"])
    for (field, macro) in Self.switches { fixed.append(Setting(field: field, value: node[macro] ?? 0)) }
    for (field, macro) in Self.numbers {
      if let value = node[macro] { fixed.append(Setting(field: field, value: value)) }
    }
    if headers.contains(where: { $0.name == "ep_config.h" }) {
      let endpoint = macros(["node_config.h", "ep_config.h"])
      for (field, macro) in Self.optionMacros + Self.endpointMacros {
        fixed.append(Setting(field: field, value: endpoint[macro] ?? 0, files: ["bpf_lxc.o", "bpf_host.o"]))
      }
    }
    if headers.contains(where: { $0.name == "netdev_config.h" }) {
      let device = macros(["node_config.h", "netdev_config.h"])
      for (field, macro) in Self.optionMacros {
        fixed.append(Setting(field: field, value: device[macro] ?? 0, files: ["bpf_overlay.o", "bpf_xdp.o"]))
      }
    }
  }

  /// The numeric macros of a header; one without a value counts as 1, one that is no number is left out.
  static func macros(_ text: String) -> [String: UInt64] {
    var macros: [String: UInt64] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count >= 2, words[0] == "#define", !words[1].contains("(") else { continue }
      let name = String(words[1])
      if words.count == 2 {
        macros[name] = 1
      } else if let value = number(words[2]) {
        macros[name] = value
      }
    }
    return macros
  }

  private static func number(_ word: Substring) -> UInt64? {
    let digits = word.prefix { $0.isHexDigit || $0 == "x" || $0 == "X" }
    if digits.hasPrefix("0x") || digits.hasPrefix("0X") { return UInt64(digits.dropFirst(2), radix: 16) }
    return UInt64(digits)
  }

  /// Every macro that is read, by the header that it stands in.
  public static let knownMacros: [(header: String, names: [String])] = [
    ("node_config.h", (switches + numbers).map { $0.1 }),
    ("ep_config.h", (optionMacros + endpointMacros).map { $0.1 }),
    ("netdev_config.h", optionMacros.map { $0.1 }),
  ]

  /// Options that headers would tell and that nothing in `objects` does: neither a variable nor what programs they
  /// hold. Each is named once, in the order of the tables.
  public static func unknown(_ objects: DatapathObjects) -> [String] {
    let inferred = inferred(objects).fixed.map(\.field)
    let all = (switches + optionMacros + endpointMacros).map { $0.0 }
    return all.filter { field in
      !inferred.contains(field) && objects.files.values.contains { !$0.holds(field) }
    }
  }

  /// What the objects' programs tell without any header: a family or a feature that was compiled in has tail calls of
  /// its own.
  public static func inferred(_ objects: DatapathObjects) -> CompiledOptions {
    let programs = objects.files.values.flatMap { $0.programs.map(\.name) }
    guard !programs.isEmpty else { return CompiledOptions() }
    func holds(_ part: String) -> UInt64 { programs.contains { $0.contains(part) } ? 1 : 0 }
    return CompiledOptions(fixed: [
      Setting(field: "enable_ipv4", value: holds("ipv4")),
      Setting(field: "enable_ipv6", value: holds("ipv6")),
      Setting(field: "enable_nodeport", value: holds("nodeport")),
    ])
  }

  private static let switches = [
    ("enable_ipv4", "ENABLE_IPV4"), ("enable_ipv6", "ENABLE_IPV6"), ("enable_nodeport", "ENABLE_NODEPORT"),
    ("enable_host_routing", "ENABLE_HOST_ROUTING"), ("tunnel_mode", "TUNNEL_MODE"),
    ("enable_socket_lb_full", "ENABLE_SOCKET_LB_FULL"),
    ("enable_socket_lb_host_only", "ENABLE_SOCKET_LB_HOST_ONLY"),
    ("service_no_backend_response", "SERVICE_NO_BACKEND_RESPONSE"),
    ("policy_audit_mode", "POLICY_AUDIT_MODE"), ("enable_sctp", "ENABLE_SCTP"),
    ("enable_host_firewall", "ENABLE_HOST_FIREWALL"), ("enable_masquerade_ipv4", "ENABLE_MASQUERADE_IPV4"),
    ("enable_masquerade_ipv6", "ENABLE_MASQUERADE_IPV6"), ("enable_l7_lb", "ENABLE_L7_LB"),
    ("enable_wireguard", "ENABLE_WIREGUARD"),
  ]
  /// Those of 1.20, and variables of 1.20 that were macros before.
  private static let numbers = [
    ("encap_ifindex", "ENCAP_IFINDEX"), ("ipv4_gateway", "IPV4_GATEWAY"),
    ("ipv4_direct_routing", "IPV4_DIRECT_ROUTING"), ("ct_report_flags", "CT_REPORT_FLAGS"),
    ("lb_selection", "LB_SELECTION"), ("ct_connection_lifetime_tcp", "CT_CONNECTION_LIFETIME_TCP"),
    ("ct_connection_lifetime_nontcp", "CT_CONNECTION_LIFETIME_NONTCP"),
    ("ct_service_lifetime_tcp", "CT_SERVICE_LIFETIME_TCP"),
    ("ct_service_lifetime_nontcp", "CT_SERVICE_LIFETIME_NONTCP"),
    ("ct_service_close_rebalance", "CT_SERVICE_CLOSE_REBALANCE"), ("ct_syn_timeout", "CT_SYN_TIMEOUT"),
    ("ct_close_timeout", "CT_CLOSE_TIMEOUT"), ("ct_report_interval", "CT_REPORT_INTERVAL"),
    ("cilium_net_ifindex", "CILIUM_NET_IFINDEX"), ("cilium_host_ifindex", "CILIUM_HOST_IFINDEX"),
    ("host_ep_id", "HOST_EP_ID"), ("tunnel_port", "TUNNEL_PORT"), ("nodeport_port_min", "NODEPORT_PORT_MIN"),
    ("nodeport_port_max", "NODEPORT_PORT_MAX"), ("enable_arp_responder", "ENABLE_ARP_RESPONDER"),
    ("direct_routing_dev_ifindex", "DIRECT_ROUTING_DEV_IFINDEX"),
    ("enable_ipv4_fragments", "ENABLE_IPV4_FRAGMENTS"), ("enable_ipv6_fragments", "ENABLE_IPV6_FRAGMENTS"),
  ]
  private static let optionMacros = [
    ("drop_notify", "DROP_NOTIFY"), ("trace_notify", "TRACE_NOTIFY"),
    ("policy_verdict_notify", "POLICY_VERDICT_NOTIFY"), ("monitor_aggregation", "MONITOR_AGGREGATION"),
  ]
  private static let endpointMacros = [
    ("enable_routing", "ENABLE_ROUTING"), ("local_delivery_metrics", "LOCAL_DELIVERY_METRICS"),
  ]
}

extension CompiledOptions {
  /// What `config` asks for and an object was not compiled with, one line for each option.
  ///
  /// Numbers of a single node are looked at hop by hop (``CompiledValues``).
  func refusals(of config: DatapathConfig, _ file: ObjectFile) throws(KernelError) -> [String] {
    var refusals: [String] = []
    for setting in fixed where setting.files.isEmpty || setting.files.contains(file.name) {
      // What the object has as a variable is set, whatever the headers say.
      if file.holds(setting.field) || CompiledValues.fields.contains(setting.field) { continue }
      guard let field = MacroFields.field(setting.field) else {
        throw KernelError(
          .unavailable, call: "configure object", detail: "unknown compile-time option \(setting.field)")
      }
      let value = field.value(config)
      guard value != setting.value else { continue }
      refusals.append(
        "\(setting.field) is \(value) in the scenario, but the objects were compiled with \(setting.value)")
    }
    return refusals
  }
}

extension DatapathObjects {
  /// Why some of an image's hops cannot be run in these objects: options that they were not compiled with, each
  /// named once. None for our own programs, which read every option.
  public func refusals(of image: MapImage) throws(KernelError) -> [String] {
    guard case .cilium(let options) = origin else { return [] }
    var all: [String] = []
    for attachment in image.attachments {
      guard let file = placement(of: attachment.hook)?.file else { continue }
      for refusal in try options.refusals(of: attachment.config, file) where !all.contains(refusal) {
        all.append(refusal)
      }
    }
    return all
  }
}
