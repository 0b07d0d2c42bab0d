import Datapath
import MapABI
import Testing
import Wire

/// Verdicts in a batch, on tables that are large enough for looking ahead.
@Suite struct BatchTests {
  private func node() -> Node {
    var node = Node()
    for n in UInt32(0)..<6000 {
      node.addIdentity(.v4(IPv4Address(bits: 0x0b00_0000 + n)), 20_000 + n % 50, tunnel: Node.remoteNode)
    }
    node.addService("10.96.0.10", port: 80, backends: [(Node.server.ipv4, 8080)])
    node.addPolicy(
      Node.client, identity: 20_007, egress: true, protocol: 6, port: 80, deny: true, precedence: 255)
    return node
  }

  private func input(_ node: Node, _ frame: [UInt8]) -> HookInput {
    HookInput(
      .skb(
        SocketBuffer(
          frame: frame, ifindex: Node.client.ifindex, ingressIfindex: Node.client.ifindex)),
      environment: node.environment)
  }

  @Test func aBatchSaysWhatSingleRunsSay() throws {
    let node = node()
    let state = node.state()
    let attachment = Attachment(
      hook: .fromContainer, ifindex: Node.client.ifindex, device: "lxc", config: node.podConfig(Node.client))
    var random = FuzzTests.Generator(state: 3)
    var inputs: [HookInput] = []
    var expected: [Verdict] = []
    for round in 0..<6000 {
      let address = IPv4Address(bits: 0x0b00_0000 + UInt32(random.below(7000)))
      let syn = Frames.Payload.tcp(source: 40_000, destination: 80, flags: 2)
      let frame =
        round % 3 == 0
        ? FuzzTests.mutated(&random) : Frames.ipv4(Node.client.ipv4, address.description, syn)
      let input = input(node, frame)
      guard let verdict = try? Model().run(attachment, on: input, state: state).verdict else { continue }
      inputs.append(input)
      expected.append(verdict)
    }
    #expect(inputs.count > 5000)
    #expect(try Model().verdicts(attachment, on: inputs, state: state) == expected)
    for (input, verdict) in zip(inputs, expected) {
      #expect(try Model().verdict(attachment, on: input, state: state) == verdict)
    }
    var seen: [Int] = []
    try Model().runs(attachment, on: inputs, state: state) { index, result in
      seen.append(index)
      if result.verdict != expected[index] || result.steps.isEmpty { Issue.record("input \(index)") }
    }
    #expect(seen == Array(inputs.indices))
    let drops = expected.count { $0 == .drop }
    #expect(drops > 100 && drops < inputs.count)
    #expect(
      try Model().verdicts(attachment, on: Array(inputs.prefix(3)), state: state) == Array(expected.prefix(3))
    )
    #expect(try Model().verdicts(attachment, on: [], state: state) == [])
  }

  @Test func aSubjectOfAnotherKindEndsTheBatch() throws {
    let node = node()
    let state = node.state()
    let attachment = Attachment(
      hook: .fromContainer, ifindex: Node.client.ifindex, device: "lxc", config: node.podConfig(Node.client))
    let frame = Frames.ipv4(Node.client.ipv4, Node.server.ipv4, .tcp(source: 1, destination: 2, flags: 2))
    let xdp = HookInput(.xdp(XDPBuffer(frame: frame, ingressIfindex: 1)), environment: node.environment)
    #expect(throws: InterpreterError.self) {
      try Model().verdicts(attachment, on: [input(node, frame), xdp], state: state)
    }
  }
}
