// A libFuzzer target over everything that reads octets from outside: captures of either format, each header parser
// by link type, the field map of `pcap diff`, lines and extracts, names files and expectations. Run by
// scripts/fuzz.sh decode.
@testable import Capture

/// Takes packets by the quick way and the long way, which must agree.
struct BothWays: PacketSink, ~Copyable {
  var quick = Decoder()
  var long = Decoder()

  mutating func take(_ packet: CapturedPacket) {
    if !quick.takeQuickly(packet) { quick.take(packet) }
    long.take(packet)
  }
}

func render(_ report: borrowing DecodeReport) -> String {
  var output = TextOutput()
  report.writeJSON(to: &output, names: ReportNames())
  report.writeTable(to: &output, by: .flow, names: ReportNames())
  return output.text
}

/// Prints and writes what a capture holds, as `--by packet` and `--write` do.
func printAndWrite(_ octets: [UInt8], _ kind: UInt8) {
  let format: PacketLines.Format = kind & 0x40 != 0 ? .json : kind & 0x20 != 0 ? .csv : .text
  var lines: PacketLines? = PacketLines(output: TextOutput(), format: format, names: ReportNames())
  lines?.begin(files: ["fuzz"])
  var extract: PacketExtract?
  if kind & 0x10 != 0 {
    extract = try? PacketExtract(
      path: "/dev/null", content: kind & 0x80 != 0 ? .inner : .whole, names: ReportNames())
    lines = nil
  }
  var sink = SelectiveDecoder(
    decoder: Decoder(), selection: PacketSelection(), lines: lines.take(), extract: extract.take())
  var reader = CaptureReader(name: "fuzz", memory: octets)
  try? reader.read(into: &sink)
  _ = sink.report()
}

let links: [LinkType] = [.ethernet, .null, .raw, .loop, .linuxSLL, .linuxSLL2, .ipv4, .ipv6]

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOne(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let octets = Array(UnsafeBufferPointer(start: start, count: count))
  guard let kind = octets.first else { return 0 }
  let rest = Array(octets.dropFirst())
  switch kind & 3 {
  case 0:
    // A whole capture.
    var sink = BothWays()
    var reader = CaptureReader(name: "fuzz", memory: rest)
    do { try reader.read(into: &sink) } catch {
      sink.quick.fail(error)
      sink.long.fail(error)
    }
    let (quick, long) = (render(sink.quick.report()), render(sink.long.report()))
    precondition(quick == long, "the quick way differs from the long way")
    printAndWrite(rest, kind)
  case 1:
    // One packet of one link type, cut or whole; and two halves of the input as packets that differ.
    let link = links[Int(kind >> 2 & 7)]
    let half = rest.count / 2
    func kept(_ octets: ArraySlice<UInt8>) -> CaptureDifference.Kept {
      CaptureDifference.Kept(octets: Array(octets), original: octets.count, time: 0, linkType: link)
    }
    _ = CaptureDifference(ignoring: kind & 0x80 != 0 ? [.checksum, .ipID] : [])
      .firstDifference(kept(rest[..<half]), kept(rest[half...]))
    let extra = kind & 0x20 != 0 ? 9000 : 0
    rest.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      _ = TunnelDissection(
        CapturedPacket(
          base: base, captured: bytes.count, original: bytes.count + extra, time: 0,
          linkType: link), ports: DecodingPorts())
    }
  case 2:
    var names = IdentityNames()
    try? names.read(rest, file: "fuzz")
    var endpoints = EndpointNames()
    try? endpoints.read(rest, file: "fuzz")
  default:
    // An Ethernet packet by both ways.
    var sink = BothWays()
    rest.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      sink.take(
        CapturedPacket(base: base, captured: bytes.count, original: bytes.count, time: 0, linkType: .ethernet)
      )
    }
    let (quick, long) = (render(sink.quick.report()), render(sink.long.report()))
    precondition(quick == long, "the quick way differs from the long way")
  }
  return 0
}
