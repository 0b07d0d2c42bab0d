import TestSupport
import Testing
import Wire

@Suite struct TunnelTests {
  @Test func vxlan() throws {
    try expectContract(VXLANHeader(vni: 62651), hex("08 00 00 00 00 f4 bb 00"))
    try expectContract(
      VXLANHeader(vni: 0xff_ffff, flags: 0x88, reserved: 0x01_0203, reservedTail: 9),
      hex("88 01 02 03 ff ff ff 09"))
    #expect(try VXLANView(hex("08 00 00 00 00 f4 bb 00").span.bytes).hasVNI)
    expectInvalid("vni", VXLANHeader(vni: 1 << 24))
    expectInvalid("reserved", VXLANHeader(vni: 1, reserved: 1 << 24))
  }

  @Test func geneve() throws {
    try expectContract(GeneveHeader(vni: 62651), hex("00 00 65 58 00 f4 bb 00"))
    let header = GeneveHeader(
      vni: 1, flags: GeneveHeader.criticalFlag | GeneveHeader.controlFlag, reserved: 5,
      options: [
        .option(class: 0x0102, type: 0x80, data: [1, 2, 3, 4]), .option(class: 0, type: 0, data: []),
      ])
    try expectContract(header, hex("03 c0 65 58 00 00 01 05 01 02 80 01 01 02 03 04 00 00 00 00"))
    #expect(throws: WireError.invalid(.geneve, field: "version", needed: "0", had: 1)) {
      try GeneveHeader(parsing: hex("40 00 65 58 00 00 01 00"))
    }
    expectInvalid("vni", GeneveHeader(vni: 1 << 24))
    expectInvalid("options", GeneveHeader(vni: 1, options: GeneveOptions(octets: [1, 2])))
    expectInvalid(
      "options", GeneveHeader(vni: 1, options: GeneveOptions(octets: [UInt8](repeating: 0, count: 256))))
  }

  @Test func geneveOptions() {
    let options: GeneveOptions = [
      .option(class: 1, type: 2, reserved: 7, data: [1, 2, 3, 4]), .option(class: 3, type: 4, data: []),
    ]
    #expect(options.octets == hex("00 01 02 e1 01 02 03 04 00 03 04 00"))
    #expect(options.list.count == 2)
    #expect(GeneveOptions(options.list) == options)
    #expect(
      GeneveOption.option(class: 1, type: 2, data: [9])
        == .option(class: 1, type: 2, reserved: 0, data: [9, 0, 0, 0]))
    #expect(
      GeneveOptions(octets: hex("00 01 02 02 01 02 03 04")).list == [
        .malformed(hex("00 01 02 02 01 02 03 04"))
      ])
    #expect(GeneveOptions(octets: [0, 1]).list == [.malformed([0, 1])])
  }

  @Test func serviceTag() throws {
    let v4 = ServiceTag(address: .v4(IPv4Address(10, 96, 0, 10)), port: 80)
    #expect(GeneveOptions([v4.geneveOption]).octets == hex("01 4b 81 02 0a 60 00 0a 00 50 00 00"))
    #expect(ServiceTag(v4.geneveOption) == v4)
    let v6 = ServiceTag(address: .v6(pod6), port: 8080)
    #expect(
      GeneveOptions([v6.geneveOption]).octets
        == hex("01 4b 81 05 fd 00 00 10 02 44 00 01 00 00 00 00 00 00 00 0a 1f 90 00 00"))
    #expect(ServiceTag(v6.geneveOption) == v6)

    // In IPv4's option both fields are swapped.
    let option = try #require(v4.ipv4Option)
    #expect(IPv4Options([option]).octets == hex("9a 08 50 00 0a 00 60 0a"))
    #expect(ServiceTag(option) == v4)
    let destination = try #require(v6.ipv6Option)
    #expect(
      try IPv6OptionsHeader([destination], nextHeader: .tcp).octets()
        == hex("06 02 1b 14 fd 00 00 10 02 44 00 01 00 00 00 00 00 00 00 0a 1f 90 00 00"))
    #expect(ServiceTag(destination) == v6)
    #expect(v6.ipv4Option == nil)
    #expect(v4.ipv6Option == nil)
  }

  @Test(arguments: [
    GeneveOption.option(class: 0x014b, type: 0x01, data: [UInt8](repeating: 0, count: 8)),
    .option(class: 0x014c, type: 0x81, data: [UInt8](repeating: 0, count: 8)),
    .option(class: 0x014b, type: 0x81, data: []), .option(class: 0x014b, type: 0x81, data: [1, 2, 3, 4]),
    .malformed([]),
  ])
  func otherOptionsAreNoServiceTag(_ option: GeneveOption) {
    #expect(ServiceTag(option) == nil)
  }
}
