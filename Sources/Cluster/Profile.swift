/// The Cilium release line whose behaviour and formats are modelled.
public enum Profile: String, Hashable, Sendable, CaseIterable, Comparable {
  case v118 = "1.18"
  case v119 = "1.19"
  case v120 = "1.20"

  public static let latest = Profile.v120

  public static func < (a: Self, b: Self) -> Bool { a.order < b.order }

  private var order: Int {
    switch self {
    case .v118: 18
    case .v119: 19
    case .v120: 20
    }
  }
}
