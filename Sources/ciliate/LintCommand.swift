import ArgumentParser
import Capture
import Cluster
import Lint
import Report

/// `ciliate lint`: what is wrong with manifests, and what is legal and seldom meant.
struct LintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint", abstract: "Find errors and traps in manifests.",
    discussion: """
      All files count as one cluster: a policy that selects no pod is only found out where there are pods. A folder \
      stands for the manifests in it and below. Exit codes: 0 nothing found, 1 something \
      found, 2 a file cannot be read.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json, sarif }

  @Argument(help: "Manifest files, or folders of them.")
  var paths: [String] = []

  @Option(parsing: .upToNextOption, help: "Helm values files of Cilium, which some findings depend on.")
  var values: [String] = []

  @Option(help: "The release of Cilium: 1.18, 1.19, 1.20.")
  var profile: Profile = .latest

  @Option(name: .shortAndLong, help: "Output format; code hosts show SARIF beside the lines.")
  var output: Output = .text

  @Flag(help: "Every id that there is, as a table, in place of findings.")
  var list = false

  func run() throws {
    if list {
      print(LintCatalogue.table, terminator: "")
      return
    }
    guard !paths.isEmpty else {
      complain("expected manifest files, or folders of them")
      throw ExitCode(2)
    }
    let (settings, ofValues) = try PolicyInput.settings(values, profile: profile)
    let findings =
      ofValues + Linter.findings(in: try ManifestFiles.read(paths, profile: profile), settings: settings)
    var out = TextOutput(descriptor: 1)
    switch output {
    case .text: for finding in findings { out.put(line: "\(finding)") }
    case .json: out.put(text: FindingsReport.text(findings))
    case .sarif: out.put(text: SARIF(findings).text)
    }
    out.flush()
    if !findings.isEmpty { throw ExitCode(1) }
  }
}
