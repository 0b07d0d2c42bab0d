/// Text whose lines end in `$`, so that trailing spaces show.
func expected(_ lines: String...) -> String {
  lines.map { line in
    line.hasSuffix("$") ? String(line.dropLast()) + "\n" : "a line of the test has no end mark: \(line)"
  }
  .joined()
}
