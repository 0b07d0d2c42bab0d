import Datapath
import MapABI
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// The first light: one SYN on one node, by our objects and by Cilium's.
  @Suite struct SynTests {
    @Test(
      "A SYN between two pods of one node, in our objects",
      .needsKernel,
      arguments: [TwoPods.Rule.open, .none, .deny])
    func builtin(_ rule: TwoPods.Rule) throws {
      try Self.check(rule, DatapathObjects.builtin())
    }

    @Test(
      "A SYN between two pods of one node, in Cilium's objects",
      .needsKernel, .needsCilium,
      arguments: CiliumFolders.all, [TwoPods.Rule.open, .none, .deny])
    func cilium(_ folder: CiliumFolder, _ rule: TwoPods.Rule) throws {
      try Self.check(rule, folder.objects(["bpf_lxc.o"]), isDual: folder.isDual)
    }

    private static func check(_ rule: TwoPods.Rule, _ objects: DatapathObjects, isDual: Bool = true) throws {
      let image = TwoPods.image(rule, isDual: isDual)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: objects)
      let result = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      switch rule {
      case .open:
        #expect(result.verdict == .redirect(Redirect(ifindex: TwoPods.serverIfindex, mode: .egress)))
        #expect(result.drop == nil)
      case .none:
        #expect(result.verdict == .drop)
        #expect(result.drop == .policy)
      case .deny:
        #expect(result.verdict == .drop)
        #expect(result.drop == .policyDeny)
      }
      #expect(result.subject.frame == Self.delivered)
      let created = result.changes.filter { $0.map == .ct4TCP }
      #expect(created.map(\.operation) == (rule == .open ? [.put, .put] : [.put]))
      let lifetimes = created.map { $0.value(as: CTEntry.self).lifetime }
      #expect(lifetimes.allSatisfy { (1060...1061).contains($0) }, "1000 s and the SYN timeout: \(lifetimes)")
      let dropMetrics = result.changes.filter {
        $0.map == .metrics && $0.key(as: MetricsKey.self).reason >= 130
      }
      #expect(dropMetrics.count == (rule == .open ? 0 : 1))
      #expect(dropMetrics.allSatisfy { $0.operation == .add && $0.value(as: Counters.self).packets == 1 })
    }

    /// What reaches the server's device, also where policy then drops it: MACs rewritten, TTL one less.
    private static let delivered: [UInt8] = {
      var frame = Frames.tcp(
        from: (TwoPods.serverHostMAC, TwoPods.client), to: (TwoPods.serverMAC, TwoPods.server),
        sourcePort: 40000,
        destinationPort: 80, flags: 0x02)
      frame[22] = 63
      frame[24] = 0
      frame[25] = 0
      let sum = Frames.checksum(Array(frame[14..<34]))
      frame[24] = UInt8(sum >> 8)
      frame[25] = UInt8(sum & 0xff)
      return frame
    }()
  }
}
