import Capture
import Glibc
import Runner

/// Writes a line to standard error, control characters escaped.
func complain(_ line: String) {
  var output = TextOutput(descriptor: 2)
  output.put(line: line)
  output.flush()
}

/// One run of `ciliate decode`.
struct DecodeSession {
  let command: DecodeRequest
  let names: ReportNames
  let selection: PacketSelection
  let ports: DecodingPorts
  let expectation: Expectation?

  init(_ command: DecodeRequest) throws(CaptureError) {
    self.command = command
    var names = ReportNames()
    names.identities.meshLimit = command.meshLimit
    for file in command.identities {
      guard DecodeScenario.isNamed(by: file) else {
        try names.identities.read(readWholeFile(file), file: file)
        continue
      }
      try DecodeScenario(path: file).outcome.addNames(to: &names.identities)
    }
    for file in command.endpoints {
      guard DecodeScenario.isNamed(by: file) else {
        try names.endpoints.read(readWholeFile(file), file: file)
        continue
      }
      try DecodeScenario(path: file).outcome.addNames(to: &names.endpoints)
    }
    self.names = names
    ports = command.ports
    var filter: PacketFilter?
    if let text = command.filter { filter = try PacketFilter(text) }
    selection = PacketSelection(
      from: command.from.flatMap { Timestamp.nanoseconds($0) },
      to: command.to.flatMap { Timestamp.nanoseconds($0) }, filter: filter)
    expectation = try command.expect.map { file throws(CaptureError) in
      guard DecodeScenario.isNamed(by: file) else { return try Expectation(file: file, ports: command.ports) }
      let scenario = try DecodeScenario(path: file)
      if let remark = scenario.remark { complain(remark) }
      return try scenario.outcome.expectation(ports: command.ports)
    }
  }

  /// Decodes everything and prints the report; gives the exit code.
  func run() throws(CaptureError) -> Int32 {
    let countsFlows =
      command.by == .flow || command.peers || expectation != nil || !names.endpoints.isEmpty
      || command.wireshark != nil
    var decoder = Decoder(ports: ports, countsFlows: countsFlows)
    let mode = ReadingMode(
      following: command.follow ? Following(idleSeconds: command.idle) : nil, progress: progressBar())
    var end: Following.End?
    guard command.by == .packet || command.write != nil || !selection.isEverything else {
      for file in command.files where end == nil { end = decoder.read(file, mode) }
      return try conclude(decoder.report(), interrupted: end == .interrupted)
    }
    let format = PacketLines.Format(rawValue: command.output.rawValue) ?? .text
    var lines: PacketLines?
    if command.by == .packet {
      lines = PacketLines(output: TextOutput(descriptor: 1), format: format, names: names)
    }
    var extract: PacketExtract?
    if let path = command.write {
      extract = try PacketExtract(path: path, content: command.decapsulate ? .inner : .whole, names: names)
    }
    var selective = SelectiveDecoder(
      decoder: decoder, selection: selection, lines: lines, extract: extract)
    selective.begin(files: command.files)
    for file in command.files where end == nil { end = selective.read(file, mode) }
    return try conclude(selective.report(), interrupted: end == .interrupted)
  }

  /// Prints the report and what is to be said about it; gives the exit code.
  private func conclude(_ report: consuming DecodeReport, interrupted: Bool) throws(CaptureError) -> Int32 {
    if command.by != .packet {
      var output = TextOutput(descriptor: 1)
      switch command.output {
      case .table: report.writeTable(to: &output, by: command.by, names: names)
      case .json: report.writeJSON(to: &output, names: names)
      case .csv: report.writeCSV(to: &output, by: command.by, names: names)
      }
      output.flush()
    }
    if let folder = command.wireshark {
      mkdir(folder, 0o755)
      try WiresharkProfile.write(to: folder, report, names, ports)
    }
    for diagnostic in report.diagnostics { complain("\(diagnostic)") }
    let shown = UInt64(report.diagnostics.count)
    let all = report.counts.malformed + report.counts.truncated + report.counts.vniZero
    if all > shown { complain("and \(all - shown) packets more like these") }
    for diagnostic in report.contradictions(names) { complain("\(diagnostic)") }
    var differs = false
    if let expectation {
      for line in expectation.differences(from: Expectation(report)) {
        complain(line)
        differs = true
      }
    }
    if report.diagnostics.contains(where: { $0.kind == .file }) || report.counts.malformed > 0 { return 2 }
    if interrupted { return 130 }
    return differs ? 1 : 0
  }

  /// A bar on the terminal for files that take a while; nothing where standard error is none.
  private func progressBar() -> (UInt64, UInt64?) -> Void {
    guard isatty(2) == 1, command.by != .packet || isatty(1) == 0 else { return { _, _ in } }
    let step: UInt64 = 64 << 20
    return { done, size in
      guard let size, size >= 4 * step, done % step < 256 << 10 || done == size else { return }
      let filled = Int(done * 40 / max(size, 1))
      let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: max(0, 40 - filled))
      let line = done >= size ? "\r\u{1b}[K" : "\r[\(bar)] \(done * 100 / size)%"
      _ = line.withCString { Glibc.write(2, $0, strlen($0)) }
    }
  }
}
