import MapABI

/// Drop reasons by number, as Cilium's flow API names them.
enum DropReasonName {
  static func name(_ number: UInt8) -> String { DropReason(rawValue: number)?.name ?? "\(number)" }
}
