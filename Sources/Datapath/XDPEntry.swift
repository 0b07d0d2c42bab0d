internal import MapABI

/// `cil_xdp_entry`: drops what the prefilter names, passes the rest on. Load balancing at XDP is off by default.
///
/// The prefilter's prefixes are in no map of ours, so there are none; a truncated header is dropped all the same.
/// Source: Cilium's bpf/bpf_xdp.c.
enum XDPEntry {
  static func verdict(_ frame: [UInt8], _ config: DatapathConfig) -> Verdict {
    guard config.enable_xdp_prefilter != 0, frame.count >= 14 else { return .pass }
    let length =
      switch (frame[12], frame[13]) {
      case (0x08, 0x00) where config.enable_ipv4 != 0: IPv4.headerLength
      case (0x86, 0xdd) where config.enable_ipv6 != 0: IPv6.headerLength
      default: 0
      }
    return frame.count < 14 + length ? .drop : .pass
  }
}
