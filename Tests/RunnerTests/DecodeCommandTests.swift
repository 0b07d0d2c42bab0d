import Foundation
import TestSupport
import Testing

private let golden = "pcaps/golden/getting-started-kind-worker.pcap"
private let sample = "pcaps/samples/http.pcap"

/// `ciliate decode` and `ciliate pcap diff` as a user calls them.
@Suite(.enabled(if: Command.ciliate != nil, "no ciliate beside the tests"))
struct DecodeCommandTests {
  @Test("A scenario names the identities and the pods of a capture")
  func names() throws {
    let run = try Command.ciliate(
      "decode", golden, "--identities", "scenarios/getting-started", "--endpoints",
      "scenarios/getting-started/scenario.yaml")
    #expect(run.code == 0, "\(run.complaints)")
    #expect(run.complaints.isEmpty)
    #expect(run.output.contains("k8s:app=curl-client"))
    #expect(run.output.contains("default/curl-client:"))
  }

  @Test("What a scenario's nodes would have captured is what --expect SCENARIO expects")
  func expected() throws {
    try withFolder { folder in
      let ran = try Command.ciliate(
        "run", "scenarios/getting-started", "--kernel", "off", "--pcap", folder, "--walk", "none")
      #expect(ran.code == 0)
      let captures = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        .filter { $0.hasSuffix(".pcap") }.map { "\(folder)/\($0)" }
      #expect(captures.count >= 2)
      let arguments = ["decode"] + captures + ["--expect", "scenarios/getting-started", "--by", "identity"]
      let good = try Command.run(try #require(Command.ciliate), arguments)
      #expect(good.code == 0 && good.complaints.isEmpty, "\(good.complaints)")
      // A part of them lacks some, and another capture has others.
      let part = try Command.run(
        try #require(Command.ciliate), arguments + ["--filter", "inner:udp"])
      #expect(part.code == 1 && part.complaints.contains("missing: TCP "))
    }
    let other = try Command.ciliate("decode", sample, "--expect", "scenarios/getting-started")
    #expect(other.code == 1)
    #expect(other.complaints.contains("missing: identity ") && other.complaints.contains("unexpected: TCP "))
  }

  @Test(
    "Bad input: 2, and what it was",
    arguments: [
      (["no/such.pcap"], "no/such.pcap: cannot open: No such file or directory"),
      (["README.md"], "README.md: offset 0: not a capture"),
      ([sample, "--identities", "no/such.yaml"], "no/such.yaml"),
      ([sample, "--identities", "scenarios"], "name one"),
      ([sample, "--expect", "scenarios/getting-started/workloads.yaml"], "workloads.yaml"),
      ([sample, "--endpoints", "README.md"], "README.md: offset 0: JSON"),
      ([sample, "--filter", "tcp prot 80"], "filter expression"),
      ([sample, "--from", "yesterday"], "'yesterday' is no time"),
      ([sample, "--decapsulate"], "--decapsulate goes with --write"),
      ([sample, "--write", "no/such/folder/x.pcapng"], "cannot write"),
    ])
  func bad(_ arguments: [String], _ message: String) throws {
    let run = try Command.run(try #require(Command.ciliate), ["decode"] + arguments)
    #expect(run.code == 2, "\(run.output)")
    #expect(run.complaints.contains(message), "\(run.complaints)")
  }

  @Test("A cut capture: what was readable, the place, and 2")
  func cut() throws {
    try withFolder { folder in
      let whole = try Data(contentsOf: URL(fileURLWithPath: "\(PackageFolder.path)/\(sample)"))
      try whole.prefix(4990).write(to: URL(fileURLWithPath: "\(folder)/cut.pcap"))
      let run = try Command.ciliate("decode", "\(folder)/cut.pcap", sample, "--by", "identity", "-o", "csv")
      #expect(run.code == 2)
      #expect(
        run.complaints == "\(folder)/cut.pcap: offset 4880: cut: 110 octets of a record of 120 or more\n")
      #expect(run.output.hasPrefix("vni,name,packets,bytes\n62651,,28,1812\n"))
    }
  }

  @Test("Written packets: the same again, or the inner frames; and what differs between two captures")
  func written() throws {
    try withFolder { folder in
      let copy = try Command.ciliate("decode", sample, "--write", "\(folder)/copy", "--by", "identity")
      #expect(copy.code == 0, "\(copy.complaints)")
      let same = try Command.ciliate("pcap", "diff", sample, "\(folder)/copy")
      #expect(same.code == 0 && same.output == "48 packets compared, 0 differ\n")
      let inner = try Command.ciliate(
        "decode", sample, "--write", "\(folder)/inner", "--decapsulate", "--filter", "inner:port 4240")
      #expect(inner.code == 0, "\(inner.complaints)")
      let bare = try Command.ciliate("decode", "\(folder)/inner")
      #expect(bare.output == "\(folder)/inner: 24 packets, 0 of tunnels\n")
      let differs = try Command.ciliate("pcap", "diff", "--ignore", "time", sample, "\(folder)/inner")
      #expect(differs.code == 1)
      #expect(differs.output.contains("packet 1: "))
      #expect(differs.output.hasSuffix("48 packets compared, 48 differ\n"))
      let unknown = try Command.ciliate("pcap", "diff", "--ignore", "colour", sample, sample)
      #expect(unknown.code == 2 && unknown.complaints.contains("expected one of time, checksum, ip.id"))
    }
  }

  @Test("A growing file is followed until it is idle")
  func followed() throws {
    try withFolder { folder in
      let whole = try Data(contentsOf: URL(fileURLWithPath: "\(PackageFolder.path)/\(sample)"))
      let path = "\(folder)/growing.pcap"
      try whole.prefix(3000).write(to: URL(fileURLWithPath: path))
      let writer = Thread {
        Thread.sleep(forTimeInterval: 0.5)
        guard let file = FileHandle(forWritingAtPath: path) else { return }
        file.seekToEndOfFile()
        file.write(whole.dropFirst(3000))
        try? file.close()
      }
      writer.start()
      let run = try Command.ciliate("decode", path, "--follow", "--idle", "2", "--by", "packet")
      #expect(run.code == 0, "\(run.complaints)")
      #expect(run.output.split(separator: "\n").count == 48)
    }
  }
}
