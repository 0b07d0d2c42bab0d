import Cluster
import ControlPlane
import Datapath
import Manifests
import MapABI
import Scenario
import Wire

extension Session where Observer: ~Copyable {
  /// Judges what a step's expectation says of objects and findings, whatever the verb.
  func judgeState(_ expectation: Expectation, _ judge: inout Judge) {
    for object in expectation.objects { self.judge(object, &judge) }
    for map in expectation.maps { self.judge(map, &judge) }
    if let ids = expectation.lint { judgeLint(ids, &judge) }
  }

  private func judge(_ expectation: ObjectExpectation, _ judge: inout Judge) {
    guard expectation.kind.lowercased() == "pod" else {
      return judge.cannotJudge("objects of kind \(expectation.kind)")
    }
    let namespace = expectation.namespace ?? "default"
    judge.expect("objects", "Pod \(namespace)/\(expectation.name)")
    let pods = controlPlane.pods.filter {
      $0.id.namespace == namespace && matchesGlob($0.id.name, expectation.name)
    }
    guard !pods.isEmpty else {
      return judge.fail("objects: there is no pod \(namespace)/\(expectation.name)")
    }
    for pod in pods {
      for field in expectation.fields { self.judge(field, of: pod, &judge) }
    }
  }

  private func judge(_ field: YAMLValue.Member, of pod: PodStatus, _ judge: inout Judge) {
    guard let wanted = field.value.text else { return judge.cannotJudge("objects.\(field.key)") }
    switch field.key {
    case "phase": judge.check("phase of \(pod.id)", expected: wanted, got: pod.phase.rawValue)
    case "node", "nodeName": judge.check("node of \(pod.id)", expected: wanted, got: pod.node)
    case "podIP":
      judge.check("podIP of \(pod.id)", expected: wanted, got: pod.addresses.first.map { "\($0)" })
    case "ready": judge.check("ready of \(pod.id)", expected: wanted, got: "\(pod.isReady)")
    case "identity":
      let identity = controlPlane.endpoint(of: pod.id).map { "\($0.identity)" }
      judge.check("identity of \(pod.id)", expected: wanted, got: identity)
    case "podIPIn":
      judge.expect("podIPIn of \(pod.id)", wanted)
      guard let cidr = CIDR(wanted), pod.addresses.contains(where: cidr.contains) else {
        return judge.fail(
          "podIPIn of \(pod.id): expected an address in \(wanted), got \(pod.addresses.map(\.description))")
      }
    default: judge.cannotJudge("objects.\(field.key)")
    }
  }
}

extension YAMLValue {
  /// A scalar as text; nil for anything else.
  var text: String? {
    switch content {
    case .string(let text): text
    case .bool(let value): "\(value)"
    case .integer(let value): "\(value)"
    default: nil
    }
  }
}
