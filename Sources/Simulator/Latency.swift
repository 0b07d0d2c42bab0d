import Datapath

/// How long things take in virtual time. Fixed, so that the same run gives the same times; of the order of what
/// a real machine needs.
enum Latency {
  /// One program with its tail calls.
  static let hook = Instant.Span.microseconds(1)
  /// A pass through the IP stack or a tunnel device.
  static let stack = Instant.Span.microseconds(2)
  /// From a socket to the device, or back.
  static let socket = Instant.Span.microseconds(5)
  /// From node to node.
  static let wire = Instant.Span.microseconds(50)
  /// From the router to an outside host.
  static let world = Instant.Span.milliseconds(5)
}
