import TestSupport
import Testing
import Wire

@Suite struct CIDRTests {
  @Test(arguments: [
    ("10.1.2.3/8", "10.0.0.0/8"), ("10.244.0.0/16", "10.244.0.0/16"), ("1.2.3.4/32", "1.2.3.4/32"),
    ("255.255.255.255/0", "0.0.0.0/0"), ("255.255.255.255/1", "128.0.0.0/1"),
    ("1.2.3.255/31", "1.2.3.254/31"),
    ("fd00:10:244::1/56", "fd00:10:244::/56"), ("ffff:ffff:ffff:ffff:ffff::/64", "ffff:ffff:ffff:ffff::/64"),
    ("ffff::ffff/128", "ffff::ffff/128"), ("ffff::ffff/127", "ffff::fffe/127"), ("ffff::/0", "::/0"),
    ("::1:ffff:ffff:ffff:ffff/65", "::1:8000:0:0:0/65"),
    ("ffff:ffff:ffff:ffff::/63", "ffff:ffff:ffff:fffe::/63"),
  ])
  func read(_ text: String, _ written: String) throws {
    let prefix = try #require(CIDR(text))
    #expect(prefix.description == written)
    #expect(CIDR(written) == prefix)
  }

  @Test(arguments: [
    "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/08",
    "10.0.0.0/8/8",
    "/8", "::/129", "::/99999999999999999999", "10.0.0.0/ 8", "10.0.0.0/٨",
  ])
  func refused(_ text: String) { #expect(CIDR(text) == nil) }

  @Test func lengthsOutOfRange() {
    let address = IPAddress("10.0.0.1")!
    for length in [-1, 33, Int.min, Int.max] { #expect(CIDR(address, prefixLength: length) == nil) }
    #expect(CIDR(IPAddress("::")!, prefixLength: 129) == nil)
    #expect(CIDR(address).description == "10.0.0.1/32")
    #expect(CIDR(IPAddress("::1")!).description == "::1/128")
  }

  @Test(arguments: [-1, 0, 33, 64, 127, 128, 129, Int.min, Int.max])
  func maskingNeverTraps(_ length: Int) {
    let v4 = IPAddress("255.255.255.255")!.masked(to: length)
    let v6 = IPAddress("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")!.masked(to: length)
    if length <= 0 {
      #expect(v4 == IPAddress("0.0.0.0"))
      #expect(v6 == IPAddress("::"))
    } else {
      #expect(v4 == IPAddress("255.255.255.255"))
    }
  }

  @Test func containment() {
    let prefix = CIDR("10.244.0.0/16")!
    #expect(prefix.contains(IPAddress("10.244.255.255")!))
    #expect(!prefix.contains(IPAddress("10.245.0.0")!))
    #expect(!prefix.contains(IPAddress("::10.244.0.1")!))
    #expect(prefix.contains(CIDR("10.244.3.0/24")!))
    #expect(prefix.contains(prefix))
    #expect(!prefix.contains(CIDR("10.0.0.0/8")!))
    #expect(prefix.overlaps(CIDR("10.0.0.0/8")!))
    #expect(!prefix.overlaps(CIDR("10.245.0.0/16")!))
    #expect(!CIDR("0.0.0.0/0")!.overlaps(CIDR("::/0")!))
    #expect(CIDR("::/0")!.contains(IPAddress("ffff::")!))
  }

  @Test func containmentAgreesWithTheBits() {
    var random = SplitMix64(seed: 4)
    for _ in 0..<2000 {
      let base = UInt32.random(in: 0 ... .max, using: &random)
      let length = Int.random(in: 0...32, using: &random)
      // Differs from the base in one bit.
      let bit = Int.random(in: 0..<32, using: &random)
      let other = IPAddress.v4(IPv4Address(bits: base ^ 1 << UInt32(31 - bit)))
      let prefix = CIDR(.v4(IPv4Address(bits: base)), prefixLength: length)!
      #expect(prefix.contains(other) == (bit >= length))

      let (high, low) = (random.next(), random.next())
      let length6 = Int.random(in: 0...128, using: &random)
      let bit6 = Int.random(in: 0..<128, using: &random)
      let other6 = IPv6Address(
        high: bit6 < 64 ? high ^ 1 << UInt64(63 - bit6) : high,
        low: bit6 < 64 ? low : low ^ 1 << UInt64(127 - bit6))
      let prefix6 = CIDR(.v6(IPv6Address(high: high, low: low)), prefixLength: length6)!
      #expect(prefix6.contains(.v6(other6)) == (bit6 >= length6))
    }
  }

  @Test func addressesByNumber() {
    let pods = CIDR("10.244.1.0/24")!
    #expect(pods.count == 256)
    #expect(pods.address(at: 0) == IPAddress("10.244.1.0"))
    #expect(pods.address(at: 255) == IPAddress("10.244.1.255"))
    #expect(pods.address(at: 256) == nil)
    #expect(CIDR("0.0.0.0/0")!.address(at: 0xffff_ffff) == IPAddress("255.255.255.255"))
    #expect(CIDR("0.0.0.0/0")!.address(at: 0x1_0000_0000) == nil)
    #expect(CIDR("1.2.3.4/32")!.address(at: 0) == IPAddress("1.2.3.4"))
    #expect(CIDR("1.2.3.4/32")!.address(at: 1) == nil)
    #expect(CIDR("1.2.3.4/32")!.count == 1)
    #expect(CIDR("fd00::/64")!.count == .max)
    #expect(CIDR("fd00::/65")!.count == 1 << 63)
    #expect(CIDR("fd00::/64")!.address(at: .max) == IPAddress("fd00::ffff:ffff:ffff:ffff"))
    #expect(CIDR("fd00::/8")!.address(at: 10) == IPAddress("fd00::a"))
    #expect(CIDR("::/65")!.address(at: 1 << 63) == nil)
  }

  @Test func order() {
    let texts = ["0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "::/0", "fd00::/8"]
    let prefixes = texts.map { CIDR($0)! }
    #expect(prefixes.reversed().sorted() == prefixes)
  }
}
