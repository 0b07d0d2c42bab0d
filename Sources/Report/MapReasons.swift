import MapABI

/// Drop reasons by number.
enum MapReasons {
  static func name(_ number: UInt8) -> String { DropReason(rawValue: number)?.name ?? "UNKNOWN" }
}
