import Testing

@testable import ControlPlane

@Suite("Numbers") struct NumbersTests {
  /// Computed by another program from the definition in docs/NUMBERS.md.
  @Test func theFunctionIsTheOneWrittenDown() {
    #expect(Numbers.hash("", "") == 13_331_581_593_930_102_267)
    #expect(Numbers.hash("identity", "a") == 12_030_093_635_714_667_841)
    #expect(Numbers.hash("endpoint", "default/web") == 8_211_747_128_499_652_125)
    #expect(Numbers.suffix("pod", "x", length: 5) == "c8427")
    #expect(Numbers.lxcName("n1/default/web") == "lxc28c8a084aefc")
  }

  @Test func lxcNamesKeepTheirLength() {
    for index in 0..<5000 {
      let name = Numbers.lxcName("\(index)")
      guard name.utf8.count == 15 else {
        Issue.record("\(name) of \(index)")
        return
      }
    }
  }

  @Test func hardwareAddressesAreLocalAndUnicast() {
    for index in 0..<1000 { #expect(Numbers.macBits("mac", "\(index)") >> 40 & 3 == 2) }
  }

  @Test func oneMoreNameRenumbersNoOther() {
    let names = (0..<400).map { "pod-\($0)" }
    var few = NumberSpace("endpoint", 1...65_535)
    var many = NumberSpace("endpoint", 1...65_535)
    for name in names { _ = few.number(for: name) }
    for name in names + ["one-more"] { _ = many.number(for: name) }
    #expect(names.allSatisfy { few.numbers[$0] == many.numbers[$0] })
  }

  @Test func takenNumbersArePassedBy() {
    var space = NumberSpace("x", 10...13)
    let numbers = ["a", "b", "c", "d"].compactMap { space.number(for: $0) }
    #expect(numbers.sorted() == [10, 11, 12, 13])
    #expect(numbers.first == 10 + Numbers.hash("x", "a") % 4)
    let fifth = space.number(for: "e")
    #expect(fifth == nil)
    space.release("b")
    let later = space.number(for: "e")
    #expect(later == numbers[1] && space.numbers["a"] == numbers[0])
  }

  @Test func pinsWin() {
    var space = NumberSpace("x", 1...100)
    let drawn = space.number(for: "a")
    let isPinned = space.pin("b", to: drawn ?? 0)
    let redrawn = space.number(for: "a")
    #expect(isPinned && redrawn != drawn && space.numbers["b"] == drawn)
    let isPinnedTwice = space.pin("c", to: drawn ?? 0)
    #expect(!isPinnedTwice)
  }
}
