import ArgumentParser
import Cluster
import Lint
import Manifests

/// `ciliate lint`: what is wrong with manifests, and what is legal and seldom meant.
struct LintCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint", abstract: "Find errors and traps in manifests.",
    discussion: """
      All files count as one cluster: a policy that selects no pod is only found out where there are pods. A folder \
      stands for the manifests in it and below. Exit codes: 0 nothing found, 1 something \
      found, 2 a file cannot be read.
      """)

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, sarif }

  @Argument(help: "Manifest files, or folders of them.")
  var paths: [String]

  @Option(name: .shortAndLong, help: "Output format; code hosts show SARIF beside the lines.")
  var output: Output = .text

  func run() throws {
    let findings = Linter.findings(in: try ManifestFiles.read(paths))
    switch output {
    case .text: for finding in findings { print("\(finding)") }
    case .sarif: print(SARIF(findings).text, terminator: "")
    }
    if !findings.isEmpty { throw ExitCode(1) }
  }
}
