import Capture
import Testing
import Wire

private func conversation() -> [UInt8] {
  var back = TunnelFrame(vni: 4)
  (back.client, back.server) = (back.server, back.client)
  (back.sourcePort, back.destinationPort) = (80, 40000)
  var six = TunnelFrame(port: 6081, vni: 300, inner: .icmp6)
  six.link = .ethernet
  return capture([TunnelFrame(), back, TunnelFrame(), six].map { ($0.bytes(), .ethernet) })
}

@Test func `JSON is ciliate.decode v1, key by key`() {
  var output = TextOutput()
  decode(conversation()).writeJSON(to: &output, names: ReportNames())
  let expected = """
    {"schema":"ciliate.decode/v1","files":["test"],"packets":4,"tunnelPackets":4,"identities":[\
    {"vni":62651,"name":null,"packets":2,"bytes":108},{"vni":4,"name":"health","packets":1,"bytes":54},\
    {"vni":300,"name":null,"packets":1,"bytes":62}],"flows":[
    {"tunnel":"vxlan","outer":{"src":"172.18.0.5","dst":"172.18.0.3"},"vni":62651,"inner":{"src":"10.244.1.6",\
    "dst":"10.244.3.193","protocol":"TCP","sport":40000,"dport":80},"packets":2,"bytes":108,"first":"1000000",\
    "last":"3000000","reverse":1},
    {"tunnel":"vxlan","outer":{"src":"172.18.0.5","dst":"172.18.0.3"},"vni":4,"inner":{"src":"10.244.3.193",\
    "dst":"10.244.1.6","protocol":"TCP","sport":80,"dport":40000},"packets":1,"bytes":54,"first":"2000000",\
    "last":"2000000","reverse":0},
    {"tunnel":"geneve","outer":{"src":"172.18.0.5","dst":"172.18.0.3"},"vni":300,"inner":{\
    "src":"fd00:10:244:1::60","dst":"fd00:10:244:1::93","protocol":"ICMPv6","sport":null,"dport":null},\
    "packets":1,"bytes":62,"first":"4000000","last":"4000000","reverse":null}],"malformed":0}

    """
  #expect(output.text == expected)
}

@Test func `table and CSV`() {
  var table = TextOutput()
  decode(conversation()).writeTable(to: &table, by: .flow, names: ReportNames())
  let expected = """
    test: 4 packets, 4 of tunnels

    IDENTITY    PACKETS  BYTES  PEERS  NODES
    62651             2    108  4      172.18.0.5 > 172.18.0.3
    4 (health)        1     54  62651  172.18.0.5 > 172.18.0.3
    300               1     62  -      172.18.0.5 > 172.18.0.3

    PROTOCOL  SOURCE             IDENTITY  DESTINATION        IDENTITY    PACKETS  REPLIES  BYTES  REPLIED  SECONDS  TUNNEL
    TCP       10.244.1.6:40000   62651     10.244.3.193:80    4 (health)        2        1    108       54    0.002  vxlan 172.18.0.5 > 172.18.0.3
    ICMPv6    fd00:10:244:1::60  300       fd00:10:244:1::93  -                 1        0     62        0    0.000  geneve 172.18.0.5 > 172.18.0.3

    """
  #expect(table.text == expected)
  var csv = TextOutput()
  decode(conversation()).writeCSV(to: &csv, by: .identity, names: ReportNames())
  #expect(csv.text == "vni,name,packets,bytes\n62651,,2,108\n4,health,1,54\n300,,1,62\n")
  var flows = TextOutput()
  decode(conversation()).writeCSV(to: &flows, by: .flow, names: ReportNames())
  #expect(
    flows.text.hasPrefix(
      "tunnel,outer_src,outer_dst,vni,name,src,dst,protocol,sport,dport,packets,bytes,first,last,reverse\n"
        + "vxlan,172.18.0.5,172.18.0.3,62651,,10.244.1.6,10.244.3.193,TCP,40000,80,2,108,1000000,3000000,1\n")
  )
}

@Test func `names from outside cannot drive the terminal`() {
  var names = ReportNames()
  names.identities.set(62651, labels: ["k8s:a=\u{1b}[31m\"x\",y\n"])
  for format in 0..<3 {
    var output = TextOutput()
    let report = decode(conversation())
    switch format {
    case 0: report.writeTable(to: &output, by: .flow, names: names)
    case 1: report.writeJSON(to: &output, names: names)
    default: report.writeCSV(to: &output, by: .flow, names: names)
    }
    #expect(!output.text.unicodeScalars.contains("\u{1b}") && output.text.contains("\\u001b[31m"))
  }
}

/// Runs a selective decoder over a capture in a file.
private func select(
  _ bytes: [UInt8], filter: String? = nil, from: UInt64? = nil, to: UInt64? = nil, extract: String? = nil,
  content: PacketExtract.Content = .whole
) throws -> DecodeReport {
  let folder = try TemporaryFolder()
  try OutputFile.write(bytes, to: "\(folder.path)/in.pcapng")
  var writer: PacketExtract?
  if let extract { writer = try PacketExtract(path: extract, content: content, names: ReportNames()) }
  var selective = SelectiveDecoder(
    decoder: Decoder(),
    selection: PacketSelection(from: from, to: to, filter: try filter.map { try PacketFilter($0) }),
    lines: nil,
    extract: writer)
  _ = selective.read("\(folder.path)/in.pcapng", ReadingMode())
  return selective.report()
}

@Test(arguments: [
  ("tcp port 80", 3), ("outer:tcp port 80", 0), ("inner:tcp port 80", 3), ("host 172.18.0.5", 4),
  ("inner:host 172.18.0.5", 0), ("udp port 6081", 1), ("icmp6", 1), ("inner:src host 10.244.3.193", 1),
])
func `filters hold outside, inside, or either`(expression: String, packets: UInt64) throws {
  #expect(try select(conversation(), filter: expression).counts.packets == packets)
}

@Test func `a filter that libpcap refuses, and times`() throws {
  #expect(throws: CaptureError.self) { try PacketFilter("tcp prot 80") }
  #expect(try select(conversation(), from: 2_000_000, to: 3_000_000).counts.packets == 2)
}

@Test func `an extract has the inner frames, with identities as comments`() throws {
  let folder = try TemporaryFolder()
  let path = "\(folder.path)/out.pcapng"
  let report = try select(conversation(), filter: "inner:tcp", extract: path, content: .inner)
  #expect(report.counts.packets == 3)
  let bytes = try readWholeFile(path)
  let (sink, error) = CollectedPackets.read(bytes)
  #expect(error == nil)
  #expect(sink.packets.map(\.octets.count) == [54, 54, 54])
  #expect(sink.packets.first?.octets == Array(TunnelFrame().bytes()[50...]))
  #expect(
    String(decoding: bytes, as: UTF8.self).contains("identity 4 (health), vxlan 172.18.0.5 > 172.18.0.3"))
}

@Test func `an expectation tells what is missing and what is too much`() throws {
  let expected = Expectation(decode(conversation()))
  var other = TunnelFrame(vni: 777)
  other.sourcePort = 41111
  let found = Expectation(decode(capture([other, TunnelFrame()].map { ($0.bytes(), .ethernet) })))
  #expect(expected.differences(from: expected).isEmpty)
  #expect(
    expected.differences(from: found) == [
      "missing: identity 4", "missing: identity 300",
      "missing: TCP 10.244.3.193:80 -> 10.244.1.6:* with identity 4",
      "missing: ICMPv6 fd00:10:244:1::60 -> fd00:10:244:1::93 with identity 300",
      "unexpected: identity 777",
      "unexpected: TCP 10.244.1.6:* -> 10.244.3.193:80 with identity 777",
    ])
  // The JSON report says the same as the capture.
  let folder = try TemporaryFolder()
  var output = TextOutput()
  decode(conversation()).writeJSON(to: &output, names: ReportNames())
  try OutputFile.write(output.bytes, to: "\(folder.path)/e.json")
  let read = try Expectation(file: "\(folder.path)/e.json", ports: DecodingPorts())
  #expect(read.differences(from: expected).isEmpty && expected.differences(from: read).isEmpty)
}

/// Compares two captures and gives the lines told.
private func difference(_ a: [UInt8], _ b: [UInt8], _ ignoring: Set<CaptureDifference.Ignorable> = []) throws
  -> [String]
{
  let folder = try TemporaryFolder()
  try OutputFile.write(a, to: "\(folder.path)/a")
  try OutputFile.write(b, to: "\(folder.path)/b")
  var told: [String] = []
  var comparison = CaptureDifference(ignoring: ignoring)
  try comparison.compare("\(folder.path)/a", "\(folder.path)/b") { told.append($0) }
  return told.map { $0.replacing("\(folder.path)/", with: "") }
}

@Test func `pcap diff names the first differing field`() throws {
  let frame = TunnelFrame().bytes()
  func changed(_ changes: [Int: UInt8]) -> [UInt8] {
    var bytes = frame
    for (place, octet) in changes { bytes[place] = octet }
    return bytes
  }
  let cases: [([Int: UInt8], Set<CaptureDifference.Ignorable>, String?)] = [
    ([:], [], nil), ([22: 63], [], "ip.ttl (octet 22): 64 != 63"),
    ([46: 1], [], "vxlan.vni (octet 46): 62651 != 128187"),
    ([29: 9], [], "ip.src (octet 26): 172.18.0.5 != 172.18.0.9"),
    ([18: 1, 72: 63], [.ipID], "inner.ip.ttl (octet 72): 64 != 63"),
    ([24: 1, 74: 1, 100: 1], [.checksum], nil),
    ([100: 1], [], "inner.tcp.checksum (octet 100): 0 != 256"),
    ([68: 1], [.ipID], nil), ([0: 3], [], "eth.dst (octet 0): 02:42:ac:12:00:03 != 03:42:ac:12:00:03"),
  ]
  for (changes, ignoring, text) in cases {
    let lines = try difference(
      capture([(frame, .ethernet)]), capture([(changed(changes), .ethernet)]), ignoring)
    #expect(lines.dropLast() == (text.map { ["packet 1: \($0)"] } ?? [])[...])
    #expect(lines.last == "1 packets compared, \(text == nil ? 0 : 1) differ")
  }
  #expect(
    try difference(capture([(frame, .ethernet), (frame, .ethernet)]), capture([(frame + [1], .ethernet)]))
      == [
        "packet 1: length on the wire: 104 != 105", "packet 2: only in a", "2 packets compared, 2 differ",
      ])
}
