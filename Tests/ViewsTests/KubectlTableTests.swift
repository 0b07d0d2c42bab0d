import Testing
import Views

@Suite struct KubectlTableTests {
  let table = KubectlTable(
    columns: [
      .init("Name"), .init("Security Identity"), .init("Ingress Enforcement", isWide: true), .init("IPv4"),
    ],
    rows: [
      ["nginx-0", "4437", "false", "10.244.2.127"], ["a\nb", "1\u{1b}[0m", "true", ""], ["short"],
      ["more", "2", "x", "y", "beyond"],
    ])

  @Test func narrow() {
    #expect(
      table.text()
        == expected(
          "NAME      SECURITY IDENTITY   IPV4$", "nginx-0   4437                10.244.2.127$",
          "a...      1^[[0m              $", "short                         $",
          "more      2                   y$"))
  }

  @Test func wideAndWithoutHeaders() {
    #expect(
      KubectlTable(columns: table.columns, rows: [table.rows[0]]).text(wide: true, headers: false)
        == expected("nginx-0   4437   false   10.244.2.127$"))
    #expect(
      KubectlTable(columns: [.init("A"), .init("B")], rows: [["x", "y"]]).text()
        == expected("A     B$", "x     y$"))
    #expect(KubectlTable(columns: table.columns).text() == "")
  }

  @Test(
    arguments: [
      (.min, "<invalid>"), (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"),
      (599, "9m59s"), (600, "10m"),
      (10799, "179m"), (10800, "3h"), (10860, "3h1m"), (28800, "8h"), (106_553, "29h"), (172_800, "2d"),
      (176_400, "2d1h"), (691_200, "8d"), (63_071_999, "729d"), (63_072_000, "2y"), (63_158_400, "2y1d"),
      (252_288_000, "8y"), (.max, "292471208677y"),
    ] as [(Int64, String)])
  func ages(_ seconds: Int64, _ text: String) {
    #expect(KubectlTable.age(seconds: seconds) == text)
  }
}
