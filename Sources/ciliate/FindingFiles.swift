import Capture
import Datapath
import Explore
import Runner

/// What is kept of a difference that was found: the files of its folder.
struct FindingFiles {
  let difference: Difference
  let lines: [String]
  private let files: [(name: String, octets: [UInt8])]

  /// A scenario with its manifests; nil when the difference was known, and nothing was made small.
  init?(_ found: SeedResult.Found) {
    guard let smallest = found.smallest else { return nil }
    difference = found.difference
    lines = found.lines
    let comment = found.lines.map { "# \($0)\n" }.joined()
    var files = [("scenario.yaml", Array((comment + smallest.scenarioText).utf8))]
    if !smallest.documents.isEmpty { files.append(("manifests.yaml", Array(smallest.manifestsText.utf8))) }
    self.files = files
  }

  /// The hop as a recording, and the frames that led to it as a capture.
  init(_ found: FrameExperiment.Found) {
    difference = found.difference
    lines = found.lines
    var writer = PcapWriter()
    for (number, run) in found.trail.runs.enumerated() {
      writer.write(time: UInt64(number) * 1_000_000, bytes: run.input.subject.frame ?? [])
    }
    let text = found.lines.joined(separator: "\n") + "\n"
    files = [
      ("hop.hops", Array(found.trail.recording.utf8)), ("frames.pcap", writer.bytes),
      ("difference.txt", Array(text.utf8)),
    ]
  }

  func write(to folder: String) throws {
    if let reason = Folder.make(folder) { throw CampaignError("\(folder): \(reason)") }
    for file in files { try OutputFile.write(file.octets, to: "\(folder)/\(file.name)") }
  }
}
