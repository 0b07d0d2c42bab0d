public import Runner

/// Colours, where the terminal has them.
public struct TextStyle: Sendable {
  public var isColoured: Bool

  public static let plain = TextStyle(isColoured: false)
  public static let coloured = TextStyle(isColoured: true)

  func bold(_ text: String) -> String { wrap("1", text) }
  func bad(_ text: String) -> String { wrap("31", text) }

  public func result(_ word: ResultWord) -> String {
    switch word {
    case .pass: wrap("32", word.rawValue)
    case .skipped: wrap("33", word.rawValue)
    case .unmodelled, .fail, .differs, .error: wrap("31", word.rawValue)
    }
  }

  private func wrap(_ code: String, _ text: String) -> String {
    isColoured ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
