/// Which packets of a capture are of interest.
public struct PacketSelection {
  /// Nanoseconds since the epoch; both ends are included.
  public var from: UInt64?
  public var to: UInt64?
  public var filter: PacketFilter?

  public init(from: UInt64? = nil, to: UInt64? = nil, filter: PacketFilter? = nil) {
    self.from = from
    self.to = to
    self.filter = filter
  }

  /// Whether every packet is.
  public var isEverything: Bool { from == nil && to == nil && filter == nil }
}

/// A decoder that counts a selection of packets, prints each and writes each, as asked.
public struct SelectiveDecoder: PacketSink, ~Copyable {
  private var decoder: Decoder
  private let selection: PacketSelection
  // What the quick way asks about each packet.
  private let first: UInt64
  private let last: UInt64
  private let needsDissection: Bool
  private var lines: PacketLines?
  private var extract: PacketExtract?

  public init(
    decoder: consuming Decoder, selection: PacketSelection, lines: consuming PacketLines?,
    extract: consuming PacketExtract?
  ) {
    self.decoder = decoder
    self.selection = selection
    first = selection.from ?? 0
    last = selection.to ?? .max
    needsDissection = selection.filter != nil || lines != nil
    self.lines = lines
    self.extract = extract
  }

  /// Prints what stands before the first packet.
  public mutating func begin(files: [String]) { lines?.begin(files: files) }

  /// Counts and writes what the decoder takes quickly, as long as nothing else of the packet is asked for.
  @inline(__always)
  public mutating func takeQuickly(_ packet: CapturedPacket) -> Bool {
    guard !needsDissection, packet.time >= first, packet.time <= last,
      let count = decoder.countQuickly(packet)
    else { return false }
    extract?.put(packet, count, decoder)
    return true
  }

  public mutating func take(_ packet: CapturedPacket) {
    if packet.time < first || packet.time > last { return }
    let dissection = TunnelDissection(packet, ports: decoder.ports)
    if let filter = selection.filter, !filter.matches(packet, dissection) { return }
    decoder.counts.packets &+= 1
    if packet.captured < packet.original { decoder.counts.cut &+= 1 }
    let number = decoder.count(dissection, packet)
    switch dissection {
    case .tunnel(let tunnel): lines?.put(packet, tunnel)
    case .plain(let dsr?): lines?.put(packet, dsr: dsr)
    default: break
    }
    extract?.put(packet, dissection, number, decoder)
  }

  /// Ends the counting: the lines are completed, the extract gets its name. The report has the error if that failed.
  public consuming func report() -> DecodeReport {
    var failure: CaptureError?
    do { try extract?.finish() } catch { failure = error }
    var lines = lines.take()
    var report = decoder.report()
    if let failure {
      report.diagnostics.append(
        Diagnostic(kind: .file, file: failure.file, offset: failure.offset, text: failure.reason))
    }
    lines?.end(report)
    return report
  }
}

/// How a file is read: to its end, or on and on.
public struct ReadingMode: ~Copyable {
  /// Called after each piece with the octets read and the file's size, where it is known.
  public var progress: (UInt64, UInt64?) -> Void
  public var following: Following?

  public init(
    following: consuming Following? = nil, progress: @escaping (UInt64, UInt64?) -> Void = { _, _ in }
  ) {
    self.following = following
    self.progress = progress
  }

  /// Reads into a sink; says why a followed capture ended.
  @inline(__always)
  func read<S: PacketSink & ~Copyable>(
    _ path: String, into sink: inout S, afterPiece: (inout S) -> Void
  ) throws(CaptureError) -> Following.End? {
    if following != nil, Following.isInterface(path) {
      return try following?.capture(interface: path, into: &sink, afterPiece: afterPiece)
    }
    var reader = try CaptureReader(path: path)
    if following != nil {
      return try following?.follow(&reader, into: &sink, afterPiece: afterPiece)
    }
    while try reader.advance(into: &sink) {
      afterPiece(&sink)
      progress(reader.progress.done, reader.progress.size)
    }
    try reader.finish()
    return nil
  }
}

// Both are written out, so that the whole way from octets to counts is compiled for the one type.
extension Decoder {
  /// Reads one file (`-` is standard input). A broken file ends with a diagnostic; its packets up to there are
  /// counted.
  public mutating func read(_ path: String, _ mode: borrowing ReadingMode) -> Following.End? {
    begin(file: path)
    do { return try mode.read(path, into: &self) { _ in } } catch { fail(error) }
    return nil
  }
}

extension SelectiveDecoder {
  /// Reads one file, as `Decoder` does; lines are out before the next piece is read.
  public mutating func read(_ path: String, _ mode: borrowing ReadingMode) -> Following.End? {
    decoder.begin(file: path)
    do {
      return try mode.read(path, into: &self) { $0.lines?.output.flush() }
    } catch {
      decoder.fail(error)
    }
    return nil
  }
}
