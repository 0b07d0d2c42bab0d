import Explore
import Testing

@Suite struct CampaignTests {
  private func record(_ seeds: ClosedRange<UInt64>, setup: String = "model, 1 cases a seed") -> CampaignRecord
  {
    var record = CampaignRecord(setup: setup)
    let campaign = Campaign(.init(seeds: seeds, rounds: 1)) { subject in
      var trial = Trial()
      trial.hops = 10
      trial.reached = ["way \(subject.seed % 3)"]
      if subject.steps.count > 6 {
        trial.discoveries = [Discovery(Difference(.intent, "long"), ["too long"])]
      }
      return trial
    }
    for seed in seeds { record.add(campaign.explore(seed)) { _ in "finding" } }
    return record
  }

  @Test func shardsMakeTheWhole() throws {
    let plan = Campaign.Plan(seeds: 1...10, shard: 1, shards: 3)
    #expect((1...12).filter { plan.includes($0) } == [1, 4, 7, 10])
    let whole = record(1...20)
    var merged = record(1...7)
    try merged.merge(record(15...20))
    #expect(merged.seeds == [1...7, 15...20])
    try merged.merge(record(8...14))
    #expect(merged == whole)
    #expect(merged.seeds == [1...20])
    #expect(whole.findings.first?.count ?? 0 > 1)
  }

  @Test func whatDoesNotBelongTogetherIsRefused() {
    var one = record(1...5)
    #expect(throws: CampaignError.self) { try one.merge(record(5...9)) }
    #expect(throws: CampaignError.self) { try one.merge(record(6...9, setup: "other")) }
    #expect(one == record(1...5))
  }

  @Test func aRecordIsReadAsItWasWritten() throws {
    let written = record(3...9)
    let read = try CampaignRecord(json: Array(written.json.utf8), file: "results.json")
    #expect(read == written)
    #expect(read.isDone(4))
    #expect(!read.isDone(10))
  }

  @Test(arguments: [
    "", "{}", "[1]", "{\"schema\": \"ciliate.run/v1\"}", "{\"schema\": \"ciliate.fuzz/v1\"}",
    "{\"schema\":\"ciliate.fuzz/v1\",\"setup\":\"x\",\"seeds\":[\"9..1\"],\"cases\":1,\"hops\":1,\"compared\":1,"
      + "\"notRun\":{},\"findings\":[],\"reached\":[]}",
  ])
  func badRecordsAreErrors(_ text: String) {
    #expect(throws: CampaignError.self) { try CampaignRecord(json: Array(text.utf8), file: "f") }
  }

  /// A broken datapath is found, and made small.
  @Test func whatIsWrongIsFoundAndMadeSmall() throws {
    let campaign = Campaign(.init(seeds: 1...20, rounds: 2)) { subject in
      var trial = Trial()
      let probes = subject.steps.filter {
        if case .other(let text) = $0 { text.contains("8080/TCP") } else { false }
      }
      if !probes.isEmpty { trial.discoveries = [Discovery(Difference(.kernel, "port"), ["8080"])] }
      return trial
    }
    let found = (1...20).flatMap { campaign.explore($0).discoveries }
    let smallest = try #require(found.first?.smallest)
    #expect(smallest.steps.count == 1)
    #expect(smallest.documents.isEmpty)
  }
}
