// A libFuzzer target over everything that reads octets from outside: captures of either format, each header parser
// by link type, names files. Run by scripts/fuzz.sh decode.
import Capture

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
  case 1:
    // One packet of one link type, cut or whole.
    let links: [LinkType] = [.ethernet, .null, .raw, .loop, .linuxSLL, .linuxSLL2, .ipv4, .ipv6]
    let extra = kind & 0x20 != 0 ? 9000 : 0
    rest.withUnsafeBytes { bytes in
      guard let base = bytes.baseAddress else { return }
      _ = Dissection(
        CapturedPacket(
          base: base, captured: bytes.count, original: bytes.count + extra, time: 0,
          linkType: links[Int(kind >> 2 & 7)]), ports: DecodingPorts())
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
