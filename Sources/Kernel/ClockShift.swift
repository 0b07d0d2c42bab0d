import CLibbpf
import MapABI

/// The distance between the image's clock and this machine's, for programs that read the real one.
///
/// Times in maps are moved forth before they are written and back after they are read; the result is exact to one
/// second, the unit of conntrack.
struct ClockShift: Sendable, Equatable {
  /// Seconds to add to an image's time to get the kernel's.
  var seconds: Int64

  static let none = ClockShift(seconds: 0)

  /// The shift at this moment, if the image's clock reads `ktime` nanoseconds.
  ///
  /// Waits when the second is about to end: the run that follows must fall into the same one, or the program would
  /// see a clock that is off by one.
  static func now(ktime: UInt64) -> ClockShift {
    var now = ciliate_monotonic()
    let left = Int(1_000_000_000 - now % 1_000_000_000)
    if left < longestRun {
      var pause = timespec(tv_sec: 0, tv_nsec: left + 1)
      nanosleep(&pause, nil)
      now = ciliate_monotonic()
    }
    return ClockShift(seconds: Int64(now / 1_000_000_000) - Int64(clamping: ktime / 1_000_000_000))
  }

  /// No single run takes longer, in nanoseconds.
  private static let longestRun = 5_000_000

  var inverse: ClockShift { ClockShift(seconds: 0 &- seconds) }

  /// Moves the times in a value of `map` (our layout). Zero means "never" and stays.
  func apply(to value: UnsafeMutableRawPointer, of map: MapID) {
    guard seconds != 0 else { return }
    for field in Self.fields(map) {
      if field.isWide {
        let time = (value + field.offset).loadUnaligned(as: UInt64.self)
        guard time != 0 else { continue }
        let moved = Int64(truncatingIfNeeded: time) &+ seconds &* field.unitsPerSecond
        (value + field.offset).storeBytes(of: UInt64(max(0, moved)), as: UInt64.self)
      } else {
        let time = (value + field.offset).loadUnaligned(as: UInt32.self)
        guard time != 0 else { continue }
        let moved = Int64(time) &+ seconds &* field.unitsPerSecond
        (value + field.offset).storeBytes(of: UInt32(clamping: moved), as: UInt32.self)
      }
    }
  }

  /// The maps whose values hold times.
  static let maps: [MapID] = [
    .ct4TCP, .ct4Any, .ct6TCP, .ct6Any, .affinity4, .affinity6, .nat4, .nat6, .rateLimit,
  ]

  private struct Field {
    var offset: Int
    var isWide: Bool
    var unitsPerSecond: Int64 = 1
  }

  private static func fields(_ map: MapID) -> [Field] {
    switch map {
    case .ct4TCP, .ct4Any, .ct6TCP, .ct6Any: conntrack
    case .affinity4, .affinity6, .nat4, .nat6: first
    case .rateLimit: nanoseconds
    default: []
    }
  }

  /// lifetime, last_tx_report, last_rx_report
  private static let conntrack = [
    Field(offset: 32, isWide: false), Field(offset: 48, isWide: false), Field(offset: 52, isWide: false),
  ]
  /// last_used, created
  private static let first = [Field(offset: 0, isWide: true)]
  /// last_topup
  private static let nanoseconds = [Field(offset: 0, isWide: true, unitsPerSecond: 1_000_000_000)]
}
