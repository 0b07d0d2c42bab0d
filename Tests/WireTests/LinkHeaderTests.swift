import TestSupport
import Testing
import Wire

@Suite struct LinkHeaderTests {
  @Test func ethernet() throws {
    let header = EthernetHeader(
      destination: MACAddress("ff:ff:ff:ff:ff:ff")!, source: MACAddress("02:42:ac:12:00:03")!, type: .arp)
    let bytes = hex("ff ff ff ff ff ff 02 42 ac 12 00 03 08 06")
    try expectContract(header, bytes)
    #expect(
      throws: WireError.truncated(.ethernet, field: "header", needed: 14, had: 13)
    ) { try EthernetHeader(parsing: Array(bytes[..<13])) }
  }

  @Test func vlan() throws {
    try expectContract(
      VLANHeader(id: 0x123, priority: 5, dropEligible: true, type: .ipv4), hex("b1 23 08 00"))
    expectInvalid("id", VLANHeader(id: 4096))
    expectInvalid("priority", VLANHeader(id: 1, priority: 8))
  }

  @Test func doubleTag() throws {
    let frame = try Frame.build([
      .ethernet(EthernetHeader(destination: server, source: client, type: .serviceVLAN)),
      .vlan(VLANHeader(id: 100)), .vlan(VLANHeader(id: 7)),
      .arp(
        ARPHeader(
          operation: .request, senderMAC: client, sender: IPv4Address(10, 0, 0, 1),
          target: IPv4Address(10, 0, 0, 2))),
    ])
    #expect(hex(frame[12..<22]) == "88 a8 00 64 81 00 00 07 08 06")
    #expect(Frame.dissect(frame).layers.map(\.name) == [.ethernet, .vlan, .vlan, .arp])
  }

  @Test func arp() throws {
    let header = ARPHeader(
      operation: .reply, senderMAC: MACAddress("02:42:ac:12:00:03")!, sender: IPv4Address(172, 18, 0, 3),
      targetMAC: MACAddress("02:42:ac:12:00:02")!, target: IPv4Address(172, 18, 0, 2))
    let bytes = hex(
      "00 01 08 00 06 04 00 02 02 42 ac 12 00 03 ac 12 00 03 02 42 ac 12 00 02 ac 12 00 02")
    try expectContract(header, bytes)
    for index in 0..<6 {
      var other = bytes
      other[index] ^= 1
      #expect(throws: WireError.self) { try ARPHeader(parsing: other) }
    }
  }

  @Test func linuxCooked() throws {
    let header = LinuxCookedHeader(
      type: .ipv6, interfaceIndex: 11, packetType: 4, address: 0x0242_ac12_0003_0000)
    try expectContract(
      header, hex("86 dd 00 00 00 00 00 0b 00 01 04 06 02 42 ac 12 00 03 00 00"))
    #expect(header.mac == MACAddress("02:42:ac:12:00:03"))
    var other = header
    other.addressLength = 0
    #expect(other.mac == nil)
    #expect(
      Frame.dissect(try header.octets(), as: .linuxCooked).error
        == .truncated(.ipv6, field: "header", needed: 40, had: 0))
  }
}
