/// A measured figure beside its target, as `scripts/bench.sh` prints them: met, or NOT met.
struct Claim: CustomStringConvertible {
  enum Bound {
    case atMost, atLeast
  }

  var text: String
  var figure: Double
  var bound: Bound
  var target: Double

  init(_ text: String, _ figure: Double, atMost target: Double) {
    (self.text, self.figure, self.bound, self.target) = (text, figure, .atMost, target)
  }

  init(_ text: String, _ figure: Double, atLeast target: Double) {
    (self.text, self.figure, self.bound, self.target) = (text, figure, .atLeast, target)
  }

  /// What could not be measured is not met.
  var isMet: Bool {
    switch bound {
    case .atMost: figure <= target
    case .atLeast: figure >= target
    }
  }

  /// With two decimals.
  static func text(_ figure: Double) -> String {
    figure.isFinite ? "\((figure * 100).rounded() / 100)" : "not measured"
  }

  var description: String {
    let padding = String(repeating: " ", count: max(1, 52 - text.count))
    return "\(text)\(padding)\(Self.text(figure))  (target \(bound == .atMost ? "<=" : ">=") \(target): "
      + (isMet ? "met)" : "NOT met)")
  }
}
