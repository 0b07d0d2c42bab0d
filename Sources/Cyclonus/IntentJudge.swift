public import Intent

extension PolicySuite {
  /// Asks the oracle that reads manifests for every probe.
  ///
  /// - Parameter follow: whose word the tables are that it is compared with. The Kubernetes tables judge a pod's
  ///   traffic to itself too.
  public func judge(intent follow: Authority) -> SuiteResult {
    var result = SuiteResult()
    for entry in cases {
      result.cases += 1
      for step in entry.steps {
        let intent = Intent(
          step.cluster, options: IntentOptions(follow: follow, selfTraffic: .judged))
        let subjects = step.pods.compactMap { id in intent.endpoints.first { $0.id == id } }
        let policies = subjects.map(intent.policy(of:))
        for table in step.tables {
          let wanted = follow == .kubernetes ? table.kubernetes : table.cilium
          for (row, source) in policies.enumerated() {
            for (column, destination) in policies.enumerated() where wanted[row][column] != "s" {
              let traffic = Traffic(from: source.subject, to: destination.subject, table.transport)
              let verdicts = intent.verdicts(traffic, source, destination)
              let isAllowed = verdicts.egress == .allowed && verdicts.ingress == .allowed
              result.count(isAllowed ? "." : "X", wanted[row][column], step, row, column, table.transport)
            }
          }
        }
      }
    }
    return result
  }
}

extension SuiteResult {
  mutating func count(
    _ got: Character, _ wanted: Character, _ step: PolicySuite.Step, _ row: Int, _ column: Int,
    _ transport: Transport, because reason: String = ""
  ) {
    probes += 1
    guard got != wanted else { return }
    mismatches.append(
      "\(step.name): \(step.pods[row]) → \(step.pods[column]) \(transport): expected \(wanted), got \(got)\(reason)"
    )
  }
}
