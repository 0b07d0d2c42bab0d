/// Finds a small part of a list that still does something.
///
/// Source: Zeller, Hildebrandt, "Simplifying and isolating failure-inducing input", 2002 (ddmin, complements only:
/// parts of a case seldom show anything without the rest).
public enum DeltaDebugging {
  /// - Parameters:
  ///   - items: what is to become less; `isStillSo(items)` is taken for granted.
  ///   - isStillSo: whether what remains still shows what is looked for.
  /// - Returns: a part of `items`, in their order, from which no single item can be taken away.
  public static func minimize<T>(_ items: [T], while isStillSo: ([T]) -> Bool) -> [T] {
    var items = items
    var chunk = max(items.count / 2, 1)
    while !items.isEmpty {
      var hasShrunk = false
      // From the end: what comes later hangs on what comes before it more often than the reverse.
      var end = items.count
      while end > 0 {
        let start = max(end - chunk, 0)
        let rest = Array(items[..<start] + items[end...])
        if isStillSo(rest) {
          items = rest
          hasShrunk = true
        }
        end = start
      }
      if chunk > 1 {
        chunk = chunk / 2
      } else if !hasShrunk {
        break
      }
    }
    return items
  }
}
