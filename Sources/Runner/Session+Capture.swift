import Datapath
import Scenario
import Simulator

extension Session where Observer: ~Copyable {
  /// Starts or ends a capture; what an ended one holds is told in packets.
  mutating func capture(_ command: CaptureCommand, _ outcome: inout StepOutcome) throws(StepError) {
    switch command {
    case .start(let name, let node, let interface):
      guard !captures.contains(where: { $0.name == name }) else {
        throw StepError("there is a capture \(name) already")
      }
      guard let index = network.nodeIndex(named: node) else { throw StepError("there is no node \(node)") }
      let spec = network.currentTopology.nodes[index]
      let isDevice =
        interface == "any"
        || spec.devices.contains { device in
          device.name == interface || names.devices["\(node)/\(device.ifindex)"] == interface
        }
      guard isDevice else { throw StepError("node \(node) has no interface \(interface)") }
      captures.append(
        CaptureWindow(name: name, node: node, interface: interface, since: network.clock, until: nil))
    case .stop(let name):
      guard let index = captures.firstIndex(where: { $0.name == name && $0.until == nil }) else {
        throw StepError("no capture \(name) goes on")
      }
      captures[index].until = network.clock
      let count = NamedCapture(captures[index], network.journeys, names).packets
      outcome.got.text = "\(count) packet\(count == 1 ? "" : "s")\n"
    }
  }
}
