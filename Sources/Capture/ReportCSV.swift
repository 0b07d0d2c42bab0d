extension TextOutput {
  /// A CSV field (RFC 4180), quoted where it has to be.
  mutating func put(csv text: String) {
    guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2c || $0 == 0x0a || $0 == 0x0d }) else {
      return put(escaped: text)
    }
    put("\"")
    for (place, part) in text.split(separator: "\"", omittingEmptySubsequences: false).enumerated() {
      if place > 0 { put("\"\"") }
      put(escaped: String(part))
    }
    put("\"")
  }
}

extension DecodeReport {
  /// Writes the report as CSV with a header line: one line per direction of a flow, or per identity.
  public func writeCSV(to output: inout TextOutput, by grouping: Grouping, names: ReportNames) {
    guard grouping == .flow else { return writeIdentitiesCSV(to: &output, names: names) }
    output.put(
      "tunnel,outer_src,outer_dst,vni,name,src,dst,protocol,sport,dport,packets,bytes,first,last,reverse\n")
    for number in 0..<flowCount {
      guard !output.failed else { return }
      let flow = flow(number)
      output.put(flow.tunnel == .vxlan ? "vxlan," : "geneve,")
      output.put(flow.outer.source)
      output.put(",")
      output.put(flow.outer.destination)
      output.put(",")
      output.put(UInt64(flow.vni))
      output.put(",")
      output.put(csv: names.identities.name(flow.vni) ?? "")
      output.put(",")
      output.put(flow.source)
      output.put(",")
      output.put(flow.destination)
      output.put(",")
      flow.kind.put(flow.transport, to: &output)
      output.put(",")
      if flow.hasPorts { output.put(UInt64(flow.sourcePort)) }
      output.put(",")
      if flow.hasPorts { output.put(UInt64(flow.destinationPort)) }
      for number in [flow.packets, flow.bytes, flow.first, flow.last] {
        output.put(",")
        output.put(number)
      }
      output.put(",")
      if let reverse = reverse(of: number) { output.put(UInt64(reverse)) }
      output.put("\n")
    }
  }

  private func writeIdentitiesCSV(to output: inout TextOutput, names: ReportNames) {
    output.put("vni,name,packets,bytes\n")
    for identity in identities {
      output.put(UInt64(identity.vni))
      output.put(",")
      output.put(csv: names.identities.name(identity.vni) ?? "")
      output.put(",")
      output.put(identity.packets)
      output.put(",")
      output.put(identity.bytes)
      output.put("\n")
    }
  }
}
