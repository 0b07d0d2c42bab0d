extension CaseGenerator {
  mutating func drawSteps(into result: inout Case, policies: [Document]) {
    var absent: [Document] = []
    var present = policies
    for number in 0..<4 + random.below(9) {
      switch random.below(12) {
      case 0:
        if !present.isEmpty {
          let policy = present.remove(at: random.below(present.count))
          absent.append(policy)
          result.steps.append(.delete(policy))
        }
      case 1:
        let policy = absent.isEmpty ? drawPolicy(10 + number) : absent.remove(at: random.below(absent.count))
        present.append(policy)
        result.steps.append(.apply(policy))
      case 2: result.steps.append(.other(worldStep()))
      default: result.steps.append(.other(probe(nodes: result.nodes)))
      }
    }
  }

  /// Something other than policy changes.
  private mutating func worldStep() -> String {
    switch random.below(3) {
    case 0: return "time: {advance: \(random.pick(["1s", "30s", "400s"]) ?? "1s")}"
    case 1:
      guard let pod = random.pick(pods) else { return "time: {advance: 1s}" }
      return "label: {pod: \(pod.id), labels: {tier: \(random.pick(["x", "y", "null"]) ?? "x")}}"
    default:
      guard let pod = random.pick(pods) else { return "time: {advance: 1s}" }
      return "ready: {pod: \(pod.id), ready: \(random.chance(2))}"
    }
  }

  // MARK: Traffic

  private mutating func probe(nodes: Int) -> String {
    if random.chance(8) { return inject(nodes: nodes) }
    let node = "node/n\(1 + random.below(nodes))"
    let from: String
    switch random.below(12) {
    case 0: from = node
    case 1: from = "external/web"
    default: from = random.pick(pods)?.id ?? node
    }
    var to: String
    var ports = ["80/TCP", "80/TCP", "8080/TCP", "81/TCP", "53/UDP", "ICMP"]
    switch random.below(12) {
    case 0: to = "node/n\(1 + random.below(nodes))"
    case 1: to = "external/web"
    case 2...4:
      to = random.pick(pods)?.id ?? node
      if let service = random.pick(services), from != "external/web", !from.hasPrefix("node/") {
        to = "svc/\(service.namespace)/\(service.name)"
        ports = service.ports
      }
    default: to = random.pick(pods)?.id ?? node
    }
    var fields = ["from: \(from)", "to: \(to)", "port: \(random.pick(ports) ?? "80/TCP")"]
    if isDualStack, random.chance(2) { fields.append("family: ipv6") }
    if random.chance(4) { fields.append("sport: \(random.pick([40_000, 40_001]) ?? 40_000)") }
    if random.chance(8) { fields.append("timeout: 1s") }
    return "probe: {\(fields.joined(separator: ", "))}"
  }

  /// A frame that nobody in the cluster would send: another's source address, a VNI that claims an identity.
  private mutating func inject(nodes: Int) -> String {
    let node = 1 + random.below(nodes)
    let ipv4 = { (random: inout SplitMix64) in
      "10.244.\(random.below(3)).\(random.below(256))"
    }
    let inner =
      "{ipv4: {src: \(ipv4(&random)), dst: \(ipv4(&random)), ttl: \(random.pick([1, 2, 64]) ?? 64)}}, "
      + "{tcp: {sport: 40000, dport: \(random.pick([80, 8080]) ?? 80), flags: \(random.pick(["SYN", "ACK", "\"SYN,ACK\"", "RST", "\"FIN,ACK\""]) ?? "SYN")}}"
    let pods = pods.filter { !$0.isHostNetwork }
    if random.chance(2), let pod = random.pick(pods) {
      return "inject: {node: n\(pod.node), interface: lxc(\(pod.id)), frame: [{eth: {}}, \(inner)]}"
    }
    let vni = random.pick([0, 1, 2, 4, 6, 256, 40_000, 0xff_ffff]) ?? 2
    return
      "inject: {node: n\(node), interface: eth0, frame: [{eth: {}}, {ipv4: {src: 172.18.0.\(random.below(6)), "
      + "dst: 172.18.0.\(random.below(6))}}, {udp: {sport: 50000, dport: 8472}}, {vxlan: {vni: \(vni)}}, "
      + "{eth: {}}, \(inner)]}"
  }
}
