import BPFObjects
import Foundation
import TestSupport
import Testing

/// `doctor`, `inspect`, `show` and `lab`: exit codes, output, errors.
@Suite(.enabled(if: Command.ciliate != nil, "no ciliate beside the tests"))
struct OtherCommandTests {
  private func json(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
  }

  // MARK: doctor

  @Test("The doctor says what this machine can do, and is never in error")
  func doctor() throws {
    let run = try Command.ciliate("doctor")
    #expect(run.code == 0 && run.complaints.isEmpty)
    #expect(run.output.contains("Packets in eBPF programs (--kernel): "))
    #expect(run.output.contains("Sockets in eBPF programs: "))
    let document = try json(try Command.ciliate("doctor", "-o", "json").output)
    #expect((document["schema"] as? String)?.hasPrefix("ciliate.doctor") == true)
  }

  @Test("The table of fields is that of docs/FIDELITY.md")
  func fields() throws {
    let run = try Command.ciliate("doctor", "--fields")
    #expect(run.code == 0)
    let document = try String(contentsOfFile: "\(PackageFolder.path)/docs/FIDELITY.md", encoding: .utf8)
    #expect(document.contains(run.output))
  }

  // MARK: inspect

  @Test("An object's programs, maps and configuration, without loading anything")
  func inspect() throws {
    let object = try #require(BPFObject.named("from_container"))
    try withFolder { folder in
      let path = "\(folder)/from_container.o"
      try Data(object.image).write(to: URL(fileURLWithPath: path))
      let run = try Command.ciliate("inspect", path)
      #expect(run.code == 0 && run.complaints.isEmpty, "\(run.complaints)")
      #expect(run.output.contains("Ciliate's own"))
      #expect(run.output.contains("cilium_policy_v2") || run.output.contains("cilium_ct4_global"))
      let document = try json(try Command.ciliate("inspect", path, "-o", "json").output)
      #expect(document["schema"] as? String == "ciliate.inspect/v1")
      let objects = try #require(document["objects"] as? [[String: Any]])
      #expect((objects.first?["programs"] as? [Any])?.isEmpty == false)
    }
  }

  @Test("What is no object: 2, with the file's name; the others are shown all the same")
  func inspectBad() throws {
    let object = try #require(BPFObject.named("from_container"))
    try withFolder { folder in
      try Data(object.image).write(to: URL(fileURLWithPath: "\(folder)/good.o"))
      for (name, octets) in [
        ("empty", []), ("text", Array("no object".utf8)), ("half", Array(object.image.prefix(700))),
      ] {
        try Data(octets).write(to: URL(fileURLWithPath: "\(folder)/\(name).o"))
        let run = try Command.ciliate("inspect", "\(folder)/\(name).o", "\(folder)/good.o")
        #expect(run.code == 2, "\(name): \(run.output)")
        #expect(run.complaints.contains("\(name).o"))
        #expect(run.output.contains("good.o") && !run.output.contains("\(name).o"))
      }
    }
    #expect(try Command.ciliate("inspect", "no/such/file.o").code == 2)
    #expect(try Command.ciliate("inspect").code == 2)
  }

  // MARK: show

  @Test("A view of a node, after a step and before the first")
  func show() throws {
    let scenario = "scenarios/policy/ports.yaml"
    let run = try Command.ciliate("show", "bpf", "ipcache", "list", scenario, "--node", "n1")
    #expect(run.code == 0 && run.output.contains("IDENTITY"))
    let before = try Command.ciliate(
      "show", "bpf", "ct", "list", "global", scenario, "--node", "n1", "--after", "0")
    let after = try Command.ciliate(
      "show", "bpf", "ct", "list", "global", scenario, "--node", "n1", "--after", "1")
    #expect(before.code == 0 && after.code == 0, "\(before.complaints)\(after.complaints)")
    #expect(before.output.count < after.output.count)
    #expect(after.output.contains("TCP"))
  }

  @Test(
    "Unknown views, nodes, steps and files: 2, and what there is",
    arguments: [
      (["show"], "words"), (["show", "nosuch", "scenarios/policy/ports.yaml"], "identity list"),
      (["show", "identity", "list", "scenarios/policy/ports.yaml", "--node", "n9"], "n1"),
      (["show", "identity", "list", "scenarios/policy/ports.yaml", "--node", "n1", "--after", "99"], "step"),
      (["show", "identity", "list", "no/such.yaml"], "no/such.yaml"),
      (["show", "identity", "list", "scenarios/policy"], "name one"),
    ])
  func showBad(_ arguments: [String], _ hint: String) throws {
    let run = try Command.run(try #require(Command.ciliate), arguments)
    #expect(run.code == 2, "\(run.output)\(run.complaints)")
    #expect(run.complaints.contains(hint), "\(run.complaints)")
    #expect(run.output.isEmpty)
  }

  // MARK: lab

  @Test("Labs are listed, opened into a folder and checked there")
  func lab() throws {
    let list = try Command.ciliate("lab", "list")
    #expect(list.code == 0 && list.output.contains("the-deny-trap"))
    try withFolder { folder in
      let open = try Command.ciliate("lab", "open", "the-deny-trap", "--to", "\(folder)/mine", "--hints")
      #expect(open.code == 0, "\(open.complaints)")
      #expect(open.output.contains("Task") && open.output.contains("Hint 1:"))
      let check = try Command.ciliate(
        "lab", "check", "the-deny-trap", "--in", "\(folder)/mine", "--hints", "0")
      #expect(check.code == 1)
      #expect(check.output.contains("Not yet.") && !check.output.contains("Hint"))
      // What is there is not overwritten.
      #expect(try Command.ciliate("lab", "open", "the-deny-trap", "--to", "\(folder)/mine").code == 2)
    }
  }

  // MARK: All

  @Test(
    "Every command explains itself",
    arguments: [
      "run", "probe", "matrix", "decode", "pcap", "lint", "lab", "record", "show", "inspect", "doctor",
    ])
  func help(_ command: String) throws {
    let run = try Command.ciliate(command, "--help")
    #expect(run.code == 0)
    #expect(run.output.contains("OVERVIEW: ") && run.output.contains("USAGE: ciliate \(command)"))
  }
}
