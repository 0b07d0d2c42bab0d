import Conformance
import Datapath
import Kernel

/// Runs every hop in the kernel too, and compares: verdict, packet, metadata and events; the maps only when asked,
/// since reading them back takes longer than the hop.
struct KernelWitness: HopObserver, ~Copyable {
  private var cluster: KernelCluster
  private(set) var agreement = Agreement()
  private let comparison = Comparison(foreign: false)
  private let comparesMaps: Bool

  init(_ objects: DatapathObjects, comparesMaps: Bool) {
    self.comparesMaps = comparesMaps
    cluster = KernelCluster(objects: objects, reading: comparesMaps ? .everyHop : .conversation)
  }

  mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState) {
    do {
      let other = try cluster.run(hop.attachment, on: hop.input, state: state)
      var seen = copy hop
      if !comparesMaps { seen.result.changes = [] }
      comparison.compare(seen, with: other, into: &agreement)
    } catch {
      agreement.countNotRun("\(error)")
    }
  }
}
