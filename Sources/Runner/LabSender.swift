import Datapath

/// Who sent the first packet of a step, as its tunnel header tells.
struct LabSender {
  var identity: UInt32
  /// `app=crawler` and the like, without those that the pod's namespace and the cluster bring.
  var labels: [String]
  /// `namespace/pod`.
  var pod: String
  /// The labels of all identities, to tell which words mean one alone.
  private var known: [UInt32: [String]]

  init?(ofStep name: String, _ outcome: ScenarioOutcome) {
    guard let step = outcome.steps.first(where: { $0.name == name }) else { return nil }
    for number in step.journeys {
      guard let journey = outcome.journeys.first(where: { $0.id == number }),
        let vni = journey.sightings.lazy.compactMap({ OuterHeaders($0.frame).vni }).first
      else { continue }
      identity = vni
      known = outcome.names.labels.mapValues { all in
        all.filter { $0.hasPrefix("k8s:") && !$0.hasPrefix("k8s:io.") }.map { String($0.dropFirst(4)) }
      }
      labels = known[vni] ?? []
      pod = ""
      for case .kernel(let passage) in journey.passages {
        if case .sent(let by) = passage.action { pod = by }
      }
      return
    }
    return nil
  }

  /// Whether an answer is this sender's number, its pod, or labels that no other identity has all of.
  func isMeant(by answer: String) -> Bool {
    var words = answer.split { $0 == "," || $0.isWhitespace }.map(String.init)
    words = words.map { $0.hasPrefix("k8s:") ? String($0.dropFirst(4)) : $0 }
    guard !words.isEmpty else { return false }
    if words == ["\(identity)"] || words == [pod] || words.map({ "default/\($0)" }) == [pod] { return true }
    return known.filter { entry in words.allSatisfy(entry.value.contains) }.map(\.key) == [identity]
  }
}
