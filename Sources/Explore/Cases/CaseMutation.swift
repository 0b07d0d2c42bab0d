extension CaseGenerator {
  /// A case like another one: some of its parts exchanged for, or joined by, those of a case drawn from `seed`.
  ///
  /// What led somewhere new often leads further; what is new comes from the other case.
  public static func variation(of original: Case, seed: UInt64) -> Case {
    var other = make(seed: seed)
    var random = SplitMix64(seed: seed ^ 0x5eed)
    var result = original
    result.seed = seed
    switch random.below(4) {
    case 0: result.settings = other.settings
    case 1:
      // Policies come with names of their own, so that none takes another's place.
      let policies = other.documents.filter {
        !$0.lists.isEmpty || $0.head.contains { $0.contains("Policy") }
      }
      if let policy = random.pick(policies) {
        result.steps.insert(
          .apply(policy.renamed("varied-\(seed % 1000)")), at: random.below(result.steps.count + 1))
      }
    case 2: result.steps.swapAt(random.below(result.steps.count), random.below(result.steps.count))
    default: other.steps.shuffle(using: &random)
    }
    // Probes of the other case find the same names, as there are few.
    let probes = other.steps.filter {
      if case .other(let text) = $0 { text.hasPrefix("probe") } else { false }
    }
    result.steps += probes.prefix(4)
    return result
  }
}

extension Document {
  fileprivate func renamed(_ name: String) -> Document {
    var result = self
    result.head = head.map { line in
      guard line.hasPrefix("metadata: {name: policy-"),
        let end = line.firstIndex(where: { $0 == "," || $0 == "}" })
      else { return line }
      return "metadata: {name: \(name)" + line[end...]
    }
    return result
  }
}
