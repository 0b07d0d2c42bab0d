/// How an entry of a policy map ranks: priority first, then deny over redirect over allow over pass.
///
/// ```
///  31                                   8 7        0
/// +--------------------------------------+----------+
/// | 2^24 - 1 - priority                  | verdict  |
/// +--------------------------------------+----------+
/// verdict: 255 deny, 2...254 redirect (by listener), 1 allow, 0 pass
/// ```
///
/// Source: Cilium `pkg/policy/types/entry.go`.
struct Precedence: Hashable, Sendable, Comparable {
  var bits: UInt32

  init(bits: UInt32) { self.bits = bits }

  /// Priority 0 is the highest.
  init(priority: UInt32, verdict: PolicyVerdict) {
    let base = (Precedence.lowestPriority - min(priority, Precedence.lowestPriority)) << 8
    switch verdict {
    case .deny: bits = base | 255
    case .allow: bits = base | 1
    case .pass: bits = base
    }
  }

  /// A redirect: among those of a level, the listener of the lowest number ranks highest.
  init(priority: UInt32, listener: UInt8) {
    self.init(priority: priority, verdict: .allow)
    bits += listener > 0 ? 254 - UInt32(min(listener, Precedence.lastListener)) : 1
  }

  static let lowestPriority: UInt32 = 1 << 24 - 1
  private static let lastListener: UInt8 = 126

  /// The priority alone: what ranks within it is masked away.
  var level: UInt32 { bits >> 8 }

  var isDeny: Bool { bits & 255 == 255 }

  /// The rank of an allow on the same priority.
  var asAllow: Precedence { Precedence(bits: bits & ~255 | 1) }

  /// Whether two entries differ at most in the rank of their listeners, and so are to be merged.
  func isOfSameLevel(as other: Precedence) -> Bool {
    bits ^ other.bits <= 255 && isDeny == other.isDeny
  }

  static func < (a: Self, b: Self) -> Bool { a.bits < b.bits }
}

enum PolicyVerdict: Hashable, Sendable {
  case allow, deny
  /// Hands the decision to the next tier: ClusterNetworkPolicy alone has it.
  case pass

  /// Whether it decides where both stand on one priority: deny over allow over pass.
  func beats(_ other: PolicyVerdict) -> Bool { self == .deny || self == .allow && other == .pass }
}

/// Where a policy stands: what Cilium adds itself comes after everything else.
///
/// Source: Cilium `pkg/policy/types/policyentry.go`.
enum PolicyTier: UInt8, Hashable, Sendable, Comparable, CaseIterable {
  case admin = 100
  /// NetworkPolicy, CiliumNetworkPolicy, CiliumClusterwideNetworkPolicy.
  case normal = 200
  case baseline = 250
  case byDefault = 255

  static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
