import Capture
import Conformance
import Report

extension DatapathComparison {
  /// The comparison as `ciliate.compare/v1`.
  public var json: String {
    var text = ""
    document.write(into: &text)
    return text + "\n"
  }

  private var document: JSONValue {
    .members(
      ("schema", .string("ciliate.compare/v1")), ("baseline", .string(baseline)),
      ("candidate", .string(candidate)), ("scenarios", .integer(scenarios)),
      ("compared", .integer(compared)), ("equal", .integer(agreeing)),
      (
        "hooks",
        .array(
          hooks.map {
            .members(
              ("hook", .string($0.hook)), ("compared", .integer($0.compared)),
              ("equal", .integer($0.agreeing)))
          })
      ),
      (
        "notRun",
        .array(notRun.map { .members(("reason", .string($0.reason)), ("hops", .integer($0.count))) })
      ),
      ("differences", .array(groups.map(Self.difference))),
      (
        "objects",
        .array(
          objects.map {
            .members(
              ("name", .string($0.name)), ("baseline", .integer($0.instructions.baseline)),
              ("candidate", .integer($0.instructions.candidate)))
          })
      ),
      ("unusedEntries", .array(unusedEntries.map(JSONValue.string))))
  }

  private static func difference(_ group: Group) -> JSONValue {
    .members(
      ("cause", .string(group.cause)), ("hops", .integer(group.group.count)),
      ("expected", .bool(group.isAllowed)),
      ("scenarios", .array(group.group.scenarios.map(JSONValue.string))),
      ("first", .array(group.group.divergences.map(divergence))), ("example", .text(group.folder)))
  }

  private static func divergence(_ divergence: Divergence) -> JSONValue {
    .members(
      ("node", .string(divergence.node)), ("device", .string(divergence.device)),
      ("hook", .string(divergence.hook)), ("field", .string(divergence.field.rawValue)),
      ("baseline", .string(divergence.expected)), ("candidate", .string(divergence.found)),
      ("details", .array(divergence.details.map(JSONValue.string))))
  }

  /// A test case for each cause; those that are expected pass.
  public var junit: String {
    let failures = groups.count { !$0.isAllowed }
    var text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n"
    text += "  <testsuite name=\"\(JUnitReport.escape("\(baseline) against \(candidate)"))\" "
    text += "tests=\"\(groups.count + 1)\" failures=\"\(failures)\" errors=\"0\" skipped=\"0\">\n"
    text += "    <testcase classname=\"compare\" name=\"\(compared) hops compared\"/>\n"
    for group in groups {
      text += "    <testcase classname=\"compare\" name=\"\(JUnitReport.escape(group.cause))\""
      guard !group.isAllowed else {
        text += "/>\n"
        continue
      }
      let message = "\(group.group.count) hops; \(Self.change(group))"
      text += "><failure type=\"differs\" message=\"\(JUnitReport.escape(message))\"/></testcase>\n"
    }
    return text + "  </testsuite>\n</testsuites>\n"
  }

  private static func change(_ group: Group) -> String {
    group.first.map { "first: baseline \($0.expected), candidate \($0.found)" } ?? ""
  }

  /// A SARIF log with a result for each cause, at the scenario that shows it first.
  ///
  /// - Parameter file: the file of a scenario by its name.
  public func sarif(file: (String) -> String?) -> String {
    let results = groups.map { group -> JSONValue in
      let message = "\(group.cause): \(group.group.count) hops; \(Self.change(group))"
      var members: [(String, JSONValue)] = [
        ("ruleId", .string("datapath-differs")), ("level", .string(group.isAllowed ? "note" : "error")),
        ("message", .members(("text", .string(message)))),
      ]
      if let uri = group.group.scenarios.first.flatMap(file) {
        let place = JSONValue.members(
          ("artifactLocation", .members(("uri", .string(uri)))),
          ("region", .members(("startLine", .integer(1)))))
        members.append(("locations", .array([.members(("physicalLocation", place))])))
      }
      return .object(members.map { .init(name: $0.0, value: $0.1) })
    }
    let rule = JSONValue.members(
      ("id", .string("datapath-differs")),
      ("shortDescription", .members(("text", .string("Two datapaths treat a packet differently.")))))
    let driver = JSONValue.members(("name", .string("ciliate")), ("rules", .array([rule])))
    let run = JSONValue.members(
      ("tool", .members(("driver", driver))), ("results", .array(results)))
    var text = ""
    JSONValue.members(
      ("$schema", .string("https://json.schemastore.org/sarif-2.1.0.json")), ("version", .string("2.1.0")),
      ("runs", .array([run]))
    ).write(into: &text)
    return text + "\n"
  }
}
