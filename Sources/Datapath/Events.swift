internal import MapABI

/// `enum trace_point`
enum TracePoint: UInt8 {
  case toLXC = 0
  case toProxy = 1
  case toHost = 2
  case toStack = 3
  case toOverlay = 4
  case fromLXC = 5
  case fromProxy = 6
  case fromHost = 7
  case fromStack = 8
  case fromOverlay = 9
  case fromNetwork = 10
  case toNetwork = 11

  var isReception: Bool { rawValue >= TracePoint.fromLXC.rawValue && self != .toNetwork }
}

/// What an event says about the packet's encapsulation (`CLS_FLAG_*`).
private enum PacketClass {
  static let ipv6: UInt8 = 1
  static let l3Device: UInt8 = 2
  static let vxlan: UInt8 = 4
  static let geneve: UInt8 = 8
}

extension Run {
  /// `send_trace_notify`: counts, and reports unless monitor aggregation hides it.
  ///
  /// - Parameters:
  ///   - etherType: of the packet; 0 for the received one.
  ///   - original: the source address before translation.
  mutating func trace(
    _ point: TracePoint, source: UInt32, destination: UInt32, destinationID: UInt16 = 0,
    ifindex: UInt32 = 0, _ context: TraceContext, etherType: UInt16,
    original: AddressWords = AddressWords(w0: 0, w1: 0, w2: 0, w3: 0)
  ) {
    guard R.isFull else { return }
    countTrace(point)
    guard config.trace_notify != 0, isShown(point, monitor: context.monitor), takeEventToken() else { return }
    let flags = classify(etherType, point)
    let length = captureLength(monitor: context.monitor, flags: flags, point)
    let notify = TraceNotify(
      header: eventHeader(
        NOTIFY_TRACE, subtype: point.rawValue, captured: length, version: NOTIFY_TRACE_VERSION),
      src_label: source, dst_label: destination, dst_id: destinationID, reason: context.reason.rawValue,
      flags: flags, ifindex: ifindex, orig_ip: original, ip_trace_id: 0)
    events.append(.trace(notify, captured: packet.prefix(length)))
  }

  /// `send_drop_notify_ext`: counts and reports a drop, and ends the program with `ending`.
  mutating func drop(
    _ drop: Drop, at place: Place, source: UInt32, destination: UInt32 = 0, destinationID: UInt16 = 0,
    _ direction: MetricDirection, extError: Int8? = nil, ending: Ending = .drop
  ) -> Outcome {
    if let reason = DropReason(rawValue: drop.reason) { note(.dropped(reason)) }
    let detail = extError ?? self.extError
    count(drop.reason, direction, place)
    guard config.drop_notify != 0 else { return .ended(ending) }
    // The notification is a tail call of its own; its arguments travel in the control block and stay there.
    cb[0] = source
    cb[1] = destination
    cb[2] = UInt32(drop.reason) | UInt32(UInt8(bitPattern: detail)) << 8
    cb[3] = UInt32(destinationID)
    let exit: UInt32 = ending == .drop ? 2 : 0
    cb[4] = exit | UInt32(object.rawValue) << 8 | UInt32(place.rawValue) << 16
    guard R.isFull, takeEventToken() else { return .ended(ending) }
    let flags = classify(0, nil)
    let length = captureLength(monitor: 0, flags: flags, nil)
    let notify = DropNotify(
      header: eventHeader(
        NOTIFY_DROP, subtype: drop.reason, captured: length, version: NOTIFY_DROP_VERSION),
      src_label: source, dst_label: destination, dst_id: UInt32(destinationID), line: place.rawValue,
      file: object.rawValue, ext_error: detail, ifindex: ifindex, flags: flags, pad0: 0, pad1: 0, pad2: 0,
      ip_trace_id: 0)
    events.append(.drop(notify, captured: packet.prefix(length)))
    return .ended(ending)
  }

  /// `send_policy_verdict_notify`
  mutating func reportPolicyVerdict<F: IPFamily>(
    _: F.Type, _ decision: PolicyOutcome, remote: UInt32, port: UInt16, protocol: UInt8, egress: Bool
  ) {
    guard R.isFull, config.policy_verdict_notify != 0 else { return }
    let direction: UInt8 = egress ? 2 : 1
    // The host's programs have no filter; they tell nothing of what is allowed by default.
    let isTold =
      object == .host
      ? decision.denial != nil || decision.match != UInt8(POLICY_MATCH_ALL.rawValue)
      : config.policy_verdict_log_filter & UInt32(direction) != 0
    guard isTold, takeEventToken() else { return }
    let length = min(Int(config.trace_payload_len), packet.count)
    let verdict = decision.denial.map { -Int32($0) } ?? Int32(decision.proxyPort)
    let notify = PolicyVerdictNotify(
      header: eventHeader(
        NOTIFY_POLICY_VERDICT, subtype: 0, captured: length, version: NOTIFY_POLICY_VERDICT_VERSION),
      remote_label: remote, verdict: verdict, dst_port: UInt16(bigEndian: port), proto: `protocol`,
      bits: direction | (F.isIPv6 ? 4 : 0) | decision.match << 3 | (decision.audited ? 0x40 : 0),
      auth_type: decision.authType, pad0: 0, pad1: 0, pad2: 0, cookie: decision.cookie, pad3: 0)
    events.append(.policyVerdict(notify, captured: packet.prefix(length)))
  }

  private mutating func eventHeader(
    _ type: notify_type, subtype: UInt8, captured: Int, version: notify_version
  ) -> CaptureHeader {
    let source: UInt16 =
      switch object {
      case .lxc: config.endpoint_id
      case .host: config.host_ep_id
      case .overlay, .xdp, .sock: 0
      }
    return CaptureHeader(
      type: UInt8(truncatingIfNeeded: type.rawValue), subtype: subtype, source: source,
      hash: environment.flowHash, len_orig: UInt32(truncatingIfNeeded: packet.count),
      len_cap: UInt16(truncatingIfNeeded: captured),
      version: UInt8(truncatingIfNeeded: version.rawValue), ext_version: 0)
  }

  /// `update_trace_metrics`
  private mutating func countTrace(_ point: TracePoint) {
    switch point {
    case .toLXC: count(MetricReason.forwarded, .ingress, .trace)
    case .toHost, .toStack, .toOverlay, .toNetwork: count(MetricReason.forwarded, .egress, .trace)
    case .fromHost, .fromStack, .fromOverlay, .fromNetwork: count(MetricReason.plaintext, .ingress, .trace)
    // Deliveries between endpoints and to and from the proxy are counted elsewhere.
    case .fromLXC, .fromProxy, .toProxy: break
    }
  }

  /// `emit_trace_notify`: aggregation hides receptions, and packets of connections that were just shown.
  private func isShown(_ point: TracePoint, monitor: UInt32) -> Bool {
    if config.monitor_aggregation >= 1, point.isReception { return false }
    return config.monitor_aggregation < 3 || monitor != 0
  }

  /// `ctx_classify`; `point` is nil for a drop.
  private mutating func classify(_ etherType: UInt16, _ point: TracePoint?) -> UInt8 {
    let type = etherType == 0 ? self.etherType : etherType
    var flags: UInt8 = object == .host && config.eth_header_length == 0 ? PacketClass.l3Device : 0
    if type == IPv6.etherType { flags |= PacketClass.ipv6 }
    if observesOverlayMark(point), markMagic == Mark.overlay { return flags | tunnelClass }
    if observesOverlayHeader(point), isTunnelPacket(type) { flags |= tunnelClass }
    return flags
  }

  /// `compute_capture_len`: outer headers of an overlay packet need more room.
  private mutating func captureLength(monitor: UInt32, flags: UInt8, _ point: TracePoint?) -> Int {
    var standard = config.trace_payload_len
    if observesOverlayMark(point) || observesOverlayHeader(point), flags & tunnelClass != 0 {
      standard = config.trace_payload_len_overlay
    }
    let wanted = monitor == 0 || monitor == config.trace_payload_len ? standard : monitor
    return min(Int(wanted), packet.count)
  }

  private var tunnelClass: UInt8 {
    guard config.have_encap != 0 else { return 0 }
    switch config.tunnel_protocol {
    case 1: return PacketClass.vxlan
    case 2: return PacketClass.geneve
    default: return 0
    }
  }

  private func observesOverlayMark(_ point: TracePoint?) -> Bool {
    config.have_encap != 0 && object == .host && (point == nil || point == .toNetwork)
  }

  private func observesOverlayHeader(_ point: TracePoint?) -> Bool {
    config.have_encap != 0 && object == .host && (point == nil || point == .fromNetwork)
  }

  /// `ctx_is_overlay_hdr`: UDP to the tunnel's port, extension headers not followed.
  private func isTunnelPacket(_ etherType: UInt16) -> Bool {
    let length: Int
    let next: UInt8?
    switch etherType {
    case IPv4.etherType where config.enable_ipv4 != 0 && packet.count >= l3 + IPv4.headerLength:
      next = packet.load(l3 + IPv4.protocolOffset, as: UInt8.self)
      length = Int((packet.load(l3, as: UInt8.self) ?? 0) & 15) * 4
    case IPv6.etherType where config.enable_ipv6 != 0 && packet.count >= l3 + IPv6.headerLength:
      next = packet.load(l3 + IPv6.protocolOffset, as: UInt8.self)
      length = IPv6.headerLength
    default: return false
    }
    guard next == IPProtocol.udp, let port = packet.load(l3 + length + 2, as: UInt16.self) else {
      return false
    }
    return UInt16(bigEndian: port) == config.tunnel_port
  }
}
