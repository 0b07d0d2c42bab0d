import Datapath
import MapABI
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// Nodes that one scenario is done with, in the next.
  @Suite struct PoolTests {
    private let image = TwoPods.image(.open)

    private func forecast(_ image: MapImage) throws -> ProgramForecast {
      let state = NodeState(image)
      let forecast = ProgramForecast()
      let input = TwoPods.syn()
      forecast.observe(
        Hop(
          time: .start, node: image.node, attachment: image.attachments[0], input: input,
          result: try Model().run(image.attachments[0], on: input, state: state), position: 0), state: state)
      forecast.conversationEnded(on: state)
      return forecast
    }

    /// Runs a SYN on a cluster of its own.
    private func run(_ image: MapImage, _ pool: KernelNodePool) throws -> HookResult {
      var cluster = KernelCluster(objects: try .builtin(), forecast: try forecast(image), pool: pool)
      let state = NodeState(image)
      return try cluster.run(image.attachments[0], on: TwoPods.syn(), state: state)
    }

    @Test("The second scenario loads nothing anew, and finds nothing of the first", .needsKernel)
    func again() throws {
      let pool = KernelNodePool()
      let first = try run(image, pool)
      #expect(pool.loads == [2])
      try #require(first.changes.contains { $0.map == .ct4TCP && $0.operation == .put })
      let second = try run(image, pool)
      #expect(pool.loads == [2])
      #expect(second.verdict == first.verdict)
      #expect(second.subject == first.subject)
      #expect(second.changes == first.changes)
      #expect(second.events.count == first.events.count)
    }

    @Test("Other policies and another pod on the same node: what can be used again is", .needsKernel)
    func others() throws {
      let pool = KernelNodePool()
      _ = try run(image, pool)
      var other = TwoPods.image(.deny)
      #expect(try run(other, pool).drop == .policyDeny)
      #expect(pool.loads == [2])
      other.endpointConfigs[1].security_label += 1
      #expect(try run(other, pool).drop == .policyDeny)
      #expect(pool.loads == [3])
    }

    @Test("A node whose device has another address, or whose maps are too small, is left alone", .needsKernel)
    func unfit() throws {
      let pool = KernelNodePool()
      _ = try run(image, pool)
      var moved = image
      moved.attachments[1].config.interface_mac.a5 ^= 1
      moved.attachments[0].config.interface_mac.a5 ^= 1
      _ = try run(moved, pool)
      #expect(pool.loads == [2, 2])
      var large = image
      for index in 0..<5000 {
        large.maps.ipcache[exactly: IPCacheKey(.v4(.init(bits: 0x0b00_0000 + UInt32(index))))] =
          RemoteEndpointInfo()
      }
      _ = try run(large, pool)
      #expect(pool.loads == [2, 2, 2])
    }

    @Test("Maps that the model does not know are emptied", .needsKernel)
    func unmodelled() throws {
      let pool = KernelNodePool()
      _ = try run(image, pool)
      let slot = try #require(pool.slots.first)
      let map = try #require(
        slot.node.maps.unmodelled.first {
          $0.shape.isSizable && $0.shape.flags & MapShape.readOnlyOrMapped == 0
        })
      let key = [UInt8](repeating: 7, count: map.shape.keySize)
      try map.update(key, [UInt8](repeating: 7, count: map.shape.transferSize))
      #expect(try map.readAll().count == 1)
      _ = try run(image, pool)
      #expect(try map.readAll().count == 0)
    }
  }
}

extension KernelNodePool {
  /// How many objects each of the idle nodes has loaded.
  fileprivate var loads: [Int] { slots.map { $0.node.programs.loadCount } }
}
