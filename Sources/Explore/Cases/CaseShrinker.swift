/// Makes a case small while it keeps showing a difference.
public struct CaseShrinker {
  private let difference: Difference
  private let isStillSo: (Case) -> Bool
  /// How many runs it took.
  public private(set) var trials = 0
  private let limit: Int

  /// - Parameters:
  ///   - limit: after so many runs the smallest case until then is what is returned.
  ///   - run: what a case shows.
  public init(_ difference: Difference, limit: Int = 2_000, run: @escaping (Case) -> [Difference]) {
    self.difference = difference
    self.limit = limit
    isStillSo = { run($0).contains(difference) }
  }

  /// The smallest case that was found: taking any single part away loses the difference.
  public mutating func shrink(_ original: Case) -> Case {
    var smallest = original
    while true {
      let before = smallest
      shrink(\.steps, of: &smallest)
      shrink(\.documents, of: &smallest)
      shrinkDocuments(&smallest)
      shrink(\.settings, of: &smallest)
      shrinkNodes(&smallest)
      if smallest == before || trials >= limit { return smallest }
    }
  }

  private mutating func check(_ candidate: Case) -> Bool {
    guard trials < limit else { return false }
    trials += 1
    return isStillSo(candidate)
  }

  private mutating func shrink<T>(_ part: WritableKeyPath<Case, [T]>, of subject: inout Case) {
    let whole = subject
    subject[keyPath: part] = DeltaDebugging.minimize(whole[keyPath: part]) { items in
      var candidate = whole
      candidate[keyPath: part] = items
      return check(candidate)
    }
  }

  /// Entries of policies, then fields of entries. A policy that steps apply and delete stays one policy.
  private mutating func shrinkDocuments(_ subject: inout Case) {
    for document in subject.allDocuments {
      var document = document
      for list in document.lists.indices {
        document = shrink(document, list, of: &subject)
      }
    }
  }

  private mutating func shrink(_ document: Document, _ list: Int, of subject: inout Case) -> Document {
    var document = document
    /// Keeps what can be kept of the candidates for `part`, and returns it.
    func reduce<T>(_ items: [T], _ put: (inout Document, [T]) -> Void) {
      let (whole, old) = (subject, document)
      func replaced(_ items: [T]) -> (Document, Case) {
        var new = old
        put(&new, items)
        return (new, whole.replacing(old, by: new))
      }
      let fewer = DeltaDebugging.minimize(items) { check(replaced($0).1) }
      (document, subject) = replaced(fewer)
    }
    reduce(document.lists[list].entries) { $0.lists[list].entries = $1 }
    for entry in document.lists[list].entries.indices where document.lists[list].entries[entry].count > 1 {
      reduce(document.lists[list].entries[entry]) { $0.lists[list].entries[entry] = $1 }
    }
    return document
  }

  private mutating func shrinkNodes(_ subject: inout Case) {
    while subject.nodes > 1 {
      var candidate = subject
      candidate.nodes -= 1
      guard check(candidate) else { return }
      subject = candidate
    }
  }
}

extension Case {
  /// Each document once, in order of appearance.
  fileprivate var allDocuments: [Document] {
    var result = documents
    for case .apply(let document) in steps where !result.contains(document) { result.append(document) }
    for case .delete(let document) in steps where !result.contains(document) { result.append(document) }
    return result
  }

  fileprivate func replacing(_ old: Document, by new: Document) -> Case {
    var result = self
    result.documents = documents.map { $0 == old ? new : $0 }
    result.steps = steps.map { step in
      switch step {
      case .apply(old): .apply(new)
      case .delete(old): .delete(new)
      default: step
      }
    }
    return result
  }
}
