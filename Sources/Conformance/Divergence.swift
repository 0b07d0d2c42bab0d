public import Datapath
import MapABI

/// One field of one hop in which two interpreters differ.
public struct Divergence: Sendable {
  public var time: Instant
  public var node: String
  public var device: String
  public var hook: String
  public var field: Field
  /// What the model says.
  public var expected: String
  /// What the other interpreter says.
  public var found: String
  /// More lines: differing header fields, differing octets of an entry.
  public var details: [String]

  public init(
    hop: borrowing Hop, field: Field, expected: String, found: String, details: [String] = []
  ) {
    time = hop.time
    node = hop.node
    device = hop.device
    hook = hop.hook.rawValue
    self.field = field
    self.expected = expected
    self.found = found
    self.details = details
  }

  /// Hook, field and both values on one line.
  public var summary: String {
    "\(node) \(hook) at \(device): \(field.rawValue): model \(expected), kernel \(found)"
  }
}

/// What came of comparing hops.
public struct Agreement: Sendable {
  /// Hops that were run by both.
  public var compared = 0
  /// Hops that agreed in every field that was observed.
  public var agreeing = 0
  /// The same for each hook that was run, in order of first appearance.
  public var hooks: [(hook: String, compared: Int, agreeing: Int)] = []
  /// Hops that the other interpreter could not run, by reason.
  public var notRun: [(reason: String, count: Int)] = []
  /// How many of those it did not decline, but failed at.
  public var failed = 0
  /// Fields that could not be observed, by field.
  public var notObserved: [(field: Field, count: Int)] = []
  public var divergences: [Divergence] = []

  public init() {}

  /// Whether there were hops and the other interpreter ran none of them.
  public var ranNothing: Bool { compared == 0 && !notRun.isEmpty }

  public mutating func countNotRun(_ reason: String) {
    if let index = notRun.firstIndex(where: { $0.reason == reason }) {
      notRun[index].count += 1
    } else {
      notRun.append((reason, 1))
    }
  }

  /// Counts a hop that the other interpreter threw at.
  mutating func countNotRun(_ error: any Error) {
    countNotRun("\(error)")
    if (error as? any DecliningError)?.isDeclined != true { failed += 1 }
  }

  mutating func count(_ hook: String, isAgreeing: Bool) {
    compared += 1
    agreeing += isAgreeing ? 1 : 0
    if let index = hooks.firstIndex(where: { $0.hook == hook }) {
      hooks[index].compared += 1
      hooks[index].agreeing += isAgreeing ? 1 : 0
    } else {
      hooks.append((hook, 1, isAgreeing ? 1 : 0))
    }
  }

  /// A hop that was counted as agreeing has turned out not to.
  mutating func withdraw(_ hook: String) {
    agreeing -= 1
    if let index = hooks.firstIndex(where: { $0.hook == hook }) { hooks[index].agreeing -= 1 }
  }

  mutating func countNotObserved(_ field: Field) {
    if let index = notObserved.firstIndex(where: { $0.field == field }) {
      notObserved[index].count += 1
    } else {
      notObserved.append((field, 1))
    }
  }
}
