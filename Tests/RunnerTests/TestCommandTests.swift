import Foundation
import TestSupport
import Testing

/// `ciliate test`: our own programs' unit tests, Cilium's where they are given, and objects that are wrong in every way.
///
/// One after the other: a process that is waited for keeps one of the few threads that tests have.
@Suite(
  .serialized, .enabled(if: Command.ciliate != nil, "no ciliate beside the tests"),
  .enabled(if: KernelAccess.isUsable, KernelAccess.comment))
struct TestCommandTests {
  /// The unit tests of `bpf/tests`, compiled once.
  private static let ours = Result { try compileAll() }

  private static func compileAll() throws -> String {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
      "ciliate-unit-tests-\(ProcessInfo.processInfo.processIdentifier)"
    ).path
    let run = try Command.run("/bin/sh", ["scripts/compile-bpf.sh", "--tests", folder])
    #expect(run.code == 0, "\(run.complaints)")
    return folder
  }

  /// Compiles a test of our own in `folder`.
  private func compile(_ name: String, _ source: String, in folder: String) throws -> String {
    let path = "\(folder)/\(name).bpf.c"
    try source.write(toFile: path, atomically: true, encoding: .utf8)
    let run = try Command.run(
      "/bin/sh", ["scripts/compile-bpf.sh", "--object", path, "\(folder)/\(name).o"])
    #expect(run.code == 0, "\(run.complaints)")
    return "\(folder)/\(name).o"
  }

  private static let head = """
    #define THIS_OBJECT SOURCE_FILE_HOST
    #include "tests/unittest.h"
    #include "tests/packets.h"
    #include "lib/config.h"
    char program_license[] SEC("license") = "Dual BSD/GPL";

    """

  @Test("Our own programs' unit tests pass")
  func own() throws {
    let run = try Command.ciliate("test", try Self.ours.get())
    #expect(run.code == 0, "\(run.output)\(run.complaints)")
    #expect(run.output.contains("3 objects, 11 tests: 11 pass"), "\(run.output)")
  }

  @Test("A control: without its setup, no test that has one passes")
  func withoutSetup() throws {
    let run = try Command.ciliate("test", try Self.ours.get(), "--without", "setup", "-o", "json")
    #expect(run.code == 1)
    let tests = try JSONTests(run.output)
    #expect(
      tests.names(ending: "pass") == ["mark_carries_identity", "one_world_on_the_wire", "remote_nodes"])
    #expect(tests.names(ending: "fail").count == 8)
  }

  @Test("A filter, a list, captures and a JUnit report")
  func outputs() throws {
    let objects = try Self.ours.get()
    let list = try Command.ciliate("test", objects, "--list", "--filter", "arp")
    #expect(list.output == "from_container_test/1_gateway_answers_arp\n")
    try withFolder { folder in
      for copy in ["a", "b"] {
        let run = try Command.ciliate(
          "test", objects, "--filter", "container", "--pcap", "\(folder)/\(copy)", "--junit",
          "\(folder)/junit.xml")
        #expect(run.code == 0)
        #expect(run.output.contains("1 objects, 6 tests: 6 pass"))
      }
      let capture = "from_container_test.pcapng"
      #expect(try FileManager.default.contentsOfDirectory(atPath: "\(folder)/a") == [capture])
      #expect(
        FileManager.default.contentsEqual(atPath: "\(folder)/a/\(capture)", andPath: "\(folder)/b/\(capture)")
      )
      let junit = try String(contentsOfFile: "\(folder)/junit.xml", encoding: .utf8)
      #expect(
        junit.contains("<testsuite name=\"from_container_test\" tests=\"6\" failures=\"0\" errors=\"0\""))
      #expect(junit.components(separatedBy: "<testcase ").count == 7)
    }
    let none = try Command.ciliate("test", objects, "--filter", "no such test")
    #expect(none.code == 2)
    #expect(none.complaints.contains("no test of that name"))
  }

  @Test("A packet that is not as expected: the field by name, and the octets")
  func packet() throws {
    try withFolder { folder in
      let object = try compile(
        "wrong_packet",
        Self.head + """
          PKTGEN("tc", "packet") int make(struct __sk_buff *ctx) { PUT_SKB(ctx, syn_to_pod); }
          SETUP("tc", "packet") int setup(struct __sk_buff *ctx) { return 0; }
          CHECK("tc", "packet") int check(struct __sk_buff *ctx)
          {
            EXPECT_PACKET(ctx, "Ether", syn_to_backend);
            return TEST_PASS;
          }
          CHECK("tc", "shorter") int shorter(struct __sk_buff *ctx)
          {
            bpf_skb_change_tail(ctx, 40, 0);
            EXPECT_PACKET(ctx, "Ether", syn_to_backend);
            return TEST_PASS;
          }
          """, in: folder)
      let run = try Command.ciliate("test", object)
      #expect(run.code == 1)
      #expect(run.output.contains("tcp.dport: expected 8080, got 80"), "\(run.output)")
      #expect(run.output.contains("packet assertion syn_to_backend at "))
      #expect(run.output.contains("^^"))
      #expect(
        run.output.contains("expected 54 octets, the packet has 36 from there on; nothing compared"),
        "\(run.output)")
      #expect(run.output.contains("1 objects, 2 tests: 2 fail"))
    }
  }

  @Test("Skipped, in error, and returning nothing that has a meaning")
  func words() throws {
    try withFolder { folder in
      let object = try compile(
        "words",
        Self.head + """
          CHECK("tc", "a_skipped") int skipped(struct __sk_buff *ctx) { return TEST_SKIP; }
          CHECK("tc", "b_error") int error(struct __sk_buff *ctx) { return TEST_ERROR; }
          CHECK("tc", "c_nothing") int nothing(struct __sk_buff *ctx) { return 0; }
          SETUP("tc", "d_setup") int setup(struct __sk_buff *ctx) { return TEST_FAIL; }
          CHECK("tc", "d_setup") int unreached(struct __sk_buff *ctx) { return TEST_PASS; }
          PKTGEN("tc", "e_too_long") int grow(struct __sk_buff *ctx) { return 0; }
          SETUP("tc", "e_too_long") int keep(struct __sk_buff *ctx) { return 0; }
          CHECK("tc", "e_too_long") int unrun(struct __sk_buff *ctx) { return TEST_PASS; }
          """, in: folder)
      let run = try Command.ciliate("test", object)
      #expect(run.code == 1)
      #expect(run.output.contains("1 objects, 5 tests: 1 skipped, 4 error"), "\(run.output)")
      #expect(run.output.contains("check returned 100: error"))
      #expect(run.output.contains("check returned 0: no result (100 error, 101 pass, 102 fail, 103 skip)"))
      #expect(run.output.contains("setup returned 102: fail"))
      // 3520 octets and the verdict before them are more than a test run takes.
      #expect(run.output.contains("check: bpf(BPF_PROG_TEST_RUN) (a frame of 3524 octets)"))
      let skipped = try Command.ciliate("test", object, "--filter", "a_skipped")
      #expect(skipped.code == 0)
    }
  }

  @Test("Small maps are never what a test fails for")
  func mapSizes() throws {
    try withFolder { folder in
      let object = try compile(
        "full",
        Self.head + """
          MAP(many, BPF_MAP_TYPE_HASH, uint32_t, uint32_t, 100, BPF_F_NO_PREALLOC);
          CHECK("tc", "all_entries_fit") int fit(struct __sk_buff *ctx)
          {
            for (uint32_t i = 0; i < 100; i++) {
              uint32_t key = i;

              EXPECT_EQUAL(bpf_map_update_elem(&many, &key, &key, BPF_ANY), 0);
            }
            return TEST_PASS;
          }
          """, in: folder)
      #expect(try Command.ciliate("test", object, "--map-entries", "10").code == 0)
    }
  }

  @Test("A function that programs of other sections call")
  func crossSection() throws {
    try withFolder { folder in
      let object = try compile(
        "calls",
        Self.head + """
          MAP(counts, BPF_MAP_TYPE_ARRAY, uint32_t, uint32_t, 1, 0);
          __attribute__((noinline)) int by_pointer(struct __sk_buff *ctx) { return opaque(ctx->len); }
          PKTGEN("tc", "a") __attribute__((noinline)) int make(struct __sk_buff *ctx)
          {
            uint32_t zero = 0, *count = bpf_map_lookup_elem(&counts, &zero);

            if (count)
              *count += 1;
            if (by_pointer(ctx) == 0)
              return TEST_ERROR;
            PUT_SKB(ctx, arp_request);
          }
          CHECK("tc", "a") int first(struct __sk_buff *ctx)
          {
            EXPECT_EQUAL(ctx->len, 42);
            return TEST_PASS;
          }
          PKTGEN("tc", "b") int again(struct __sk_buff *ctx) { return make(ctx); }
          CHECK("tc", "b") int second(struct __sk_buff *ctx)
          {
            uint32_t zero = 0, *count = bpf_map_lookup_elem(&counts, &zero);

            EXPECT_EQUAL(count ? *count : 0, 2);
            EXPECT_EQUAL(ctx->len, 42);
            return TEST_PASS;
          }
          """, in: folder)
      let run = try Command.ciliate("test", object, "--verbose")
      #expect(run.code == 0, "\(run.output)")
      #expect(run.output.contains("called across sections: make"), "\(run.output)")
      #expect(run.output.contains("1 objects, 2 tests: 2 pass"))
    }
  }

  @Test("What the verifier refuses: an error that ends with its words")
  func refused() throws {
    try withFolder { folder in
      let object = try compile(
        "refused",
        Self.head + """
          CHECK("tc", "reads_nowhere") int nowhere(struct __sk_buff *ctx)
          {
            return *(uint8_t *)(long)ctx->data_end ? TEST_PASS : TEST_FAIL;
          }
          """, in: folder)
      let run = try Command.ciliate("test", object)
      #expect(run.code == 1)
      #expect(run.output.contains("error  refused  not loaded"), "\(run.output)")
      #expect(run.output.contains("pkt_end"), "\(run.output)")
    }
  }

  @Test("No test object: 2, in clear words, and nothing is run")
  func badInput() throws {
    try withFolder { folder in
      let good = try Self.ours.get() + "/identity_test.o"
      let uncheckedObject = try compile(
        "unchecked",
        Self.head + """
          SETUP("tc", "half") int setup(struct __sk_buff *ctx) { return 0; }
          """, in: folder)
      try "hello".write(toFile: "\(folder)/text.o", atomically: true, encoding: .utf8)
      let image = [UInt8](try Data(contentsOf: URL(fileURLWithPath: good)))
      try Data(image[0..<200]).write(to: URL(fileURLWithPath: "\(folder)/cut.o"))
      try FileManager.default.createDirectory(atPath: "\(folder)/empty", withIntermediateDirectories: true)
      for (path, message) in [
        (uncheckedObject, "test half has no check: no program in section tc/test/half/check"),
        ("\(folder)/text.o", "not an ELF file"), ("\(folder)/cut.o", "cut.o"),
        ("\(folder)/missing.o", "missing.o"), ("\(folder)/empty", "the folder holds no object"),
      ] {
        let run = try Command.ciliate("test", good, path)
        #expect(run.code == 2, "\(path)")
        #expect(run.complaints.contains(message), "\(run.complaints)")
        #expect(run.output.isEmpty)
      }
      #expect(try Command.ciliate("test", good, "--jobs", "0").code == 2)
      #expect(try Command.ciliate("test", good, "--map-entries", "0").code == 2)
      #expect(try Command.ciliate("test").code == 2)
    }
  }

  @Test(
    "Cilium's own tests: all pass",
    .enabled(if: Upstream.folder != nil, "CILIATE_CILIUM_TEST_OBJECTS names no folder"))
  func upstream() throws {
    let run = try Command.ciliate("test", try #require(Upstream.folder), "-o", "json")
    #expect(run.code == 0, "\(run.complaints)")
    let tests = try JSONTests(run.output)
    #expect(!tests.all.isEmpty)
    for test in tests.all where test.result != "pass" { Issue.record("\(test.name): \(test.result)") }
  }

  @Test(
    "A control: most of Cilium's tests notice that their setup is left out",
    .enabled(if: Upstream.folder != nil, "CILIATE_CILIUM_TEST_OBJECTS names no folder"))
  func upstreamWithoutSetup() throws {
    let run = try Command.ciliate(
      "test", try #require(Upstream.folder), "--filter", "l2_announcement", "--without", "setup", "-o", "json"
    )
    #expect(run.code == 1)
    #expect(try JSONTests(run.output).names(ending: "pass").isEmpty)
  }
}

/// Cilium's compiled tests, where somebody has them.
private enum Upstream {
  static let folder = ProcessInfo.processInfo.environment["CILIATE_CILIUM_TEST_OBJECTS"]
}

/// The tests of a JSON report.
private struct JSONTests {
  var all: [(name: String, result: String)] = []

  init(_ text: String) throws {
    let document = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
    #expect(document?["schema"] as? String == "ciliate.test/v1")
    for object in document?["objects"] as? [[String: Any]] ?? [] {
      for test in object["tests"] as? [[String: Any]] ?? [] {
        all.append((test["name"] as? String ?? "", test["result"] as? String ?? ""))
      }
    }
  }

  func names(ending result: String) -> [String] { all.filter { $0.result == result }.map(\.name).sorted() }
}
