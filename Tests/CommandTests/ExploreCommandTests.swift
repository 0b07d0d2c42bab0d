import Foundation
import TestSupport
import Testing

/// The commands that look for differences: `compare`, `fuzz` and `merge`. None of these runs needs a kernel.
@Suite(.enabled(if: Command.ciliate != nil, "no ciliate beside the tests"))
struct ExploreCommandTests {
  @Test("A campaign: nothing found, results written, and gone on with where it stopped")
  func campaign() throws {
    try withFolder { folder in
      let first = try Command.ciliate(
        "fuzz", "--seeds", "1..3", "--rounds", "1", "--kernel", "off", "--to", "\(folder)/a")
      #expect(first.code == 0, "\(first.complaints)")
      #expect(first.output.hasPrefix("3 cases, "))
      let more = try Command.ciliate(
        "fuzz", "--seeds", "1..5", "--rounds", "1", "--kernel", "off", "--to", "\(folder)/a")
      #expect(more.output.hasPrefix("5 cases, "))
      let whole = try Command.ciliate(
        "fuzz", "--seeds", "1..5", "--rounds", "1", "--kernel", "off", "--to", "\(folder)/b")
      #expect(whole.output == more.output)
      let (a, b) = ("\(folder)/a/results.json", "\(folder)/b/results.json")
      #expect(try Data(contentsOf: URL(fileURLWithPath: a)) == Data(contentsOf: URL(fileURLWithPath: b)))
      // Another campaign's results are not mixed with these.
      let other = try Command.ciliate(
        "fuzz", "--seeds", "1..5", "--rounds", "2", "--kernel", "off", "--to", "\(folder)/a")
      #expect(other.code == 2 && other.complaints.contains("another campaign"))
      #expect(try Command.ciliate("merge", a, b).code == 2)
    }
  }

  @Test("Shards, merged, are the whole")
  func shards() throws {
    try withFolder { folder in
      for shard in ["0/2", "1/2"] {
        let run = try Command.ciliate(
          "fuzz", "--seeds", "1..4", "--shard", shard, "--rounds", "1", "--kernel", "off", "--to",
          "\(folder)/\(shard.prefix(1))")
        #expect(run.code == 0)
      }
      _ = try Command.ciliate(
        "fuzz", "--seeds", "1..4", "--rounds", "1", "--kernel", "off", "--to", "\(folder)/whole")
      let merged = try Command.ciliate("merge", "\(folder)/0/results.json", "\(folder)/1/results.json")
      #expect(merged.code == 0)
      #expect(try merged.output == String(contentsOfFile: "\(folder)/whole/results.json", encoding: .utf8))
    }
  }

  @Test(
    "Bad usage and bad input: 2, with a reason",
    arguments: [
      ["fuzz", "--seeds", "9..1", "--to", "x"], ["fuzz", "--shard", "2/2", "--to", "x"],
      ["fuzz", "--time", "5", "--to", "x"], ["fuzz", "--rounds", "0", "--to", "x"], ["fuzz"],
      ["merge", "no/such/file"], ["merge"], ["merge", "Package.swift"], ["compare", "scenarios"],
      ["compare", "--candidate", "model"], ["compare", "--candidate", "model", "no/such/folder"],
      ["compare", "--candidate", "model", "--seeds", "x"],
      ["compare", "--candidate", "model", "--replay", "x.pcap", "scenarios/same-node"],
      ["compare", "--candidate", "model", "--hop", "Package.swift"],
      ["compare", "--candidate", "model", "--hop", "no/such/file"],
    ])
  func badInput(_ arguments: [String]) throws {
    let run = try Command.run(try #require(Command.ciliate), arguments)
    #expect(run.code == 2, "\(run.code) \(run.complaints)")
    #expect(!run.complaints.isEmpty)
  }

  @Test("The model does not differ from itself; reports say so")
  func equal() throws {
    try withFolder { folder in
      let allow = "\(folder)/allow.txt"
      try "# nothing\nto_netdev *\n".write(toFile: allow, atomically: true, encoding: .utf8)
      let run = try Command.ciliate(
        "compare", "--baseline", "model", "--candidate", "model", "scenarios/same-node", "--allow", allow,
        "--markdown-file", "\(folder)/r.md", "--junit-file", "\(folder)/r.xml", "--sarif-file",
        "\(folder)/r.sarif", "-o", "json")
      #expect(run.code == 0, "\(run.complaints)")
      #expect(run.output.hasPrefix("{\"schema\":\"ciliate.compare/v1\""))
      #expect(run.output.contains("allow.txt:2: to_netdev *"))
      // The model has no objects.
      #expect(run.output.contains("\"objects\":[]"))
      for file in ["r.md", "r.xml", "r.sarif"] {
        #expect(FileManager.default.fileExists(atPath: "\(folder)/\(file)"))
      }
    }
  }

  @Test("A capture that ends in mid-packet is run as far as it goes, and the code is 2")
  func truncatedCapture() throws {
    try withFolder { folder in
      let whole = try Data(
        contentsOf: URL(
          fileURLWithPath: "\(PackageFolder.path)/pcaps/golden/getting-started-kind-worker.pcap"))
      let cut = "\(folder)/cut.pcap"
      try whole.dropLast(7).write(to: URL(fileURLWithPath: cut))
      let run = try Command.ciliate(
        "compare", "--baseline", "model", "--candidate", "model", "--replay", cut, "--at", "n1/eth0",
        "scenarios/packets/spoofed-source.yaml")
      #expect(run.code == 2, "\(run.complaints)")
      #expect(run.complaints.contains("cut.pcap"))
      #expect(run.output.contains("hops compared"))
    }
  }
}
