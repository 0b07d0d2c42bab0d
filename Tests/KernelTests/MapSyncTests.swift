import Datapath
import MapABI
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// The kernel's maps follow the state, and what programs do to them is read back.
  @Suite struct MapSyncTests {
    let image = TwoPods.image(.open)

    @Test(
      "Changes that are applied to the state make it equal the kernel", .needsKernel)
    func changesAreComplete() throws {
      var state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      for step in 0..<3 {
        let result = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
        #expect(result.changes.contains { $0.map == .ct4TCP } == (step == 0) || step > 0)
        #expect(result.changes.contains { $0.map == .metrics && $0.operation == .add })
        state.apply(result.changes)
        #expect(try node.compareMaps(state) == [])
      }
      #expect(state.maps.metrics.values.contains { $0.packets == 3 })
      #expect(state.maps.ct4TCP.count == 2)
    }

    @Test(
      "What a run did is undone when the state does not take it over", .needsKernel)
    func changesAreUndone() throws {
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      let first = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      let second = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(!first.changes.isEmpty)
      #expect(first.changes == second.changes)
      #expect(first.events == second.events)
      #expect(first.verdict == second.verdict)
    }

    @Test("Maps that are not read after each run agree at the end", .needsKernel)
    func conversation() throws {
      var state = NodeState(image)
      var careful = try KernelNode.make(state, objects: .builtin())
      var fast = try KernelNode.make(state, objects: .builtin(), reading: .conversation)
      for port in [UInt16(80), 81, 80, 82] {
        let result = try careful.run(image.attachments[0], on: TwoPods.syn(port: port), state: state)
        let quick = try fast.run(image.attachments[0], on: TwoPods.syn(port: port), state: state)
        #expect(quick.changes.isEmpty)
        #expect(quick.verdict == result.verdict)
        #expect(quick.subject == result.subject)
        #expect(quick.events == result.events)
        state.apply(result.changes)
      }
      #expect(try fast.compareMaps(state) == [])
      // A control: one entry more in the state, and one that differs.
      var entry = CTEntry()
      entry.lifetime = 5
      state.apply([MapChange(put: entry, at: CTTuple4(), in: .ct4TCP)])
      #expect(try fast.compareMaps(state) == [MapChange(delete: CTTuple4(), in: .ct4TCP)])
      try fast.reset(to: state)
      #expect(try fast.compareMaps(state) == [])
    }

    @Test("What the agent changes is sent before the next run", .needsKernel)
    func agentChanges() throws {
      var state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(), state: state).drop == nil)
      let all = PolicyKey(prefixlen: 40, sec_label: 0, egress: 0, protocol: 0, dport: 0)
      state.apply([MapChange(delete: all, in: .policy, endpoint: 102)])
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(), state: state).drop == .policy)
      state.apply([MapChange(put: PolicyEntry(), at: all, in: .policy, endpoint: 102)])
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(), state: state).drop == nil)
      state.apply([MapChange(delete: EndpointKey(TwoPods.server), in: .endpoints)])
      let gone = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(gone.verdict == .pass)
    }

    @Test(
      "An endpoint's new configuration takes effect; one that is gone is not delivered to",
      .needsKernel)
    func endpointChanges() throws {
      var state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      func source(_ result: HookResult) -> UInt32? {
        for case .trace(let notify, _) in result.events { return notify.dst_label }
        return nil
      }
      #expect(
        source(try node.run(image.attachments[0], on: TwoPods.syn(), state: state)) == TwoPods.serverIdentity)
      var configs = image.endpointConfigs
      configs[1].security_label = 10077
      state.reconfigure(attachments: image.attachments, endpointConfigs: configs, changes: [MapChange]())
      #expect(source(try node.run(image.attachments[0], on: TwoPods.syn(), state: state)) == 10077)
      configs.removeLast()
      state.reconfigure(attachments: image.attachments, endpointConfigs: configs, changes: [MapChange]())
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(), state: state).drop == .epNotReady)
    }

    @Test(
      "A node is handed over to another state without loading its programs again",
      .needsKernel)
    func reuse() throws {
      var state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      let first = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      state.apply(first.changes)
      let loaded = node.programs.loadCount
      let other = NodeState(TwoPods.image(.deny))
      try node.reset(to: other)
      #expect(try node.compareMaps(other) == [])
      #expect(try node.run(other.image.attachments[0], on: TwoPods.syn(), state: other).drop == .policyDeny)
      #expect(node.programs.loadCount == loaded)
    }

    @Test("Tables of many entries are filled and read back whole", .needsKernel)
    func manyEntries() throws {
      var image = image
      for index in 0..<UInt32(20_000) {
        let address = IPAddress.v4(IPv4Address(bits: 0x0b00_0000 + index))
        var remote = RemoteEndpointInfo()
        remote.sec_identity = 20_000 + index
        image.maps.ipcache[exactly: IPCacheKey(address)] = remote
      }
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      _ = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      let differences = try node.compareMaps(state).filter { $0.map == .ipcache }
      #expect(differences == [])
      let sample = try #require(node.maps[.ipcache, 0]).readAll()
      #expect(sample.count == 20_002)
    }
  }
}
