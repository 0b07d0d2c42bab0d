import Cluster
import Datapath
import Scenario
import Simulator
import Wire

extension Session where Observer: ~Copyable {
  /// Puts a frame on a node's interface, as if it had just been received there.
  mutating func inject(
    _ injection: Injection, _ expect: Expectation?, _ outcome: inout StepOutcome, _ judge: inout Judge
  ) throws(StepError) {
    guard let node = network.nodeIndex(named: injection.node) else {
      throw StepError("there is no node \(injection.node)")
    }
    let octets: [UInt8]
    switch injection.frame {
    case .octets(let bytes): octets = bytes
    case .layers(let layers): octets = try InjectedFrame.build(layers)
    }
    let devices = network.currentTopology.nodes[node].devices
    let name = names.devices.first {
      $0.key.hasPrefix("\(injection.node)/") && $0.value == injection.interface
    }
    let ifindex = name.flatMap { UInt32($0.key.split(separator: "/").last ?? "") }
    guard
      let device = devices.first(where: { $0.name == injection.interface || $0.ifindex == ifindex })
    else {
      let known = devices.map(\.name).sorted().joined(separator: ", ")
      throw StepError("\(injection.node) has no interface \(injection.interface); it has \(known)")
    }
    let journey = network.inject(octets, node: node, ifindex: device.ifindex)
    // What it leads to, answers included.
    outcome.journeys = Array(journey..<network.journeys.count)
    let view = ConversationView(journeys: journeys([journey]), first: journey)
    outcome.got.egress = view.verdict(egress: true)
    outcome.got.ingress = view.verdict(egress: false)
    outcome.got.verdict = view.verdict
    outcome.got.drop = view.drop
    outcome.got.rule = rule(view)
    guard let expect else { return }
    judge.judge(expect, outcome.got)
    if let match = expect.match { judge.check("match", expected: match.value.rawValue, got: view.match) }
    judge.judgePath(expect.path, journeys(outcome.journeys), names)
    judge.judgeWire(expect.wire, journeys(outcome.journeys), wireFacts())
  }
}
