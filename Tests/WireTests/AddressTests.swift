import TestSupport
import Testing
import Wire

@Suite struct AddressTests {
  @Test(arguments: [
    ("0.0.0.0", 0), ("10.244.1.10", 0x0af4_010a), ("255.255.255.255", 0xffff_ffff), ("1.2.3.4", 0x0102_0304),
  ])
  func ipv4(_ text: String, _ bits: UInt32) throws {
    let address = try #require(IPv4Address(text))
    #expect(address.bits == bits)
    #expect(address.description == text)
    #expect(
      address.octets == [
        UInt8(bits >> 24), UInt8(bits >> 16 & 255), UInt8(bits >> 8 & 255), UInt8(bits & 255),
      ])
    #expect(IPAddress(text) == .v4(address))
  }

  @Test(arguments: [
    "", ".", "1", "1.2.3", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.256", "01.2.3.4",
    "1.2.3.00", "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4/8", "1.2.3.99999999999",
    "１.2.3.4", "1.2.3.4\0",
  ])
  func notIPv4(_ text: String) {
    #expect(IPv4Address(text) == nil)
    #expect(IPAddress(text) == nil)
  }

  // Text as read, and as RFC 5952 writes it.
  @Test(arguments: [
    ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("fe80::1", "fe80::1"),
    ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
    ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"), ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
    ("0:0:0:0:0:0:0:0", "::"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
    ("::ffff:10.0.0.1", "::ffff:10.0.0.1"), ("::ffff:a00:1", "::ffff:10.0.0.1"),
    ("64:ff9b::10.0.0.1", "64:ff9b::a00:1"), ("::10.0.0.1", "::a00:1"), ("0001:02::0a", "1:2::a"),
    ("1:2:3:4:5:6:10.0.0.1", "1:2:3:4:5:6:a00:1"), ("0:0:1::", "0:0:1::"),
  ])
  func ipv6(_ text: String, _ written: String) throws {
    let address = try #require(IPv6Address(text))
    #expect(address.description == written)
    #expect(IPv6Address(written) == address)
    #expect(IPv6Address(octets: address.octets) == address)
    #expect(address.groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] } == address.octets)
    #expect(IPAddress(text) == .v6(address))
  }

  @Test(arguments: [
    "", ":", ":::", "1", "1:", ":1", "::1:", ":1::", "1:::2", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "12345::", "g::", "::1%eth0", "1:2:3:4:5:6:7:10.0.0.1",
    "10.0.0.1::", "::10.0.0", "::10.0.0.1:1", "+1::", "-1::", "::+1", " ::1", "1:2:3:4::5:6:7:8", "::1/64",
  ])
  func notIPv6(_ text: String) {
    #expect(IPv6Address(text) == nil)
    #expect(IPAddress(text) == nil)
  }

  @Test func ipv6Octets() {
    let octets = (1...16).map { UInt8($0) }
    let address = IPv6Address(high: 0x0102_0304_0506_0708, low: 0x090a_0b0c_0d0e_0f10)
    #expect(address.octets == octets)
    #expect(IPv6Address(octets: octets) == address)
    #expect(IPv6Address(octets: octets.dropLast()) == nil)
    #expect(IPv6Address(octets: octets + [1]) == nil)
  }

  @Test func ipv6Kinds() {
    #expect(IPv6Address("fe80::1")!.isLinkLocal)
    #expect(IPv6Address("febf::1")!.isLinkLocal)
    #expect(!IPv6Address("fec0::1")!.isLinkLocal)
    #expect(IPv6Address("ff02::1")!.isMulticast)
    #expect(!IPv6Address("fe80::1")!.isMulticast)
  }

  @Test func textOfRandomAddressesIsReadBack() {
    var random = SplitMix64(seed: 3)
    for _ in 0..<2000 {
      // Few distinct groups, so that runs of zeros are common.
      let groups = (0..<8).map { _ in
        random.next() % 3 == 0 ? UInt16.random(in: 0 ... .max, using: &random) : 0
      }
      let v6 = IPv6Address(octets: groups.flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] })!
      #expect(IPv6Address(v6.description) == v6)
      let v4 = IPv4Address(bits: UInt32.random(in: 0 ... .max, using: &random))
      #expect(IPv4Address(v4.description) == v4)
      let mac = MACAddress(bits: random.next())
      #expect(MACAddress(mac.description) == mac)
    }
  }

  @Test func order() {
    let texts = ["0.0.0.1", "9.0.0.0", "10.0.0.0", "255.0.0.0", "::", "::2", "1::", "ff::1"]
    let addresses = texts.map { IPAddress($0)! }
    #expect(addresses.reversed().sorted() == addresses)
    #expect(addresses.map(\.bitWidth) == [32, 32, 32, 32, 128, 128, 128, 128])
    #expect(addresses[0].v6 == nil && addresses[0].v4 == IPv4Address(0, 0, 0, 1))
    #expect(addresses[4].v4 == nil && addresses[4].v6 == .unspecified)
  }

  @Test func mac() {
    let mac = MACAddress("0a:58:0A:f4:01:0a")!
    #expect(mac.bits == 0x0a58_0af4_010a)
    #expect(mac.octets == [0x0a, 0x58, 0x0a, 0xf4, 0x01, 0x0a])
    #expect(mac.description == "0a:58:0a:f4:01:0a")
    #expect(!mac.isMulticast)
    #expect(MACAddress.broadcast.isMulticast)
    #expect(MACAddress("01:00:5e:00:00:01")!.isMulticast)
    #expect(MACAddress(bits: .max) == .broadcast)
  }

  @Test(arguments: [
    "", "0a:58:0a:f4:01", "0a:58:0a:f4:01:0a:00", "0a:58:0a:f4:01:a", "0a:58:0a:f4:01:0g",
    "0a-58-0a-f4-01-0a",
    "+a:58:0a:f4:01:0a", "-1:58:0a:f4:01:0a", "0a:58:0a:f4:01:", "0a580af4010a",
  ])
  func notMAC(_ text: String) { #expect(MACAddress(text) == nil) }
}
