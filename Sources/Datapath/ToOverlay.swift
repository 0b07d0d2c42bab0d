internal import MapABI
internal import Wire

// A packet goes into the tunnel. Source: `cil_to_overlay` in Cilium's bpf/bpf_overlay.c.
extension Run {
  /// `cil_to_overlay`: marks the packet for the native device's program, and tracks the node's own connections.
  mutating func toOverlay(_ state: borrowing NodeState) -> Outcome {
    let isTranslated = markMagic == Mark.snatDone
    clearControlBlock()
    note(.stage(.overlay))
    let type = packet.load(12, as: UInt16.self).map(UInt16.init(bigEndian:)) ?? 0
    var identity = Identity.unknown
    // Without a key the tunnel device will drop the packet itself.
    if let key = tunnelKey, key.remote.family == .ipv4 {
      identity = self.identity(ofVNI: key.id, etherType: etherType)
    }
    setIdentityMark(identity, Mark.overlay)
    guard config.enable_nodeport != 0, !isTranslated else { return .pass }
    var context = TraceContext(reason: .unknown, monitor: 0)
    do throws(Drop) {
      return try translateOutgoing(state, etherType: type, source: identity, .toOverlay, &context) ?? .pass
    } catch {
      return drop(error, at: .entry, source: identity, .egress)
    }
  }
}
