import TestSupport
import Testing

@testable import Views

@Suite struct TabWriterTests {
  func aligned(_ text: String, minimumWidth: Int = 5, padding: Int = 3) -> String {
    var writer = TabWriter(minimumWidth: minimumWidth, padding: padding)
    writer.write(text)
    return writer.text
  }

  @Test func aColumnIsAsWideAsItsWidestCell() {
    #expect(aligned("a\tb\nccccc\td\n") == expected("a       b$", "ccccc   d$"))
  }

  @Test func minimumWidthCountsPadding() {
    #expect(aligned("a\tb\n", minimumWidth: 8) == expected("a       b$"))
    #expect(aligned("a\tb\n", minimumWidth: 2) == expected("a   b$"))
    #expect(aligned("a\tb\n", minimumWidth: 0, padding: 1) == expected("a b$"))
  }

  @Test func closedCellsArePaddedAndTrailingTextIsNot() {
    #expect(aligned("TITLE\tSECOND TITLE\nk\tv\t\n") == expected("TITLE   SECOND TITLE$", "k       v    $"))
  }

  @Test func aLineWithFewerCellsEndsTheColumn() {
    // The example of the package's documentation: the two b columns have widths of their own.
    #expect(
      aligned("aaaa\tbbb\td\naa\tb\tdd\na\t\naa\tcccc\teee\n", minimumWidth: 0, padding: 1)
        == expected("aaaa bbb d$", "aa   b   dd$", "a    $", "aa   cccc eee$"))
    #expect(aligned("a\tb\nplain\nlonger\tb\n") == expected("a    b$", "plain$", "longer   b$"))
  }

  @Test func emptyColumnsKeepTheMinimumWidth() {
    #expect(aligned("\t\tx\n") == expected("          x$"))
    #expect(aligned("\n\n") == "\n\n")
    #expect(aligned("") == "")
  }

  @Test func widthIsCountedInScalars() {
    #expect(aligned("äöü\tx\nabc\ty\n") == expected("äöü   x$", "abc   y$"))
    #expect(aligned("e\u{301}\tx\nabc\ty\n") == expected("e\u{301}    x$", "abc   y$"))
  }

  @Test func anUnfinishedLineIsKept() {
    #expect(aligned("a\tb") == "a    b")
    // The text before the last tab is no cell as long as nothing follows it.
    #expect(aligned("a\tb\t") == "a    b")
    #expect(aligned("a") == "a")
    #expect(aligned("a\t") == "a")
  }

  @Test func verticalTabAndFormFeed() {
    #expect(aligned("a\u{0b}b\n") == "a    b\n")
    #expect(aligned("a\tb\u{0c}longer\tb\n") == expected("a    b$", "longer   b$"))
  }

  @Test func textsOfOneWriterDoNotDependOnPortions() {
    let text = "ID\tLABELS\n1\treserved:host\n\tk8s:a=b\n16777217\tcidr:1.1.1.1/32\n"
    var writer = TabWriter(minimumWidth: 2)
    for character in text { writer.write(String(character)) }
    #expect(writer.text == aligned(text, minimumWidth: 2))
  }

  /// The widths by the definition: the run of lines around a line that have the cell, computed line by line.
  @Test func agreesWithTheDefinition() {
    var random = SplitMix64(seed: 7)
    for _ in 0..<300 {
      let lines = (0..<Int.random(in: 0..<12, using: &random)).map { _ in
        (0...Int.random(in: 0..<5, using: &random)).map { _ in
          String(repeating: "x", count: Int.random(in: 0..<9, using: &random))
        }
      }
      var text = ""
      for (index, line) in lines.enumerated() {
        for (column, cell) in line.dropLast().enumerated() {
          var width = 5
          var first = index
          while first > 0, lines[first - 1].count - 1 > column { first -= 1 }
          while first < lines.count, lines[first].count - 1 > column {
            width = max(width, lines[first][column].count + 3)
            first += 1
          }
          text += cell + String(repeating: " ", count: width - cell.count)
        }
        text += line[line.count - 1] + "\n"
      }
      #expect(aligned(lines.map { $0.joined(separator: "\t") + "\n" }.joined()) == text)
    }
  }

  @Test func aHundredThousandCellsInALine() {
    let text = aligned(String(repeating: "\t", count: 100_000) + "\n")
    #expect(text.utf8.count == 500_001)
  }
}
