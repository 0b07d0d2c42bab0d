import ArgumentParser
import Capture
import Conformance
import Datapath
import Kernel
import Report

/// `ciliate doctor`: what this machine can and cannot do, and why.
struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor", abstract: "What this machine can and cannot do, and why.",
    discussion: """
      With --fields: what is compared of a hop, and how strictly. With --profiles: what older versions of Cilium do \
      otherwise than the current one. Exit code 0 whatever is found.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Flag(help: "The table of compared fields, in place of the machine's abilities.")
  var fields = false

  @Flag(help: "What differs between the versions of Cilium, in place of the machine's abilities.")
  var profiles = false

  @Option(name: .shortAndLong, help: "Output format.")
  var output: Output = .text

  func run() {
    var text = ""
    switch (fields, output) {
    case _ where profiles && output == .text: text = Self.differences
    case _ where profiles:
      JSONValue.members(("schema", .string("ciliate.doctor/v1")), ("profiles", Self.profileList)).write(
        into: &text)
    case (true, .text): text = Self.table
    case (true, .json):
      JSONValue.members(("schema", .string("ciliate.doctor/v1")), ("fields", Self.fieldList)).write(
        into: &text)
    case (false, .text): text = Self.report(Doctor.examine())
    case (false, .json): Self.document(Doctor.examine()).write(into: &text)
    }
    if output == .json { text += "\n" }
    var out = TextOutput(descriptor: 1)
    out.put(text: text)
    out.flush()
  }

  private static func report(_ doctor: Doctor) -> String {
    let width = doctor.findings.map(\.ability.rawValue.count).max() ?? 0
    var text = "The model runs everywhere. In this kernel:\n"
    for finding in doctor.findings {
      text +=
        "  \(padded(finding.ability.rawValue, width))  \(finding.failure.map { "no: \($0)" } ?? "yes")\n"
    }
    text += "\n"
    text += "Packets in eBPF programs (--kernel): \(doctor.reason.map { "no: \($0)" } ?? "yes")\n"
    text += "Sockets in eBPF programs: \(doctor.canRunSockets ? "yes" : "no")\n"
    if doctor.reason != nil {
      text += "Needed: root, or CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON and CAP_SYS_ADMIN.\n"
    }
    return text
  }

  private static func document(_ doctor: Doctor) -> JSONValue {
    .members(
      ("schema", .string("ciliate.doctor/v1")),
      (
        "abilities",
        .array(
          doctor.findings.map { finding in
            .members(
              ("name", .string(finding.ability.rawValue)), ("works", .bool(finding.failure == nil)),
              ("reason", .text(finding.failure)))
          })
      ),
      ("runsPackets", .bool(doctor.canRunPackets)), ("runsSockets", .bool(doctor.canRunSockets)),
      ("reason", .text(doctor.reason)), ("fields", fieldList))
  }

  private static var fieldList: JSONValue {
    .array(
      Field.allCases.map { field in
        .members(
          ("name", .string(field.rawValue)),
          ("builtin", .string(field.fieldClass(foreign: false).rawValue)),
          ("foreign", .string(field.fieldClass(foreign: true).rawValue)),
          ("explanation", .string(field.explanation)))
      })
  }

  private static var profileList: JSONValue {
    .array(
      ProfileDifference.allCases.map { difference in
        .members(
          ("name", .string(difference.rawValue)), ("since", .string(difference.since.description)),
          ("before", .string(difference.before)))
      })
  }

  /// A list in Markdown, as docs/FIDELITY.md has it.
  private static var differences: String {
    ProfileDifference.allCases.map { "- **\($0.rawValue)**, since \($0.since): before, \($0.before).\n" }
      .joined()
  }

  /// A table in Markdown, as docs/FIDELITY.md has it.
  private static var table: String {
    let rows =
      [["field", "against built-in", "against Cilium's objects", "what it is"], ["-", "-", "-", "-"]]
      + Field.allCases.map {
        [
          $0.rawValue, $0.fieldClass(foreign: false).rawValue, $0.fieldClass(foreign: true).rawValue,
          $0.explanation,
        ]
      }
    let widths = (0..<3).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      "| " + (0..<3).map { padded(row[$0], widths[$0]) }.joined(separator: " | ") + " | \(row[3]) |\n"
    }.joined()
  }

  private static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
