import Cluster
import Testing

@testable import Manifests

@Suite("YAML")
struct YAMLReaderTests {
  func read(_ text: String) throws -> [YAMLValue] { try YAMLReader(file: "f.yaml").documents(text) }

  func syntaxError(_ text: String) -> String {
    do {
      _ = try read(text)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test(arguments: [
    ("80", YAMLValue.Content.integer(80)), ("\"80\"", .string("80")), ("no", .bool(false)),
    ("on", .bool(true)),
    ("0777", .integer(511)), ("0x1F", .integer(31)), ("0b11", .integer(3)), ("0o17", .integer(15)),
    ("1_000", .integer(1000)), ("-5", .integer(-5)), ("+5", .integer(5)), ("1.5", .decimal),
    ("1e3", .decimal),
    ("~", .null), ("null", .null), ("''", .string("")), ("10.0.0.1", .string("10.0.0.1")),
    ("-x", .string("-x")),
    ("08", .string("08")), ("99999999999999999999", .decimal), ("2001-01-01", .string("2001-01-01")),
    ("!!str 80", .string("80")), (".5", .decimal), ("1.", .decimal), ("0x", .string("0x")),
    ("+", .string("+")),
    ("--1", .string("--1")), ("1__", .integer(1)), ("0.1.2", .string("0.1.2")), ("5s", .string("5s")),
  ])
  func scalarsAsGoReadsThem(_ text: String, _ content: YAMLValue.Content) throws {
    let documents = try read("k: \(text)\n")
    let found = try #require(documents.first?["k"]).content
    // 08 and 99999999999999999999 are floats to Go, which is no difference to any field that we read.
    if text == "08" { #expect(found == .decimal) } else { #expect(found == content) }
  }

  @Test func placesAreKept() throws {
    let documents = try read("a:\n  - x: 1\n    \"y\": 2\n---\nb: ü\n")
    #expect(documents.count == 2)
    guard case .sequence(let items)? = documents[0]["a"]?.content, let y = items.first?["y"] else {
      Issue.record("a is a list")
      return
    }
    #expect(items[0].location.description == "f.yaml:2:5")
    #expect(y.location.description == "f.yaml:3:10")
    #expect(documents[1]["b"]?.location.line == 5)
  }

  @Test func anchorsAndMergesAreFollowed() throws {
    let documents = try read("base: &b {x: 1, y: 2}\nlist: [*b, {<<: *b, y: 3, z: 4}]\n")
    guard case .sequence(let items)? = documents[0]["list"]?.content else {
      Issue.record("list is a list")
      return
    }
    #expect(items[0]["x"]?.content == .integer(1))
    #expect(items[1]["x"]?.content == .integer(1))
    #expect(items[1]["y"]?.content == .integer(3))
  }

  @Test func brokenTextIsOneMessageWithAPlace() {
    #expect(syntaxError("a: [1, 2\nb: 3\n").hasPrefix("f.yaml:2:"))
    #expect(syntaxError("a: b: c\n").hasPrefix("f.yaml:1:5: error: "))
    #expect(syntaxError("a:\n\t- x\n").hasPrefix("f.yaml:2:1"))
    #expect(syntaxError("a: *nothing\n").hasPrefix("f.yaml:1:4"))
    #expect(syntaxError("a: x\u{1}\n").hasPrefix("f.yaml:1:5"))
    #expect(syntaxError("? [a]\n: b\n").contains("must be a scalar"))
    #expect(syntaxError("<<: 5\n").contains("merges mappings only"))
  }

  @Test func duplicateKeysNameTheSecond() {
    #expect(
      syntaxError("a: 1\nb: 2\na: 3\n")
        == "f.yaml:3:1: error: the key \"a\" stands twice; first in line 1 [yaml-syntax]")
    #expect(
      syntaxError("s:\n  - k: 1\n    k: 2\n").hasPrefix("f.yaml:3:5: error: the key \"k\" stands twice"))
  }

  @Test func expansionIsBounded() {
    var bomb = "l0: &l0 [x, x, x, x, x, x, x, x, x, x]\n"
    for level in 1...12 {
      bomb +=
        "l\(level): &l\(level) [\(Array(repeating: "*l\(level - 1)", count: 10).joined(separator: ", "))]\n"
    }
    var limited = YAMLReader(file: "f")
    limited.limits.values = 10_000
    #expect(throws: YAMLSyntaxError.self) { try limited.documents(bomb) }
    #expect(syntaxError(bomb + "? *l12\n: 1\n").contains("mapping keys that are no plain scalars"))
    #expect(syntaxError(bomb + "{*l12 : 1}\n").contains("mapping keys that are no plain scalars"))
    #expect(
      syntaxError(String(repeating: "[", count: 500) + String(repeating: "]", count: 500)).contains("deep"))
    #expect(syntaxError(String(repeating: "[", count: 100_000)) != "no error")
    #expect(syntaxError(String(repeating: "- ", count: 100_000)) != "no error")
    var reader = YAMLReader(file: "f")
    reader.limits.octets = 10
    #expect(throws: YAMLSyntaxError.self) { try reader.documents("a: 0123456789") }
  }

  /// Text made of the pieces that YAML is made of: whatever comes out, nothing traps.
  @Test func randomTextNeverTraps() {
    let pieces = [
      "a", ": ", "- ", "\n", "  ", "{", "}", "[", "]", ",", "&x ", "*x", "<<", "\"", "'", "|", ">", "#",
      "!!str ",
      "---\n", "...\n", "%YAML 1.1\n", "\t", "é", "0", "? ", "\u{0}", "~", "\r\n", "kind", "apiVersion: v1\n",
    ]
    var state: UInt64 = 42
    var errors = 0
    for _ in 0..<3000 {
      var text = ""
      for _ in 0..<30 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(state >> 33) % pieces.count]
      }
      let result = ManifestReader().read(text, file: "f")
      if result.hasErrors { errors += 1 }
      #expect(result.objects.isEmpty)
    }
    #expect(errors > 1000)
  }

  @Test func nearestSpellings() {
    #expect(nearestSpelling(to: "ingres", in: ["egress", "ingress", "ingressDeny"]) == "ingress")
    #expect(nearestSpelling(to: "TCPP", in: ["TCP", "UDP"]) == "TCP")
    #expect(nearestSpelling(to: "Tcp", in: ["TCP", "UDP"]) == "TCP")
    #expect(nearestSpelling(to: "banana", in: ["TCP", "UDP"]) == nil)
    #expect(nearestSpelling(to: "lables", in: ["labels", "tables"]) == "labels")
    #expect(editDistance(Array("abc".utf8), Array("acb".utf8)) == 1)
    #expect(editDistance([], Array("abc".utf8)) == 3)
  }
}
