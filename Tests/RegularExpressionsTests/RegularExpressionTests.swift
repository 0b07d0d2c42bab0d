import RegularExpressions
import Testing

@Suite struct RegularExpressionTests {
  @Test func wholeTexts() throws {
    let rows: [(String, matches: [String], not: [String])] = [
      ("/index.html", ["/index.html", "/indexxhtml"], ["/index.html?x", "x/index.html", ""]),
      (
        "/api/v1/public/.*", ["/api/v1/public/", "/api/v1/public/a/b"],
        ["/api/v1/public", "/api/v1/private/"]
      ),
      ("GET|HEAD", ["GET", "HEAD"], ["GETHEAD", "GE", "POST"]),
      ("^/a$", ["/a"], ["/a/", "a"]),
      ("[a-c]+[^0-9]", ["abx", "a-"], ["ab1", "x"]),
      ("[[:alpha:]_-]*", ["a_b-c", ""], ["a1"]),
      ("[]a]+", ["]a]"], ["b"]),
      ("\\d{2,3}", ["12", "123"], ["1", "1234", "ab"]),
      ("a{,2}", ["a{,2}"], ["a"]),
      ("a{2}", ["aa"], ["a", "aaa"]),
      ("(?i)get", ["GET", "get", "gEt"], ["git"]),
      ("(?i:g)et", ["Get"], ["GET"]),
      ("(?:ab)*c??", ["", "abab", "ababc"], ["aba"]),
      ("(?P<name>x)y", ["xy"], ["x"]),
      (".", ["x", "ü"], ["", "\n", "xy"]),
      ("(?s).", ["\n"], [""]),
      ("\\Qa.b\\E.", ["a.bc"], ["axbc"]),
      ("\\x41\\x{42}\\.\\/", ["AB./"], ["AB"]),
      ("\\bfoo\\b", ["foo"], ["foos"]),
      ("[^\\w]", ["-"], ["a", "_"]),
      ("[\\D]", ["a"], ["1"]),
      ("", [""], ["a"]),
      ("a||b", ["a", "", "b"], ["ab"]),
    ]
    for (pattern, matches, not) in rows {
      let expression = try RegularExpression(pattern)
      for text in matches { #expect(expression.matchesWhole(text), "\(pattern) on \(text)") }
      for text in not { #expect(!expression.matchesWhole(text), "\(pattern) on \(text)") }
    }
  }

  @Test func whatIsNoExpression() {
    let patterns = [
      "(", ")", "a)", "[", "[a", "[b-a]", "*", "a**", "+a", "\\", "a{1001}", "a{3,2}", "\\y", "(?=a)",
      "(?!a)",
      "\\1", "(?P<x", "[[:what:]]", "\\pL", "(?z)", "(a{1000}){1000}", "((((){1000}){1000}){1000}){1000}",
      String(repeating: "(", count: 5000) + String(repeating: ")", count: 5000),
    ]
    for pattern in patterns {
      #expect(throws: RegularExpression.SyntaxError.self, "\(pattern.prefix(40))") {
        try RegularExpression(pattern)
      }
    }
  }

  /// Where a back-tracking matcher would take longer than the world has been there.
  @Test func noExpressionIsSlow() throws {
    let text = String(repeating: "a", count: 3000)
    for pattern in ["(a*)*b", "(a|aa)+b", "(a?){500}a{500}b", "(.*)(.*)(.*)(.*)[b]"] {
      #expect(try !RegularExpression(pattern).matchesWhole(text))
    }
    let many = (0..<2000).map { "path\($0)" }.joined(separator: "|")
    #expect(try RegularExpression(many).matchesWhole("path1999"))
  }

  @Test func noTextTraps() {
    var generator = SplitMix(state: 7)
    let alphabet = Array("()[]{}|*+?\\^$.-,:<>=!iPQExpdw0189ab")
    for _ in 0..<20_000 {
      let pattern = String(
        (0..<Int.random(in: 0...12, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        })
      if let expression = try? RegularExpression(pattern) { _ = expression.matchesWhole("a0b-") }
    }
  }
}

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
