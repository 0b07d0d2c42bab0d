import Datapath
import TestSupport
import Testing

@testable import Simulator

struct EventQueueTests {
  @Test("Events come by time, and at one time in the order of scheduling")
  func order() {
    var random = SplitMix64(seed: 7)
    var queue = EventQueue<Int>()
    var expected: [(time: UInt64, number: Int)] = []
    for number in 0..<500 {
      let time = random.next() % 20
      expected.append((time, number))
      queue.schedule(number, at: Instant.start + .microseconds(time))
    }
    expected.sort { ($0.time, $0.number) < ($1.time, $1.number) }
    var seen: [Int] = []
    while let (_, event) = queue.next() { seen.append(event) }
    #expect(seen == expected.map(\.number))
    #expect(queue.isEmpty)
  }
}
