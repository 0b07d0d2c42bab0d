import Conformance
import Datapath
public import Runner

/// An outcome as JUnit XML: a suite for each scenario, a case for each step.
public enum JUnitReport {
  public static func text(_ outcome: Outcome) -> String {
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
    for scenario in outcome.scenarios { suite(scenario, into: &text) }
    return text + "</testsuites>\n"
  }

  private static func suite(_ scenario: ScenarioOutcome, into text: inout String) {
    let divergences = scenario.agreement.divergences
    let hasAgreement = scenario.agreement.compared > 0
    let bad = scenario.steps.filter { $0.result > .skipped }
    let errors = bad.count { $0.result == .error }
    let failures = bad.count - errors + (divergences.isEmpty ? 0 : 1)
    let skipped = scenario.steps.count { $0.result == .skipped }
    text +=
      "  <testsuite name=\"\(escape(scenario.name))\" tests=\"\(scenario.steps.count + (hasAgreement ? 1 : 0))\""
      + " failures=\"\(failures)\" errors=\"\(errors)\" skipped=\"\(skipped)\">\n"
    for step in scenario.steps {
      text += "    <testcase classname=\"\(escape(scenario.name))\" name=\"\(escape(step.name))\""
      let message = escape(step.messages.joined(separator: "; "))
      switch step.result {
      case .pass: text += "/>\n"
      case .skipped: text += "><skipped message=\"\(message)\"/></testcase>\n"
      case .error: text += "><error type=\"error\" message=\"\(message)\"/></testcase>\n"
      case .fail, .differs, .unmodelled:
        text += "><failure type=\"\(step.result.rawValue)\" message=\"\(message)\"/></testcase>\n"
      }
    }
    if hasAgreement {
      text += "    <testcase classname=\"\(escape(scenario.name))\" name=\"model and kernel agree\""
      if let first = divergences.first {
        let message =
          "\(divergences.count) differences; first: \(first.node)/\(first.device):\(first.hook) "
          + "\(first.field.rawValue): model \(first.expected), kernel \(first.found)"
        text += "><failure type=\"differs\" message=\"\(escape(message))\"/></testcase>\n"
      } else {
        text += "/>\n"
      }
    }
    text += "  </testsuite>\n"
  }

  /// Text for an attribute: markup escaped, control characters that XML does not have replaced.
  public static func escape(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\t": result += "&#9;"
      case let control where control.value < 0x20: result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
