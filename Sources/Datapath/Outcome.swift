/// What a stage returns to the stage that called it. Failures are thrown as ``Drop``.
enum Outcome: Equatable {
  /// TC_ACT_OK.
  case pass
  /// TC_ACT_REDIRECT; the target stands in the run.
  case redirect
  /// A tail call was made and this is what it returned in the end: the callers' remaining code never runs.
  case ended(Ending)
}

/// How a program ends.
enum Ending: Equatable {
  case pass, drop, redirect
}

extension Outcome {
  @inline(__always)
  var ending: Ending {
    switch self {
    case .pass: .pass
    case .redirect: .redirect
    case .ended(let ending): ending
    }
  }
}
