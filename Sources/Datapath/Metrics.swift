internal import MapABI

/// Which part of the datapath counts or drops: what stands where Cilium has a source line (`enum source_place`).
enum Place: UInt16 {
  case entry = 1
  case family = 2
  case conntrack = 3
  case forward = 4
  case policy = 5
  case delivery = 6
  case encap = 7
  case service = 8
  case nat = 9
  case reply = 10
  case trace = 11
  case header = 12
  case fragment = 13
  case netdev = 14
}

/// `struct metrics_key.dir`
enum MetricDirection: UInt8 {
  case ingress = 1
  case egress = 2
  case service = 3
}

/// Reasons that are not drops.
enum MetricReason {
  static let forwarded: UInt8 = 0
  static let plaintext: UInt8 = 3
  static let noBackendSlot: UInt8 = 5
  static let noBackend: UInt8 = 6
  static let fragment: UInt8 = 9
  static let mtuError: UInt8 = 15
}

extension Run {
  /// `update_metrics`: one packet more, with its length as it is now.
  mutating func count(_ reason: UInt8, _ direction: MetricDirection, _ place: Place) {
    guard R.isFull else { return }
    let key = MetricsKey(
      reason: reason, dir: direction.rawValue, line: place.rawValue, file: object.rawValue, reserved0: 0,
      reserved1: 0, reserved2: 0)
    pending.add(packets: 1, bytes: UInt64(packet.count), to: key, in: .metrics)
  }
}
