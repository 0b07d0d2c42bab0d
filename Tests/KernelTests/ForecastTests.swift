import Datapath
import MapABI
import Testing

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
      let node = try #require(try forecast(NodeState(image)).nodes[image.node])
      #expect(node.attachments.map(\.ifindex) == [TwoPods.clientIfindex])
      #expect(node.endpoints == [102])
    }

    @Test(
      "What was forecast is loaded before the first packet, and the packet needs nothing more", .needsKernel)
    func loads() throws {
      let state = NodeState(image)
      let forecast = try #require(try forecast(state).nodes[image.node])
      var node = try KernelNode.make(state, objects: .builtin())
      try node.preload(state, forecast)
      #expect(node.programs.loadCount == 2)
      let result = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(node.programs.loadCount == 2)
      var unprepared = try KernelNode.make(state, objects: .builtin())
      let other = try unprepared.run(image.attachments[0], on: TwoPods.syn(), state: state)
      #expect(result.verdict == other.verdict)
      #expect(result.subject == other.subject)
      #expect(result.changes == other.changes)
    }

    @Test("What the image does not name any more is not loaded", .needsKernel)
    func gone() throws {
      var state = NodeState(image)
      let forecast = try #require(try forecast(state).nodes[image.node])
      state.reconfigure(attachments: [], endpointConfigs: [], changes: [MapChange]())
      var node = try KernelNode.make(state, objects: .builtin())
      try node.preload(state, forecast)
      #expect(node.programs.loadCount == 0)
    }
  }
}
