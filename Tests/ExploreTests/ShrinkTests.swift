import Explore
import Testing

@Suite struct ShrinkTests {
  @Test func deltaDebuggingFindsTheTwoThatMatter() {
    var runs = 0
    let kept = DeltaDebugging.minimize(Array(0..<64)) { items in
      runs += 1
      return items.contains(17) && items.contains(40)
    }
    #expect(kept == [17, 40])
    #expect(runs < 200)
  }

  @Test func deltaDebuggingOfWhatNeedsNothing() {
    #expect(DeltaDebugging.minimize([1, 2, 3]) { _ in true } == [])
    #expect(DeltaDebugging.minimize([Int]()) { _ in true } == [])
  }

  /// A case becomes the one policy entry, the one field and the one step that show the difference.
  @Test func aCaseBecomesSmall() throws {
    let difference = Difference(.intent, "wrong")
    let deny = Document(
      head: ["kind: CiliumNetworkPolicy"],
      lists: [
        Document.List("ingress", [["fromEntities: [all]"], ["fromEntities: [world]", "toPorts: []"]]),
        Document.List("egress", [["toEntities: [all]"]]),
      ])
    let other = Document(head: ["kind: Pod"])
    let original = Case(
      name: "t", seed: 1, nodes: 3, settings: [Case.Setting("{a: b}"), Case.Setting("{c: d}")],
      documents: [other, deny, other],
      steps: [.other("probe: a"), .delete(deny), .other("probe: b"), .apply(deny), .other("probe: c")])
    var shrinker = CaseShrinker(difference) { subject in
      let isThere = subject.steps.contains { step in
        guard case .apply(let document) = step else { return false }
        return document.lists.contains { $0.entries.contains { $0.contains("toPorts: []") } }
      }
      return isThere && subject.settings.contains(Case.Setting("{c: d}")) ? [difference] : []
    }
    let smallest = shrinker.shrink(original)
    #expect(smallest.nodes == 1)
    #expect(smallest.settings == [Case.Setting("{c: d}")])
    #expect(smallest.documents == [])
    let expected = Document(
      head: ["kind: CiliumNetworkPolicy"],
      lists: [Document.List("ingress", [["toPorts: []"]]), Document.List("egress", [])])
    #expect(smallest.steps == [.apply(expected)])
  }

  @Test func shrinkingEndsAtItsLimit() {
    let steps = (0..<40).map { Case.Step.other("probe: \($0)") }
    var shrinker = CaseShrinker(Difference(.intent, "x"), limit: 5) { _ in [] }
    _ = shrinker.shrink(Case(name: "t", seed: 1, nodes: 1, steps: steps))
    #expect(shrinker.trials == 5)
  }

  @Test func oneKindOfMessageIsOneDifference() {
    let a = Trial.difference(.intent, "the manifests mean delivery (rule a (f.yaml:3:1)), 10.0.0.1 timed out")
    let b = Trial.difference(.intent, "the manifests mean delivery (rule b), 10.22.0.7 timed out")
    #expect(a == b)
    #expect(a != Trial.difference(.intent, "the manifests mean a drop, 10.0.0.1 timed out"))
  }
}
