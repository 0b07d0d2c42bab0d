import Datapath
import MapABI
import Testing
import TwoPods

@testable import Kernel

extension KernelSuite {
  @Suite struct ForecastTests {
    private let image = TwoPods.image(.open)

    /// What the model alone makes of the client's SYN.
    private func forecast(_ state: borrowing NodeState) throws -> ProgramForecast {
      let model = Model()
      let attachment = image.attachments[0]
      let input = TwoPods.syn()
      let result = try model.run(attachment, on: input, state: state)
      let forecast = ProgramForecast()
      forecast.observe(
        Hop(
          time: .start, node: image.node, attachment: attachment, input: input, result: result,
          position: state.position), state: state)
      return forecast
    }

    @Test("A forecast names the client's program and the server's policy stage, and nothing else")
    func names() throws {
      let node = try #require(try forecast(NodeState(image)).nodes.first)
      #expect(node.image.node == image.node)
      #expect(node.attachments.map(\.ifindex) == [TwoPods.clientIfindex])
      #expect(node.endpoints.map(\.endpoint_id) == [102])
    }

    @Test(
      "What was forecast is loaded before the first packet, and the packet needs nothing more", .needsKernel)
    func loads() throws {
      let state = NodeState(image)
      let forecast = try #require(try forecast(state).nodes.first)
      var node = try KernelNode.make(state, objects: .builtin())
      try node.preload(state, forecast.attachments, forecast.endpoints)
      #expect(node.programs.loadCount == 2)
      let result = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(node.programs.loadCount == 2)
      var unprepared = try KernelNode.make(state, objects: .builtin())
      let other = try unprepared.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(result.verdict == other.verdict)
      #expect(result.subject == other.subject)
      #expect(result.changes == other.changes)
    }

    @Test("A policy stage that was loaded ahead is put in when its endpoint comes", .needsKernel)
    func later() throws {
      let server = try #require(image.endpointConfig(102))
      var state = NodeState(image)
      state.reconfigure(
        attachments: nil, endpointConfigs: image.endpointConfigs.filter { $0.endpoint_id != 102 },
        changes: [MapChange]())
      var node = try KernelNode.make(state, objects: .builtin())
      try node.preload(state, [image.attachments[0]], [server])
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(), state: state).drop == .epNotReady)
      state.reconfigure(
        attachments: nil, endpointConfigs: image.endpointConfigs, changes: [MapChange]())
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(), state: state).drop == nil)
      #expect(node.programs.loadCount == 2)
    }

    @Test("Maps are made for what is forecast, and for more where nothing is")
    func sizes() throws {
      let state = NodeState(image)
      let forecast = try forecast(state)
      forecast.conversationEnded(on: state)
      let sizes = try #require(forecast.nodes.first).sizes
      #expect(sizes[.endpoints, 0] == 2 && sizes[.policy, 102] == 2 && sizes[.policy, 103] == 0)
      let room = MapRoom(forecast: sizes)
      let trie = MapShape(type: 11, keySize: 12, valueSize: 12, maxEntries: 1, flags: 1)
      #expect(room.size(trie, .policy, endpoint: 102, holding: 1) == 128)
      #expect(room.size(trie, .policy, endpoint: 102, holding: 100) == 256)
      #expect(MapRoom().size(trie, .policy, endpoint: 102, holding: 100) == 712)
      let recent = MapShape(type: 9, keySize: 14, valueSize: 56, maxEntries: 1, flags: 0)
      #expect(room.size(recent, .ct4TCP, holding: 0) > 128 * UInt32(Processors.possible))
    }

    @Test("Maps of forecast sizes hold every connection that was forecast", .needsKernel)
    func noEviction() throws {
      var full = NodeState(image)
      for port in 0..<2000 {
        let key = CTTuple4(daddr: 1, saddr: 2, dport: UInt16(port), sport: 80, nexthdr: 6, flags: 0)
        full.apply([MapChange(put: CTEntry(), at: key, in: .ct4TCP)])
      }
      let forecast = try forecast(NodeState(image))
      forecast.conversationEnded(on: full)
      var cluster = KernelCluster(objects: try .builtin(), forecast: forecast)
      let state = NodeState(image)
      _ = try cluster.run(image.attachments[0], on: TwoPods.syn(), state: state)
      let gone = try cluster.mapDifferences(from: full).filter { $0.operation == .delete }
      #expect(gone.isEmpty)
    }
  }
}
