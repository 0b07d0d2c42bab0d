/// A moment of virtual time: nanoseconds since the scenario began.
public struct Instant: Hashable, Comparable, Sendable {
  public var nanoseconds: UInt64

  public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

  public static let start = Instant(nanoseconds: 0)
  /// When every scenario begins on the wall: 2026-01-01T00:00:00Z, in nanoseconds since the Unix epoch.
  public static let epoch: UInt64 = 1_767_225_600_000_000_000
  /// How long the nodes have been up when a scenario begins: 10,000 s.
  public static let uptimeAtStart: UInt64 = 10_000_000_000_000

  /// Nanoseconds since the Unix epoch, as captures and flows carry them.
  public var unixNanoseconds: UInt64 { Self.epoch &+ nanoseconds }
  /// The node's monotonic clock, as programs read it.
  public var ktime: UInt64 { Self.uptimeAtStart &+ nanoseconds }

  public static func + (instant: Instant, span: Span) -> Instant {
    Instant(nanoseconds: instant.nanoseconds &+ span.nanoseconds)
  }

  public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }

  /// A length of virtual time.
  public struct Span: Hashable, Comparable, Sendable {
    public var nanoseconds: UInt64

    public init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    public static func microseconds(_ n: UInt64) -> Span { Span(nanoseconds: n &* 1000) }
    public static func milliseconds(_ n: UInt64) -> Span { Span(nanoseconds: n &* 1_000_000) }
    public static func seconds(_ n: UInt64) -> Span { Span(nanoseconds: n &* 1_000_000_000) }

    public static func < (a: Self, b: Self) -> Bool { a.nanoseconds < b.nanoseconds }
  }
}
