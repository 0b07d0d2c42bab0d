import Foundation
import Runner
import Scenario
import TestSupport
import Testing

/// Labs: their checks fail with the files as they are handed out, and pass with the solution.
struct LabTests {
  static let folder = "\(PackageFolder.path)/scenarios/labs"
  static let names = Lab.all(in: folder).labs.map(\.file.name)

  private func lab(_ name: String) throws -> Lab {
    try #require(Lab.all(in: Self.folder).labs.first { $0.file.name == name })
  }

  /// A folder that is taken away when the test is over.
  private func inFolder(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lab-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test("Both labs are there, without findings")
  func list() {
    let (labs, findings) = Lab.all(in: Self.folder)
    #expect(labs.map(\.file.name) == ["the-deny-trap", "whose-packet"])
    #expect(findings.isEmpty)
    #expect(labs.allSatisfy { !$0.file.hints.isEmpty && !$0.file.task.isEmpty })
  }

  @Test("Untouched files do not pass, the solution does", arguments: names)
  func check(_ name: String) throws {
    let lab = try lab(name)
    try inFolder { work in
      _ = try lab.open(to: work)
      #expect(try !lab.check(in: work).isDone)
      for file in lab.file.files {
        let answer = try Data(contentsOf: URL(fileURLWithPath: "\(lab.folder)/solution/\(file)"))
        try answer.write(to: URL(fileURLWithPath: "\(work)/\(file)"))
      }
      let result = try lab.check(in: work)
      #expect(result.isDone, "\(result.items)")
    }
  }

  @Test("Opening twice gives the same octets, and never overwrites")
  func open() throws {
    let lab = try lab("whose-packet")
    try inFolder { work in
      let files = try lab.open(to: "\(work)/a")
      #expect(files == (try lab.open(to: "\(work)/b")))
      #expect(files.contains("capture.pcap") && files.contains("identities.txt"))
      #expect(!files.contains("lab.yaml") && !files.contains("solution"))
      for file in files {
        #expect(FileManager.default.contentsEqual(atPath: "\(work)/a/\(file)", andPath: "\(work)/b/\(file)"))
      }
      #expect(throws: LabError.self) { try lab.open(to: "\(work)/a") }
    }
  }

  @Test(
    "An answer may be the labels, the pod, or the number; others do not pass",
    arguments: [
      ("app=crawler", true), ("k8s:app=crawler", true), ("app=crawler, team=growth", true), ("crawler", true),
      ("default/crawler", true), ("team=growth", false), ("app=shop", false), ("shop", false), ("", false),
      ("app=crawler,app=shop", false), ("1", false),
    ])
  func answers(_ answer: String, _ isRight: Bool) throws {
    #expect(try lab("whose-packet").check(in: "", answer: answer).isDone == isRight)
  }

  @Test("Another way to solve the deny trap passes, another task does not")
  func otherWays() throws {
    let lab = try lab("the-deny-trap")
    try inFolder { work in
      _ = try lab.open(to: work)
      let policy = URL(fileURLWithPath: "\(work)/policy.yaml")
      let start = try String(contentsOf: policy, encoding: .utf8)
      // Everybody is let in by a rule of its own; the deny rule wins over it.
      try (start + "  ingress:\n    - fromEntities: [all]\n").write(
        to: policy, atomically: true, encoding: .utf8)
      #expect(try lab.check(in: work).isDone)
      // A policy that does nothing lets curl-client in.
      try start.replacingOccurrences(of: "app: nginx-server", with: "app: nobody")
        .write(to: policy, atomically: true, encoding: .utf8)
      #expect(try !lab.check(in: work).isDone)
      // YAML that cannot be read is told as such.
      try "kind: [".write(to: policy, atomically: true, encoding: .utf8)
      #expect(throws: LabError.self) { try lab.check(in: work) }
      // The other files are not the learner's to change.
      try start.write(to: policy, atomically: true, encoding: .utf8)
      try "".write(toFile: "\(work)/workloads.yaml", atomically: true, encoding: .utf8)
      #expect(throws: LabError.self) { try lab.check(in: work) }
    }
  }
}
