import ArgumentParser
import Cluster
import Lint
import Manifests
import Runner

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
    let findings = Linter.findings(in: try read())
    switch output {
    case .text: for finding in findings { print("\(finding)") }
    case .sarif: print(SARIF(findings).text, terminator: "")
    }
    if !findings.isEmpty { throw ExitCode(1) }
  }

  private func read() throws -> ManifestSet {
    var all = ManifestSet()
    do {
      for file in try YAMLFiles.find(.manifest, paths) {
        all.append(ManifestReader().read(try readText(file), file: file))
      }
    } catch {
      complain("\(error)")
      throw ExitCode(2)
    }
    // Those within a file are there already.
    all.findings += ManifestReader.duplicates(in: all.objects).filter { !all.findings.contains($0) }
    return all
  }
}
