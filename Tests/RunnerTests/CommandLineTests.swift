import Foundation
import Kernel
import Runner
import TestSupport
import Testing

/// What the built binary makes of good and bad input: exit codes, messages, and the same octets each time.
@Suite(.enabled(if: Command.ciliate != nil, "no ciliate beside the tests"))
struct CommandLineTests {
  @Test("A scenario that goes as expected: 0, and nothing on standard error")
  func good() throws {
    let run = try Command.ciliate("run", "scenarios/cluster/minimal.yaml", "--kernel", "off")
    #expect(run.code == 0)
    #expect(run.complaints.isEmpty)
    #expect(run.output.contains("1 scenarios: 1 pass"))
  }

  @Test("An expectation that is not met: 1, and what was got")
  func failed() throws {
    let run = try scenario("    - probe: {from: a, to: b, port: 80/TCP}\n      expect: {outcome: refused}\n")
    #expect(run.code == 1)
    #expect(run.output.contains("outcome: expected refused, got ok"))
  }

  @Test("Something that is not modelled never passes: 1")
  func unmodelled() throws {
    let run = try scenario("    - relay: {state: down}\n")
    #expect(run.code == 1)
    #expect(run.output.contains("1 unmodelled"))
  }

  @Test(
    "Bad usage: 2",
    arguments: [
      ["run"], ["run", "--no-such-option", "scenarios"], ["run", "scenarios", "--kernel", "maybe"],
      ["run", "no/such/path.yaml"], ["run", "Tests/References"],
      ["run", "scenarios/same-node", "--seed", "x"],
      ["lab", "open", "no-such-lab"], ["lab", "check", "whose-packet", "--in", "no/such/folder"],
      ["lab", "list", "--labs", "docs"], ["no-such-command"],
    ])
  func usage(_ arguments: [String]) throws {
    let run = try Command.run(try #require(Command.ciliate), arguments)
    #expect(run.code == 2, "\(run.output)\(run.complaints)")
    #expect(!run.complaints.isEmpty)
    #expect(run.output.isEmpty)
  }

  @Test(
    "Bad scenarios: 2, with the place",
    arguments: [
      ("apiVersion: [", "scenario.yaml:2:1: error:"),
      ("", "the file is empty"),
      ("a: 1\n---\nb: 2\n", "scenario.yaml:"),
      (head + "  steps: []\n", "the scenario has no steps"),
      (head + "  steps:\n    - prob: {}\n", "unknown field \"prob\"; did you mean \"probe\"?"),
      (head + "  steps:\n    - probe: {from: a, to: b, port: http}\n", "no port"),
      (head + "  manifests: [missing.yaml]\n  steps:\n    - time: {advance: 1s}\n", "missing.yaml"),
      (
        head
          + "  steps:\n    - name: x\n      time: {advance: 1s}\n    - name: x\n      time: {advance: 1s}\n",
        "two steps"
      ),
      (twice + "  steps:\n    - time: {advance: 1s}\n", "two nodes are named"),
      (
        head
          + "  steps:\n    - apply: |\n        apiVersion: v1\n        kind: Pood\n        metadata: {name: x}\n",
        "Pood"
      ),
      (
        head
          + "  steps:\n    - apply: |\n        apiVersion: v1\n        kind: Pod\n        metadata: {name: x, labels: {a: \"b c\"}}\n",
        "b c"
      ),
    ])
  func badScenarios(_ text: String, _ message: String) throws {
    try withFolder { folder in
      try text.write(toFile: "\(folder)/scenario.yaml", atomically: true, encoding: .utf8)
      let run = try Command.ciliate("run", "\(folder)/scenario.yaml", "--kernel", "off")
      #expect(run.code == 2, "\(run.output)")
      #expect(run.complaints.contains(message), "\(run.complaints)")
      #expect(run.complaints.contains("scenario.yaml:"), "\(run.complaints)")
    }
  }

  @Test("A folder without scenarios, a file that is no text, one that may not be read: 2")
  func unreadable() throws {
    try withFolder { folder in
      #expect(try Command.ciliate("run", folder).code == 2)
      let path = "\(folder)/octets.yaml"
      try Data([0xff, 0xfe, 0x00, 0x80]).write(to: URL(fileURLWithPath: path))
      let run = try Command.ciliate("run", path)
      #expect(run.code == 2)
      #expect(run.complaints.contains("octets.yaml"))
      #expect(try Command.ciliate("run", "\(folder)/octets.yaml/below").code == 2)
    }
  }

  @Test("Nothing is written where it cannot be: no half of a file is left")
  func unwritable() throws {
    try withFolder { folder in
      try "".write(toFile: "\(folder)/file", atomically: true, encoding: .utf8)
      let run = try Command.ciliate(
        "run", "scenarios/cluster/minimal.yaml", "--kernel", "off", "--pcap", "\(folder)/file/below")
      #expect(run.code != 0)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
    }
  }

  @Test("Two processes leave the same octets, whatever they leave")
  func determinism() throws {
    try withFolder { folder in
      var texts: [String] = []
      for name in ["a", "b"] {
        let run = try Command.ciliate(
          "run", "scenarios/getting-started", "scenarios/connectivity", "scenarios/dual-stack",
          "scenarios/services",
          "--kernel", "off", "--pcap", "\(folder)/\(name)", "--junit-file", "\(folder)/\(name).xml", "-o",
          "json")
        #expect(run.code == 0)
        texts.append(run.output)
      }
      #expect(texts[0] == texts[1])
      #expect(FileManager.default.contentsEqual(atPath: "\(folder)/a.xml", andPath: "\(folder)/b.xml"))
      let files = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/a").sorted()
      #expect(files.count > 10)
      #expect(files == (try FileManager.default.contentsOfDirectory(atPath: "\(folder)/b").sorted()))
      for file in files {
        #expect(
          FileManager.default.contentsEqual(atPath: "\(folder)/a/\(file)", andPath: "\(folder)/b/\(file)"))
      }
    }
  }

  @Test(
    "The captures of a run with the kernel are those of one without",
    .enabled(if: KernelAccess.isUsable, KernelAccess.comment))
  func kernel() throws {
    try withFolder { folder in
      for choice in ["off", "required"] {
        let run = try Command.ciliate(
          "run", "scenarios/getting-started", "scenarios/geneve", "--kernel", choice, "--pcap",
          "\(folder)/\(choice)")
        #expect(run.code == 0, "\(run.output)\(run.complaints)")
      }
      for file in try FileManager.default.contentsOfDirectory(atPath: "\(folder)/off") {
        #expect(
          FileManager.default.contentsEqual(
            atPath: "\(folder)/off/\(file)", andPath: "\(folder)/required/\(file)"))
      }
    }
  }

  static let doctor = Doctor.examine()

  @Test(
    "A datapath that cannot be used is bad input, or a lack that is named", .enabled(if: doctor.canRunPackets)
  )
  func datapath() throws {
    func run(_ folder: String, _ kernel: String = "auto") throws -> Command {
      try Command.ciliate(
        "run", "scenarios/cluster/minimal.yaml", "--kernel", kernel, "--datapath", folder)
    }
    for kernel in ["auto", "required"] {
      let run = try run("no/such/folder", kernel)
      #expect(run.code == 2)
      #expect(run.complaints.contains("bpf_lxc.o"))
    }
    try withFolder { folder in
      let object = URL(fileURLWithPath: "\(folder)/bpf_lxc.o")
      try Data("no object".utf8).write(to: object)
      let garbage = try run(folder)
      #expect(garbage.code == 2)
      #expect(garbage.complaints.contains("not an ELF file"))
      // Ours in the place of Cilium's: the same names, another layout.
      try Data(try #require(BPFObjectImages.image(of: "from_container"))).write(to: object)
      let other = try run(folder)
      #expect(other.code == 2)
      #expect(other.complaints.contains("the value of cilium_policy_v2 is not laid out as known"))
      #expect(other.complaints.contains("expected") && other.complaints.contains("found struct policy_entry"))
    }
  }

  static let ciliumObjects = (ProcessInfo.processInfo.environment["CILIATE_CILIUM_OBJECTS"] ?? "")
    .split(separator: ":").map(String.init)

  @Test(
    "What was compiled in is told by a file where there is no header; unknown options are named: 4",
    .enabled(if: !ciliumObjects.isEmpty, "CILIATE_CILIUM_OBJECTS names no folder"),
    .enabled(if: doctor.canRunPackets))
  func options() throws {
    func run(_ folder: String) throws -> Command {
      try Command.ciliate(
        "run", "scenarios/cluster/minimal.yaml", "--kernel", "required", "--datapath", folder)
    }
    try withFolder { folder in
      try FileManager.default.copyItem(
        atPath: "\(Self.ciliumObjects[0])/bpf_lxc.o", toPath: "\(folder)/bpf_lxc.o")
      let unknown = try run(folder)
      #expect(unknown.code == 4)
      #expect(unknown.complaints.contains("enable_routing") && unknown.complaints.contains("tunnel_mode"))
      #expect(!unknown.complaints.contains("enable_ipv4"), "the programs tell that")
      let words = URL(fileURLWithPath: "\(folder)/ciliate-datapath.yaml")
      try Data("node: {ENABLE_IPV4: 1, TUNEL_MODE: 1}\n".utf8).write(to: words)
      let misspelt = try run(folder)
      #expect(misspelt.code == 2)
      #expect(
        misspelt.complaints.contains("ciliate-datapath.yaml:1:24: TUNEL_MODE"), "\(misspelt.complaints)")
      try Data("node: {ENABLE_IPV4: 1, ENABLE_SCTP: true}\n".utf8).write(to: words)
      let read = try run(folder)
      #expect(read.code == 4)
      #expect(read.complaints.contains("but the objects were compiled with"), "\(read.complaints)")
    }
  }

  @Test("Labs: 1 while the task is not done, 0 when it is")
  func labs() throws {
    try withFolder { folder in
      let work = "\(folder)/work"
      #expect(try Command.ciliate("lab", "list").output.contains("the-deny-trap"))
      let opened = try Command.ciliate("lab", "open", "the-deny-trap", "--to", work)
      #expect(opened.code == 0)
      #expect(opened.output.contains("Task\n"))
      let before = try Command.ciliate("lab", "check", "the-deny-trap", "--in", work)
      #expect(before.code == 1)
      #expect(before.output.contains("Hint: "))
      try FileManager.default.removeItem(atPath: "\(work)/policy.yaml")
      try FileManager.default.copyItem(
        atPath: "\(PackageFolder.path)/scenarios/labs/the-deny-trap/solution/policy.yaml",
        toPath: "\(work)/policy.yaml")
      #expect(try Command.ciliate("lab", "check", "the-deny-trap", "--in", work).code == 0)
      #expect(try Command.ciliate("lab", "open", "the-deny-trap", "--to", work).code == 2)
    }
  }

  static let head = """
    apiVersion: ciliate.dev/v1alpha1
    kind: Scenario
    metadata: {name: x}
    spec:
      cluster: {nodes: [{name: n1}]}

    """

  static let twice = head.replacingOccurrences(of: "[{name: n1}]", with: "[{name: n1}, {name: n1}]")

  /// Runs steps on two pods, `a` and `b`, the latter a web server.
  private func scenario(_ steps: String) throws -> Command {
    try withFolder { folder in
      let pods = ["a", "b"].map { name in
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: \(name)}
        spec: {containers: [{name: nginx, image: nginx}]}

        """
      }
      try pods.joined(separator: "---\n").write(
        toFile: "\(folder)/pods.yaml", atomically: true, encoding: .utf8)
      try (Self.head + "  manifests: [pods.yaml]\n  steps:\n" + steps)
        .write(toFile: "\(folder)/scenario.yaml", atomically: true, encoding: .utf8)
      return try Command.ciliate("run", "\(folder)/scenario.yaml", "--kernel", "off")
    }
  }
}

/// What Wireshark's tshark reads from our captures.
@Suite(.enabled(if: Command.ciliate != nil && Command.find("tshark") != nil, "no tshark on this machine"))
struct CapturesInTsharkTests {
  @Test(
    "tshark finds exactly the identities that the walk names",
    arguments: [
      ("getting-started", "vxlan", 8472), ("connectivity", "vxlan", 8472), ("geneve", "geneve", 6081),
    ])
  func identities(_ name: String, _ tunnel: String, _ port: Int) throws {
    try withFolder { folder in
      let run = try Command.ciliate(
        "run", "scenarios/\(name)", "--kernel", "off", "--walk", "all", "--pcap", folder)
      #expect(run.code == 0)
      let printed = Set(run.output.matches(of: /encapsulated: VNI (\d+)/).map { String($0.output.1) })
      #expect(printed.count >= 2)
      for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix(".pcapng")
      {
        let shark = try Command.run(
          try #require(Command.find("tshark")),
          [
            "-r", "\(folder)/\(file)", "-d", "udp.port==\(port),\(tunnel)", "-T", "fields", "-e",
            "\(tunnel).vni",
          ])
        #expect(shark.code == 0)
        let seen = shark.output.split(separator: "\n").map { line in
          let text = line.hasPrefix("0x") ? String(line.dropFirst(2)) : String(line)
          return UInt32(text, radix: line.hasPrefix("0x") ? 16 : 10).map { "\($0)" } ?? String(line)
        }
        #expect(Set(seen) == printed)
      }
    }
  }

  @Test("tshark finds nothing malformed, and every checksum right")
  func wellFormed() throws {
    try withFolder { folder in
      _ = try Command.ciliate(
        "run", "scenarios/getting-started", "scenarios/dual-stack", "--kernel", "off", "--pcap", folder)
      for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file.hasSuffix(".pcapng")
      {
        let shark = try Command.run(
          try #require(Command.find("tshark")),
          [
            "-r", "\(folder)/\(file)", "-d", "udp.port==8472,vxlan", "-o", "ip.check_checksum:TRUE",
            "-o", "tcp.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y",
            "_ws.malformed || ip.checksum.status == 0 || tcp.checksum.status == 0 || udp.checksum.status == 0"
              + " || icmp.checksum.status == 0 || icmpv6.checksum.status == 0",
          ])
        #expect(shark.output.isEmpty, "\(file): \(shark.output.prefix(500))")
      }
    }
  }
}
