/// The files of a Wireshark profile that make it show a capture as this decoder does.
///
/// - `decode_as_entries`: the tunnel ports.
/// - `hosts`: pods by their addresses, or the identity that sends from an address.
/// - `dfilter_buttons`: a filter button for each identity, with its name.
///
/// Source: the Wireshark User's Guide, "Files and folders".
public enum WiresharkProfile {
  public static func decodeAs(_ ports: DecodingPorts) -> String {
    var lines = "# Decode As entries for Cilium's tunnels.\n"
    for port in ports.vxlan { lines += "decode_as_entry: udp.port,\(port),(none),VXLAN\n" }
    for port in ports.geneve { lines += "decode_as_entry: udp.port,\(port),(none),Geneve\n" }
    return lines
  }

  public static func hosts(_ report: borrowing DecodeReport, _ names: ReportNames) -> String {
    var lines: [(address: String, name: String)] = []
    var seen: Set<InnerPacket.Address> = []
    for (address, endpoint) in names.endpoints.endpoints.sorted(by: { $0.key < $1.key }) {
      seen.insert(.ip(address))
      lines.append(("\(address)", hostName(endpoint.name)))
    }
    for number in 0..<report.flowCount {
      let flow = report.flow(number)
      guard case .ip(let address) = flow.source, seen.insert(flow.source).inserted else { continue }
      let name = IdentityNames.reserved(flow.vni) ?? "identity"
      lines.append(("\(address)", "\(name)-\(flow.vni)"))
    }
    return "# Pods and identities.\n" + lines.map { "\($0.address)\t\($0.name)\n" }.joined()
  }

  public static func filterButtons(_ report: borrowing DecodeReport, _ names: ReportNames) -> String {
    var lines = "# One button per identity.\n"
    for identity in report.identities {
      let name = names.identities.name(identity.vni) ?? names.identities.scope(identity.vni)
      let label = name.map { "\(identity.vni) \($0)" } ?? "\(identity.vni)"
      lines +=
        "\"TRUE\",\"\(fieldText(label))\",\"vxlan.vni == \(identity.vni) || geneve.vni == \(identity.vni)\",\"\"\n"
    }
    return lines
  }

  /// A host name has letters, digits, hyphens and dots only.
  private static func hostName(_ text: String) -> String {
    String(
      text.map { character in
        character.isASCII && (character.isLetter || character.isNumber || character == "-") ? character : "."
      })
  }

  private static func fieldText(_ text: String) -> String {
    String(text.filter { $0 != "\"" && $0 != "\\" && !$0.isNewline })
  }

  /// Writes the three files into a folder that is there.
  public static func write(
    to folder: String, _ report: borrowing DecodeReport, _ names: ReportNames, _ ports: DecodingPorts
  ) throws(CaptureError) {
    try OutputFile.write(Array(decodeAs(ports).utf8), to: "\(folder)/decode_as_entries")
    try OutputFile.write(Array(hosts(report, names).utf8), to: "\(folder)/hosts")
    try OutputFile.write(Array(filterButtons(report, names).utf8), to: "\(folder)/dfilter_buttons")
  }
}
