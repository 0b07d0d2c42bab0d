import Datapath
import MapABI
import Runner

/// A journey as text: one line for each passage, the steps of a hop below it.
struct Walk {
  var names: NameBook
  /// Whether the map entry behind a step, and the command that shows it, stand beside the step.
  var showsMaps = false

  func lines(_ journey: Journey) -> [String] {
    var lines = [journey.summary]
    for passage in journey.passages {
      switch passage {
      case .hook(let hop): lines += hook(hop)
      case .kernel(let step):
        lines.append("  \(clock(step.time))  \(place(step.node, step.device))\(action(step.action))")
      case .proxy(let step):
        lines.append("  \(clock(step.time))  \(step.node)  \(step.listener)  \(step.action.words)")
      }
    }
    lines.append("  → \(disposition(journey.disposition))")
    return lines
  }

  private func hook(_ hop: Hop) -> [String] {
    let device = names.devices["\(hop.node)/\(hop.attachment.ifindex)"] ?? hop.device
    let text = StepText(names: names, node: hop.node)
    var lines = [
      "  \(clock(hop.time))  \(hop.node)  \(device):\(hop.hook.rawValue)  \(verdict(hop, text))"
    ]
    for step in hop.result.steps {
      guard let words = text.text(step) else { continue }
      var line = "      \(words)"
      if showsMaps, let reference = MapReference(step) {
        line += "  [\(reference.map): \(reference.entry); \(reference.command)]"
      }
      lines.append(line)
    }
    return lines
  }

  private func verdict(_ hop: Hop, _ text: StepText) -> String {
    switch hop.result.verdict {
    case .pass: return "goes on"
    case .drop:
      return hop.result.drop.map { "DROPPED \($0.rawValue) \($0.text)" } ?? "DROPPED"
    case .redirect(let target?):
      switch target.mode {
      case .egress: return "redirected out of \(text.device(target.ifindex))"
      case .ingress: return "redirected into \(text.device(target.ifindex))"
      case .peer: return "redirected into the pod behind \(text.device(target.ifindex))"
      case .neighbour: return "redirected out of \(text.device(target.ifindex)) to the next hop"
      }
    case .redirect(nil): return "redirected"
    case .transmit: return "sent back"
    case .other(let code): return "returned \(code)"
    }
  }

  private func place(_ node: String, _ device: String) -> String {
    node.isEmpty ? "" : device.isEmpty ? "\(node)  " : "\(node)  \(device)  "
  }

  private func action(_ action: StackStep.Action) -> String {
    switch action {
    case .sent(let by): "sent by \(by)"
    case .encapsulated(let vni, let from, let to): "encapsulated: VNI \(vni), \(from) → \(to)"
    case .decapsulated(let vni): "decapsulated: VNI \(vni)"
    case .wire(let to): "over the wire to \(to)"
    case .routed(let to): "routed to \(to)"
    case .masqueraded(let address): "masqueraded as \(address)"
    case .unmasqueraded(let address): "masquerade undone: to \(address)"
    case .delivered(let to): "delivered to \(to)"
    case .lost(let loss): "lost: \(loss.rawValue)"
    }
  }

  private func disposition(_ disposition: Disposition) -> String {
    switch disposition {
    case .inFlight: "still on its way"
    case .delivered(let to): "delivered to \(to)"
    case .dropped(let place): "dropped at \(place.node) by \(place.hook)"
    case .answered: "answered by the program"
    case .lost(let loss): "lost: \(loss.rawValue)"
    }
  }

  /// Seconds since the scenario began, to the microsecond.
  private func clock(_ time: Instant) -> String {
    let microseconds = time.nanoseconds / 1000
    let fraction = String(microseconds % 1_000_000)
    return "\(microseconds / 1_000_000)." + String(repeating: "0", count: 6 - fraction.count) + fraction
  }
}
