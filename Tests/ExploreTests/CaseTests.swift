import Explore
import Runner
import Testing

@Suite struct CaseTests {
  @Test func theSameSeedGivesTheSameCase() {
    for seed in 1...20 as ClosedRange<UInt64> {
      #expect(CaseGenerator.make(seed: seed) == CaseGenerator.make(seed: seed))
    }
    #expect(CaseGenerator.make(seed: 1).steps != CaseGenerator.make(seed: 2).steps)
  }

  @Test func casesLoadAndTheModelDoesWhatTheManifestsMean() {
    let runner = TrialRunner { _ in NoObserver() }
    var reached: Set<String> = []
    for seed in 1...150 as ClosedRange<UInt64> {
      let trial = runner.run(CaseGenerator.make(seed: seed))
      #expect(trial.loadErrors == [], "seed \(seed)")
      for found in trial.discoveries { Issue.record("seed \(seed): \(found.lines)") }
      reached.formUnion(trial.reached)
    }
    // Random cases are worth nothing if they all go the same way.
    #expect(reached.count > 100)
  }
}
