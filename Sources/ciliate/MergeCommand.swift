import ArgumentParser
import Capture
import Explore

/// `ciliate merge`: the results of a campaign's shards as one.
struct MergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge", abstract: "Join the results of a campaign's shards.",
    discussion: """
      Reads the results.json of `ciliate fuzz` and prints one document for all. Exit codes: 0 nothing was found, 2 a \
      file is no result, of another campaign, or shares seeds with another; 3 there are findings.
      """)

  @Argument(help: "results.json of each shard.")
  var files: [String]

  func run() throws {
    var merged: CampaignRecord?
    do {
      for file in files {
        let record = try CampaignRecord(json: readWholeFile(file), file: file)
        if merged == nil { merged = record } else { try merged?.merge(record) }
      }
    } catch {
      complain("\(error)")
      throw ExitCode(2)
    }
    guard let merged else { return }
    var output = TextOutput(descriptor: 1)
    output.put(text: merged.json)
    output.flush()
    if !merged.findings.isEmpty { throw ExitCode(3) }
  }
}
