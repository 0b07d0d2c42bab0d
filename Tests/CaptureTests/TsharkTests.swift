import Capture
import Glibc
import Testing
import Wire

/// Runs a command and gives its lines.
func lines(of command: String) -> [Substring] {
  guard let stream = popen(command, "r") else { return [] }
  defer { pclose(stream) }
  var octets: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 65536)
  while true {
    let count = fread(&piece, 1, piece.count, stream)
    if count == 0 { break }
    octets += piece[..<count]
  }
  let text = String(decoding: octets, as: UTF8.self)
  if text.isEmpty { return [] }
  return text.hasSuffix("\n")
    ? text.dropLast().split(separator: "\n", omittingEmptySubsequences: false)
    : text.split(separator: "\n", omittingEmptySubsequences: false)
}

/// A folder that goes with its last use.
struct TemporaryFolder: ~Copyable {
  let path: String

  init() throws {
    var template = Array("/tmp/ciliate-capture-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) != nil }
    try #require(made)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { _ = lines(of: "rm -rf '\(path)'") }
}

/// What tshark's fields of a packet are, by this decoder.
private struct TsharkFields: PacketSink {
  var rows: [String] = []

  mutating func take(_ packet: CapturedPacket) {
    let dissection = TunnelDissection(packet, ports: DecodingPorts())
    guard case .tunnel(let tunnel) = dissection else {
      rows.append("-")
      return
    }
    var columns = [[String]](repeating: [], count: 11)
    columns[tunnel.tunnel == .vxlan ? 0 : 1] = ["\(tunnel.vni)"]
    func addresses(_ source: IPAddress, _ destination: IPAddress) {
      let place = source.family == .ipv4 ? 2 : 4
      columns[place].append("\(source)")
      columns[place + 1].append("\(destination)")
    }
    addresses(tunnel.source, tunnel.destination)
    columns[8].append("\(tunnel.sourcePort)")
    columns[9].append("\(tunnel.destinationPort)")
    if case .success(let inner) = tunnel.inner {
      if case .ip(let source) = inner.source, case .ip(let destination) = inner.destination {
        if inner.kind == .arp { columns[10] = ["\(source)"] } else { addresses(source, destination) }
      }
      if inner.transport == 6 || inner.transport == 17 {
        let place = inner.transport == 6 ? 6 : 8
        columns[place].append("\(inner.sourcePort)")
        columns[place + 1].append("\(inner.destinationPort)")
      }
    }
    rows.append(columns.map { $0.joined(separator: ",") }.joined(separator: "|"))
  }

  /// Takes away what tshark tells of the packet that an ICMP error quotes: that one was not sent here.
  private static func withoutQuotation(_ columns: inout [String]) {
    func parts(_ place: Int) -> [Substring] { columns[place].split(separator: ",") }
    if parts(2).count + parts(4).count > 2 {
      let family = parts(4).count > 1 ? 4 : 2
      for place in [family, family + 1] { columns[place] = parts(place).dropLast().joined(separator: ",") }
    }
    for place in 6...7 { columns[place] = "" }
    for place in 8...9 { columns[place] = String(parts(place)[0]) }
  }

  /// tshark's own rows, in the same form; "-" for packets without a tunnel.
  static func tshark(_ path: String) -> [String] {
    let fields = [
      "vxlan.vni", "geneve.vni", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport",
      "udp.srcport", "udp.dstport", "arp.src.proto_ipv4", "icmp.type", "icmpv6.type",
    ].map { "-e \($0)" }.joined(separator: " ")
    return lines(
      of: "tshark -r '\(path)' -n -d udp.port==8472,vxlan -T fields -E 'separator=|' \(fields) 2>/dev/null"
    ).map { line in
      var columns = line.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
      guard columns.count == 13, !columns[0].isEmpty || !columns[1].isEmpty else { return "-" }
      if columns[11...].contains(where: { !$0.isEmpty }) { withoutQuotation(&columns) }
      columns.removeLast(2)
      // Geneve's VNI is printed as 0x00000a.
      if columns[1].hasPrefix("0x") { columns[1] = "\(UInt32(columns[1].dropFirst(2), radix: 16) ?? .max)" }
      return columns.joined(separator: "|")
    }
  }
}

private let tsharkIsThere = !lines(of: "command -v tshark").isEmpty

@Suite(.enabled(if: tsharkIsThere, "no tshark on this machine"))
struct TsharkTests {
  /// Holds every packet of a capture against tshark.
  private func compare(_ path: String) throws -> Int {
    var ours = TsharkFields()
    var reader = try CaptureReader(path: path)
    try reader.read(into: &ours)
    let theirs = TsharkFields.tshark(path)
    try #require(theirs.count == ours.rows.count)
    for (number, pair) in zip(ours.rows, theirs).enumerated() where pair.0 != pair.1 {
      Issue.record("\(path) packet \(number + 1): ours \(pair.0), tshark's \(pair.1)")
    }
    return ours.rows.count { $0 != "-" }
  }

  @Test func `every kind of packet, generated, field by field`() throws {
    let folder = try TemporaryFolder()
    let wanted = getenv("CILIATE_TSHARK_PACKETS").flatMap { Int(String(cString: $0)) } ?? 6000
    var random = SplitMix(state: 11)
    var kinds: [(bytes: [UInt8], link: LinkType)] = []
    let all = TunnelFrame.allKinds()
    while kinds.count < wanted {
      var frame = all[kinds.count % all.count]
      frame.vni = UInt32.random(in: 1...0xff_ffff, using: &random)
      frame.client = IPv4Address(bits: UInt32.random(in: 0x0a00_0000...0x0aff_ffff, using: &random))
      // Ports that no dissector of tshark's claims.
      frame.sourcePort = UInt16.random(in: 61000...61999, using: &random)
      frame.destinationPort = UInt16.random(in: 62000...62999, using: &random)
      frame.payload = Int.random(in: 0..<60, using: &random)
      kinds.append((frame.bytes(), frame.link.type))
    }
    let path = "\(folder.path)/generated.pcapng"
    try OutputFile.write(capture(kinds), to: path)
    #expect(try compare(path) == kinds.count)
  }

  @Test func `the captures in pcaps`() throws {
    for path in lines(of: "find '\(SharedCaptures.root)/pcaps' -name '*.pcap*' -type f | sort") {
      _ = try compare(String(path))
    }
  }

  @Test(
    .enabled(if: SharedCaptures.areThere),
    arguments: [
      "vxlan_traffic.pcap", "dual_stack.pcap", "intra_pod.pcap", "tcpdump-geneve.pcap", "tcpdump-vxlan.pcap",
    ])
  func `the real captures`(name: String) throws {
    _ = try compare(try #require(SharedCaptures.path(name)))
  }

  @Test func `tshark reads interface names, comments and times of what is written`() throws {
    let folder = try TemporaryFolder()
    var writer = PcapngWriter()
    let index = writer.addInterface(name: "kind-worker2/eth0", linkType: .ethernet)
    writer.write(
      time: 1_700_000_000_123_456_789, interface: index, bytes: TunnelFrame().bytes(),
      comment: "to_overlay: forwarded",
      direction: .outbound)
    try OutputFile.write(writer.bytes, to: "\(folder.path)/a.pcapng")
    let row = lines(
      of: "tshark -r '\(folder.path)/a.pcapng' -d udp.port==8472,vxlan -T fields -e frame.interface_name "
        + "-e frame.comment -e frame.time_epoch -e vxlan.vni -e frame.packet_flags_direction 2>/dev/null")
    #expect(
      row == ["kind-worker2/eth0\tto_overlay: forwarded\t1700000000.123456789\t62651\t2"]
        || row == ["kind-worker2/eth0\tto_overlay: forwarded\t1700000000.123456789\t62651\t0x00000002"])
  }

  @Test func `Wireshark decodes by the profile that is written`() throws {
    let folder = try TemporaryFolder()
    let report = decode(capture([(TunnelFrame(port: 8472).bytes(), .ethernet)]))
    try WiresharkProfile.write(to: folder.path, report, ReportNames(), DecodingPorts())
    try OutputFile.write(capture([(TunnelFrame().bytes(), .ethernet)]), to: "\(folder.path)/a.pcapng")
    let row = lines(
      of:
        "WIRESHARK_CONFIG_DIR='\(folder.path)' tshark -r '\(folder.path)/a.pcapng' -T fields -e vxlan.vni 2>/dev/null"
    )
    #expect(row == ["62651"])
    let hosts = lines(
      of:
        "WIRESHARK_CONFIG_DIR='\(folder.path)' tshark -r '\(folder.path)/a.pcapng' -N n -T fields -e ip.src_host 2>/dev/null"
    )
    #expect(hosts == ["172.18.0.5,identity-62651"])
  }
}
