internal import MapABI

extension Run {
  /// `tail_handle_arp`: every address but the pod's own is answered with the address of its device's host end.
  mutating func answerARP() -> Outcome {
    extError = 0
    let own = MACWord(config.interface_mac)
    guard let request = ARPRequest(packet, addressedTo: own), request.target != config.endpoint_ipv4 else {
      return .pass
    }
    // The length was checked before, so no store can fail.
    _ = packet.storeMAC(own, 6)
    _ = packet.storeMAC(request.sender, 0)
    _ = packet.store(UInt16(2).bigEndian, 20)
    _ = packet.storeMAC(own, 22)
    _ = packet.store(request.target, 28)
    _ = packet.storeMAC(request.sender, 32)
    _ = packet.store(request.senderAddress, 38)
    note(.answered(.arp))
    return redirect(ifindex, .egress)
  }
}

/// An ARP request over Ethernet (RFC 826), as far as the responder looks at it.
private struct ARPRequest {
  var sender: MACWord
  var senderAddress: UInt32
  var target: UInt32

  /// Nil for anything but a request that was broadcast or sent to `device` (`arp_check`).
  init?(_ packet: PacketBuffer, addressedTo device: MACWord) {
    guard packet.load(20, as: UInt16.self) == UInt16(1).bigEndian,
      packet.load(14, as: UInt16.self) == UInt16(1).bigEndian, let destination = packet.loadMAC(0),
      destination == device || destination == MACWord(first: .max, last: .max),
      let sender = packet.loadMAC(6), let senderAddress = packet.load(28, as: UInt32.self),
      let target = packet.load(38, as: UInt32.self)
    else { return nil }
    self.sender = sender
    self.senderAddress = senderAddress
    self.target = target
  }
}
