/// Draws cases from seeds: small clusters whose few names and ports meet often.
///
/// The same seed gives the same case on every machine.
public struct CaseGenerator {
  var random: SplitMix64
  private let seed: UInt64
  /// What policies and probes can talk about.
  var pods: [PodSketch] = []
  var services: [ServiceSketch] = []
  var isDualStack = false

  struct PodSketch {
    var namespace: String
    var name: String
    var app: String
    var node: Int
    var isHostNetwork: Bool
    var id: String { "\(namespace)/\(name)" }
  }

  struct ServiceSketch {
    var namespace: String
    var name: String
    var ports: [String]
  }

  static let namespaces = ["default", "prod"]
  static let apps = ["a", "b", "c"]
  static let tiers = ["x", "y"]

  public init(seed: UInt64) {
    self.seed = seed
    random = SplitMix64(seed: seed)
  }

  /// The case of the seed.
  public static func make(seed: UInt64) -> Case {
    var generator = CaseGenerator(seed: seed)
    return generator.make()
  }

  private mutating func make() -> Case {
    let settings = drawSettings()
    var result = Case(name: "fuzz-\(seed)", seed: seed, nodes: 1 + random.below(3), settings: settings)
    result.documents = [Self.namespace("prod", labels: "team: red")]
    for number in 0..<2 + random.below(4) { result.documents.append(drawPod(number, nodes: result.nodes)) }
    for number in 0..<random.below(3) { result.documents.append(drawService(number)) }
    var policies: [Document] = []
    for number in 0..<random.below(4) { policies.append(drawPolicy(number)) }
    result.documents += policies
    drawSteps(into: &result, policies: policies)
    return result
  }

  // MARK: Settings

  private mutating func drawSettings() -> [Case.Setting] {
    var settings = ["{kubeProxyReplacement: true}", "{socketLB: {hostNamespaceOnly: true}}"]
    isDualStack = random.chance(3)
    if isDualStack { settings.append("{ipv6: {enabled: true}}") }
    if random.chance(4) { settings.append("{tunnelProtocol: geneve}") }
    if random.chance(6) {
      let ipv6 = isDualStack ? ", ipv6NativeRoutingCIDR: \"fd00::/8\"" : ""
      settings.append(
        "{routingMode: native, autoDirectNodeRoutes: true, ipv4NativeRoutingCIDR: 10.0.0.0/8\(ipv6)}")
    }
    if random.chance(5) { settings.append("{endpointRoutes: {enabled: true}}") }
    if random.chance(4) { settings.append("{bpf: {monitorAggregation: none}}") }
    if random.chance(8) {
      settings.append("{policyEnforcementMode: \(random.pick(["always", "never"]) ?? "always")}")
    }
    if random.chance(8) { settings.append("{policyAuditMode: true}") }
    return settings.map(Case.Setting.init)
  }

  // MARK: Objects

  private static func namespace(_ name: String, labels: String) -> Document {
    Document(head: [
      "apiVersion: v1", "kind: Namespace", "metadata: {name: \(name), labels: {\(labels)}}",
    ])
  }

  private mutating func drawPod(_ number: Int, nodes: Int) -> Document {
    let pod = PodSketch(
      namespace: random.chance(4) ? "prod" : "default", name: "p\(number)",
      app: random.pick(Self.apps) ?? "a", node: 1 + random.below(nodes), isHostNetwork: random.chance(14))
    pods.append(pod)
    var labels = "app: \(pod.app)"
    if random.chance(2) { labels += ", tier: \(random.pick(Self.tiers) ?? "x")" }
    var head = [
      "apiVersion: v1", "kind: Pod", "metadata:", "  name: \(pod.name)", "  namespace: \(pod.namespace)",
      "  labels: {\(labels)}", "  annotations: {ciliate.dev/listen: \"80/TCP,8080/TCP,53/UDP\"}", "spec:",
    ]
    head.append("  nodeName: n\(pod.node)")
    if pod.isHostNetwork { head.append("  hostNetwork: true") }
    head.append("  containers:")
    head.append(
      "    - {name: c, image: example/server, ports: [{name: web, containerPort: 80}, "
        + "{name: alt, containerPort: 8080}]}")
    return Document(head: head)
  }

  private mutating func drawService(_ number: Int) -> Document {
    let namespace = random.chance(4) ? "prod" : "default"
    var ports = ["{name: web, port: 80, targetPort: \(random.pick(["80", "8080", "web", "81"]) ?? "80")}"]
    var words = ["80/TCP"]
    if random.chance(3) {
      ports.append("{name: dns, port: 53, protocol: UDP, targetPort: 53}")
      words.append("53/UDP")
    }
    services.append(ServiceSketch(namespace: namespace, name: "s\(number)", ports: words))
    var head = [
      "apiVersion: v1", "kind: Service", "metadata: {name: s\(number), namespace: \(namespace)}", "spec:",
      "  selector: {app: \(random.pick(Self.apps) ?? "a")}", "  ports: [\(ports.joined(separator: ", "))]",
    ]
    if random.chance(4) { head.append("  type: NodePort") }
    if random.chance(5) { head.append("  sessionAffinity: ClientIP") }
    if isDualStack, random.chance(2) { head.append("  ipFamilyPolicy: PreferDualStack") }
    return Document(head: head)
  }
}
