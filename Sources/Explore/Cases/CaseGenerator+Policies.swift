extension CaseGenerator {
  mutating func drawPolicy(_ number: Int) -> Document {
    switch random.below(8) {
    case 0...2: drawNetworkPolicy(number)
    case 3: drawCiliumPolicy(number, isClusterwide: true)
    default: drawCiliumPolicy(number, isClusterwide: false)
    }
  }

  // MARK: Cilium's policies

  private mutating func drawCiliumPolicy(_ number: Int, isClusterwide: Bool) -> Document {
    let namespace = random.pick(Self.namespaces) ?? "default"
    var head = [
      "apiVersion: cilium.io/v2",
      "kind: Cilium\(isClusterwide ? "Clusterwide" : "")NetworkPolicy",
      isClusterwide
        ? "metadata: {name: policy-\(number)}"
        : "metadata: {name: policy-\(number), namespace: \(namespace)}",
      "spec:", "  endpointSelector: \(selector())",
    ]
    if random.chance(6) {
      head.append("  enableDefaultDeny: {\(random.pick(["ingress", "egress"]) ?? "ingress"): false}")
    }
    var lists: [Document.List] = []
    for (section, weight) in [("ingress", 2), ("egress", 3), ("ingressDeny", 4), ("egressDeny", 5)] {
      guard random.chance(weight) || (section == "egressDeny" && lists.isEmpty) else { continue }
      let entries = (0..<1 + random.below(2)).map { _ in ciliumRule(section) }
      lists.append(Document.List(section, entries))
    }
    return Document(head: head, lists: lists)
  }

  private mutating func ciliumRule(_ section: String) -> [String] {
    let isIngress = section.hasPrefix("ingress")
    var fields: [String] = []
    if !random.chance(6) { fields.append(ciliumPeer(isIngress ? "from" : "to")) }
    if random.chance(12) {
      fields.append("icmps: [{fields: [{type: \(random.pick([8, 0, 3]) ?? 8), family: IPv4}]}]")
    } else if random.chance(2) {
      fields.append("toPorts: [{ports: [\(ports().joined(separator: ", "))]}]")
    }
    if fields.isEmpty { fields.append("\(isIngress ? "from" : "to")Entities: [all]") }
    return fields
  }

  private mutating func ciliumPeer(_ prefix: String) -> String {
    switch random.below(8) {
    case 0...3: return "\(prefix)Endpoints: [\(selector(canCross: true))]"
    case 4:
      let block =
        random.pick(["10.244.0.0/16", "203.0.113.0/24", "0.0.0.0/0", "10.244.1.0/24"]) ?? "0.0.0.0/0"
      return "\(prefix)CIDR: [\(block)]"
    case 5:
      return
        "\(prefix)CIDRSet: [{cidr: 0.0.0.0/0, except: [\(random.pick(["10.244.0.0/16", "203.0.113.7/32"]) ?? "")]}]"
    default:
      let entities = [
        "world", "cluster", "host", "remote-node", "all", "ingress", "kube-apiserver", "health",
      ]
      return "\(prefix)Entities: [\(random.pick(entities) ?? "all")]"
    }
  }

  private mutating func ports() -> [String] {
    (0..<1 + random.below(2)).map { _ in
      switch random.below(8) {
      case 0: "{port: web, protocol: TCP}"
      case 1: "{port: \"0\", protocol: \(random.pick(["TCP", "UDP", "ANY"]) ?? "TCP")}"
      case 2:
        "{port: \"\(random.pick([1, 79, 80, 8000]) ?? 1)\", endPort: \(random.pick([81, 8080, 65535]) ?? 8080), protocol: TCP}"
      case 3: "{port: \"53\", protocol: \(random.pick(["UDP", "ANY"]) ?? "UDP")}"
      default:
        "{port: \"\(random.pick([80, 80, 8080, 81]) ?? 80)\", protocol: \(random.pick(["TCP", "TCP", "ANY"]) ?? "TCP")}"
      }
    }
  }

  private mutating func selector(canCross: Bool = false) -> String {
    switch random.below(canCross ? 10 : 8) {
    case 0...3: "{matchLabels: {app: \(random.pick(Self.apps) ?? "a")}}"
    case 4: "{matchLabels: {tier: \(random.pick(Self.tiers) ?? "x")}}"
    case 5: "{}"
    case 6: "{matchExpressions: [{key: tier, operator: \(random.chance(2) ? "Exists" : "DoesNotExist")}]}"
    case 7:
      "{matchExpressions: [{key: app, operator: \(random.chance(2) ? "In" : "NotIn"), values: [a, b]}]}"
    case 8: "{matchLabels: {\"k8s:io.kubernetes.pod.namespace\": \(random.pick(Self.namespaces) ?? "prod")}}"
    default: "{matchLabels: {\"k8s:io.cilium.k8s.namespace.labels.team\": red}}"
    }
  }

  // MARK: Kubernetes' policy

  private mutating func drawNetworkPolicy(_ number: Int) -> Document {
    let namespace = random.pick(Self.namespaces) ?? "default"
    let types = random.pick(["[Ingress]", "[Egress]", "[Ingress, Egress]"]) ?? "[Ingress]"
    var head = [
      "apiVersion: networking.k8s.io/v1", "kind: NetworkPolicy",
      "metadata: {name: policy-\(number), namespace: \(namespace)}", "spec:",
      "  podSelector: \(selector())", "  policyTypes: \(types)",
    ]
    var lists: [Document.List] = []
    for section in ["ingress", "egress"] where types.lowercased().contains(section) {
      let entries = (0..<random.below(3)).map { _ in networkRule(section == "ingress" ? "from" : "to") }
      // An entry without fields allows everything: it is written in the head, where nothing is taken away.
      if random.chance(10) {
        head.append("  \(section): [{}]")
      } else {
        lists.append(Document.List(section, entries))
      }
    }
    return Document(head: head, lists: lists)
  }

  private mutating func networkRule(_ word: String) -> [String] {
    var peers: [String] = []
    for _ in 0..<1 + random.below(2) {
      switch random.below(6) {
      case 0: peers.append("{ipBlock: {cidr: \(random.pick(["0.0.0.0/0", "203.0.113.0/24"]) ?? "")}}")
      case 1: peers.append("{namespaceSelector: {matchLabels: {team: red}}}")
      case 2: peers.append("{namespaceSelector: {}, podSelector: \(selector())}")
      default: peers.append("{podSelector: \(selector())}")
      }
    }
    var fields: [String] = []
    if !random.chance(5) { fields.append("\(word): [\(peers.joined(separator: ", "))]") }
    if fields.isEmpty || random.chance(2) {
      let port = random.pick(["80", "web", "8080", "81"]) ?? "80"
      fields.append(
        "ports: [{port: \(port), protocol: TCP}\(random.chance(3) ? ", {port: 53, protocol: UDP}" : "")]")
    }
    return fields
  }
}
