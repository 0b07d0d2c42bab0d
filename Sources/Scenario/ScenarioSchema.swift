import Cluster
import Wire

/// The JSON Schema of scenario files, for editors. What the reader takes beyond it (several spellings of one
/// thing) is documented with the format; what it refuses, the schema may let pass.
public enum ScenarioSchema {
  /// The schema as JSON text.
  public static var text: String {
    JSONSchema.document(title: "Ciliate scenario", root: root, definitions: definitions)
  }

  static let root = JSONSchema.object(
    [
      ("apiVersion", .constant(ScenarioReader.apiVersion)), ("kind", .constant("Scenario")),
      ("metadata", .object([("name", .string), ("labels", .map(.string))], required: ["name"])),
      ("spec", .named("spec")),
    ], required: ["apiVersion", "kind", "metadata", "spec"])

  static let definitions: [(String, JSONSchema)] = [
    ("spec", spec), ("cluster", cluster(inMesh: false)), ("meshedCluster", cluster(inMesh: true)),
    ("node", node),
    ("step", step), ("probe", probe), ("expect", expect), ("source", source), ("target", target),
    ("port", port),
    ("values", .oneOrMore(.anyOf([.string, .map(.any)]))),
    (
      "manifests",
      .oneOrMore(.anyOf([.string, .object([("files", strings), ("inline", .string)], required: [])]))
    ),
    ("duration", .anyOf([.string, .integer(0...Int(Int32.max))])),
  ]

  private static let strings = JSONSchema.oneOrMore(.string)
  private static let port16 = JSONSchema.integer(1...65_535)
  private static let fraction = JSONSchema.any

  private static let spec = JSONSchema.object(
    [
      (
        "cilium",
        .object([("profile", .choice(Profile.self)), ("values", .named("values"))], required: [])
      ),
      ("cluster", .named("cluster")), ("clusters", .list(.named("meshedCluster"))),
      ("external", .list(external)), ("dns", dns), ("seed", .integer(0...Int.max)),
      ("kernel", .anyOf([.choice(ScenarioFile.KernelUse.self), .boolean])),
      (
        "defaults",
        .object(
          [
            (
              "probe",
              .object([("from", .named("source")), ("timeout", .named("duration"))], required: [])
            )
          ], required: [])
      ),
      ("manifests", strings), ("steps", .list(.named("step"))),
      (
        "artifacts",
        .object(
          [
            ("pcap", .boolean), ("flows", .choice(ScenarioFile.Artifacts.Flows.self)),
            ("report", .choice(ScenarioFile.Artifacts.Report.self)),
          ], required: [])
      ),
    ], required: ["steps"])

  private static func cluster(inMesh: Bool) -> JSONSchema {
    let subnet = JSONSchema.object([("cidr", .string), ("nodes", .list(.string))], required: ["cidr"])
    let own: [(String, JSONSchema)] = [
      ("name", .string), ("id", .integer(0...511)), ("kind", .string), ("nodes", .list(.named("node"))),
      ("podCIDRs", .list(.string)), ("serviceCIDRs", .list(.string)),
      ("underlay", .object([("subnets", .list(subnet)), ("mtu", .integer(68...65_535))], required: [])),
    ]
    let more: [(String, JSONSchema)] = [("values", .named("values")), ("manifests", strings)]
    return .object(inMesh ? own + more : own, required: inMesh ? ["name"] : [])
  }

  private static let node = JSONSchema.object(
    [
      ("name", .string), ("labels", .map(.string)), ("zone", .string), ("ips", .list(.string)),
      ("podCIDRs", .list(.string)), ("podLimit", .integer(0...100_000)),
      ("kernel", .object([("cgroup", .choice(Node.Kernel.CGroup.self))], required: [])),
    ], required: ["name"])

  private static let external = JSONSchema.object(
    [
      ("name", .string), ("ips", .list(.string)),
      (
        "serves",
        .list(
          .anyOf([
            .named("port"),
            .object(
              [
                ("port", port16), ("protocol", .choice(TransportProtocol.self)),
                ("http", .map(.integer(100...599))),
              ], required: ["port"]),
          ]))
      ),
    ], required: ["name", "ips"])

  private static let records = JSONSchema.map(.anyOf([.null, strings]))
  private static let dns = JSONSchema.object(
    [("records", records), ("ttl", .named("duration"))], required: [])

  private static let step = JSONSchema.object(
    [("name", .string), ("expect", .named("expect"))] + Step.Verb.names.map { ($0, verb($0)) }, required: [])

  private static func verb(_ word: String) -> JSONSchema {
    let power = JSONSchema.choice(PowerState.self)
    switch word {
    case "apply": return .named("manifests")
    case "time": return .object([("advance", .named("duration"))], required: ["advance"])
    case "config": return .named("values")
    case "probe": return .named("probe")
    case "agent", "envoy":
      return .object([("node", .string), ("state", power)], required: ["node", "state"])
    case "operator", "relay": return .object([("node", .string), ("state", power)], required: ["state"])
    case "node":
      return .object([("name", .string), ("state", .choice(NodeState.self))], required: ["name", "state"])
    case "ready":
      return .object(
        [("pod", .string), ("namespace", .string), ("ready", .boolean)], required: ["pod", "ready"])
    case "link":
      return .object(
        [
          ("between", .list(.string)), ("state", power), ("drop", strings), ("mtu", .integer(68...65_535)),
          ("loss", fraction), ("delay", .named("duration")),
        ], required: ["between"])
    case "matrix":
      return .object(
        [
          ("from", .oneOrMore(.named("source"))), ("to", .oneOrMore(.named("target"))),
          ("port", .oneOrMore(.named("port"))), ("timeout", .named("duration")),
        ], required: ["port"])
    case "inject":
      return .object(
        [("node", .string), ("interface", .string), ("frame", .any), ("hex", .string)],
        required: ["node", "interface"])
    case "view":
      return .anyOf([.string, .object([("name", .string), ("node", .string)], required: ["name"])])
    case "capture":
      return .object(
        [("start", .string), ("stop", .string), ("node", .string), ("interface", .string)], required: [])
    default: return .any
    }
  }

  private static let probe = JSONSchema.object(
    [
      ("from", .named("source")), ("to", .named("target")), ("port", .named("port")), ("sport", port16),
      ("count", .integer(1...1_000_000)), ("family", .choice(AddressFamily.self)),
      (
        "http",
        .object(
          [("method", .string), ("path", .string), ("host", .string), ("headers", .map(.any))], required: [])
      ),
      (
        "dns",
        .anyOf([
          .string,
          .object(
            [("name", .string), ("type", .choice(Probe.DNSQuery.RecordType.self))], required: ["name"]),
        ])
      ),
      ("icmp", .object([("type", .integer(0...255)), ("code", .integer(0...255))], required: ["type"])),
      ("size", .integer(0...65_535)), ("timeout", .named("duration")), ("keep", .string),
      ("continue", .string),
    ], required: [])

  private static let place: [(String, JSONSchema)] = [
    ("pod", .string), ("workload", .string), ("node", .string), ("external", .string), ("namespace", .string),
  ]
  private static let source = JSONSchema.anyOf([.string, .object(place, required: [])])
  private static let target = JSONSchema.anyOf([
    .string, .object(place + [("service", .string), ("ip", .string)], required: []),
  ])
  private static let port = JSONSchema.anyOf([port16, .string])

  private static let expect = JSONSchema.object(
    [
      ("outcome", .choice(Outcome.self)), ("verdict", .choice(PolicyVerdict.self)),
      (
        "verdicts",
        .object(
          [("egress", .choice(PolicyVerdict.self)), ("ingress", .choice(PolicyVerdict.self))], required: [])
      ),
      ("exitCode", .integer(0...255)), ("http", .integer(100...599)), ("body", .string),
      ("drop", .anyOf([.string, .integer(0...255), drop])), ("rule", .string),
      ("match", .choice(PolicyMatch.self)),
      ("backend", .string), ("backendOf", .string), ("distribution", .map(fraction)), ("path", strings),
      ("wire", .oneOrMore(wire)), ("flows", strings),
      ("objects", .oneOrMore(.map(.any))), ("matrix", .string), ("map", .any), ("lint", strings),
      ("view", .string),
    ], required: [])

  private static let drop = JSONSchema.object(
    [
      ("reason", .anyOf([.string, .integer(0...255)])), ("node", .string),
      ("direction", .choice(DropExpectation.Direction.self)), ("hook", .string), ("stage", .string),
    ], required: [])

  private static let wire = JSONSchema.object(
    [
      ("on", .string), ("node", .string), ("device", .string),
      ("encap", .choice(WireExpectation.Encapsulation.self)), ("port", port16),
      (
        "vni",
        .anyOf([
          .integer(0...0xff_ffff), .object([("identityOf", .named("source"))], required: ["identityOf"]),
        ])
      ),
      ("src", .string), ("dst", .string), ("overhead", .integer(0...65_535)),
      ("ttl", .integer(0...255)), ("seen", .boolean),
    ], required: [])
}
