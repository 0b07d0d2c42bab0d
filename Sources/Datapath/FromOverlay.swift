internal import MapABI

// A packet comes out of the tunnel. Source: `cil_from_overlay` in Cilium's bpf/bpf_overlay.c.
extension Run {
  /// `cil_from_overlay`
  mutating func fromOverlay(_ state: borrowing NodeState) -> Outcome {
    clearControlBlock()
    note(.stage(.overlay))
    if config.enable_nodeport != 0 { tcIndex &= ~TCIndex.skipNodePort }
    var identity: UInt32 = 0
    do throws(Drop) {
      guard let type = supportedEtherType() else { return .pass }
      try requireNetworkHeader(type)
      let isIP =
        type == IPv4.etherType && config.enable_ipv4 != 0 || type == IPv6.etherType && config.enable_ipv6 != 0
      if isIP {
        guard let key = tunnelKey else { throw Drop(.noTunnelKey) }
        identity = self.identity(ofVNI: key.id, etherType: type)
        // A node never calls itself host towards others.
        if identity == Identity.host { throw Drop(.invalidIdentity) }
        note(.decapsulated(vni: key.id, identity: identity))
        cb[ControlSlot.sourceLabel] = identity
      }
      trace(
        .fromOverlay, source: identity, destination: 0, ifindex: ingressIfindex,
        TraceContext(reason: .unknown, monitor: config.trace_payload_len), etherType: type)
      switch type {
      case IPv4.etherType:
        guard isIP else { throw Drop(.unknownL3) }
        return overlayFamily(state, IPv4.self)
      case IPv6.etherType:
        guard isIP else { throw Drop(.unknownL3) }
        return overlayFamily(state, IPv6.self)
      default: return .pass
      }
    } catch {
      return drop(error, at: .entry, source: identity, .ingress)
    }
  }

  /// `tail_handle_ipv4`, `handle_ipv4`
  private mutating func overlayFamily<F: IPFamily>(_ state: borrowing NodeState, _: F.Type) -> Outcome {
    extError = 0
    var identity = takeControlBlock(ControlSlot.sourceLabel)
    do throws(Drop) {
      try requireHeader(F.self)
      try refuseFragments(F.self)
      if config.enable_nodeport != 0, !takeSkipNodePort() {
        switch try balance(state, F.self, source: identity) {
        case .proceed: break
        case .punt: return .pass
        case .finished(let outcome): return outcome
        }
      }
      if Identity.isRemoteNode(identity),
        let info = lookUpIdentity(state, try source(F.self), F.self)
      {
        // The API server's node is one of the remote nodes that have an identity of their own.
        identity = info.sec_identity
      }
      if let endpoint = lookUpEndpoint(state, try destination(F.self), F.self), !endpoint.isHostDelivery {
        return try deliverLocally(
          state, F.self, to: endpoint, source: identity, magic: Mark.identity, .ingress, fromHost: false,
          fromTunnel: true)
      }
      setIdentityMark(identity, Mark.identity)
      return try deliverToHost(F.self)
    } catch {
      return drop(error, at: .family, source: identity, .ingress)
    }
  }
}
