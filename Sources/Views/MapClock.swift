/// The clock that conntrack and NAT entries are stamped with, and what it shows now.
///
/// Source: `pkg/maps/timestamp`.
public enum MapClock: Hashable, Sendable {
  /// The kernel's monotonic clock, in seconds.
  case monotonic(seconds: UInt64)
  /// Jiffies divided by 256, and how many jiffies a second has.
  case scaledJiffies(UInt64, hertz: UInt32)

  var nowInSeconds: UInt64 {
    switch self {
    case .monotonic(let seconds): seconds
    case .scaledJiffies(let now, _): seconds(now)
    }
  }

  /// A time stamp of an entry in seconds.
  func seconds(_ stamp: UInt64) -> UInt64 {
    switch self {
    case .monotonic: stamp
    case .scaledJiffies(_, let hertz): hertz == 0 ? 0 : (stamp << 8) / UInt64(hertz)
    }
  }

  /// Seconds from now until the stamp; negative when it has passed.
  func remaining(_ stamp: UInt64) -> Int64 {
    Int64(bitPattern: seconds(stamp)) &- Int64(bitPattern: nowInSeconds)
  }
}
