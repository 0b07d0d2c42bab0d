import MapABI
import Testing
import Wire

@Suite struct FlatTableTests {
  @Test func agreesWithADictionaryUnderRandomOperations() {
    var table = FlatTable<CTTuple4, UInt8>()
    var reference: [UInt32: UInt8] = [:]
    var state: UInt64 = 42
    func next() -> UInt32 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return UInt32(truncatingIfNeeded: state >> 33)
    }
    func key(_ n: UInt32) -> CTTuple4 {
      CTTuple4(daddr: n, saddr: 1, dport: 2, sport: 3, nexthdr: 6, flags: 0)
    }
    for _ in 0..<20_000 {
      let n = next() % 700
      if next() % 3 == 0 {
        table[key(n)] = nil
        reference[n] = nil
      } else {
        let value = UInt8(truncatingIfNeeded: next())
        table[key(n)] = value
        reference[n] = value
      }
    }
    #expect(table.count == reference.count)
    for n in UInt32(0)..<700 { #expect(table[key(n)] == reference[n]) }
  }

  @Test func keysThatDifferInOneOctetAreDifferent() {
    var table = FlatTable<CTTuple4, UInt8>()
    let key = CTTuple4(daddr: 1, saddr: 1, dport: 1, sport: 1, nexthdr: 6, flags: 0)
    table[key] = 7
    for offset in 0..<MemoryLayout<CTTuple4>.size {
      var other = key
      withUnsafeMutableBytes(of: &other) { $0[offset] ^= 0x40 }
      #expect(table[other] == nil)
    }
    #expect(table[key] == 7)
  }
}

@Suite struct FlatTableMemoryTests {
  private func table(_ count: UInt32) -> FlatTable<UInt32, Counters> {
    var table = FlatTable<UInt32, Counters>()
    for n in 0..<count { table[n &* 7] = Counters(packets: UInt64(n), bytes: 1) }
    return table
  }

  @Test func aCopyKeepsWhatItHadWhenTheOtherChanges() {
    // Small, and large enough for memory of whole huge pages.
    for count in [UInt32(5), 120_000] {
      let before = table(count)
      var after = before
      after[0] = nil
      after[7] = Counters(packets: 99, bytes: 99)
      after[3] = Counters(packets: 3, bytes: 3)
      #expect(before[0]?.packets == 0)
      #expect(before[7]?.packets == 1)
      #expect(before[3] == nil)
      #expect(before.count == Int(count))
      #expect(after[0] == nil)
      #expect(after[7]?.packets == 99)
      #expect(after[3]?.packets == 3)
      #expect(after.count == Int(count))
      #expect(after[(count - 1) &* 7]?.packets == UInt64(count - 1))
    }
  }

  @Test func orderIsThatOfInsertionAndARemovalMovesTheLastIntoTheGap() {
    var table = table(5)
    #expect(Array(table.keys) == [0, 7, 14, 21, 28])
    table[7] = nil
    #expect(Array(table.keys) == [0, 28, 14, 21])
    #expect(table.values.map(\.packets) == [0, 4, 2, 3])
    #expect(table.map { $0.key } == [0, 28, 14, 21])
    table[28] = nil
    table[21] = nil
    #expect(Array(table.keys) == [0, 14])
    table[0] = nil
    table[14] = nil
    #expect(table.count == 0 && table[0] == nil)
    table[1] = Counters(packets: 1, bytes: 1)
    #expect(Array(table.keys) == [1])
  }

  @Test func octetsAreThoseOfTheEntriesInOrder() {
    var table = FlatTable<CTTuple4, Counters>()
    let key = CTTuple4(daddr: 1, saddr: 2, dport: 3, sport: 4, nexthdr: 6, flags: 1)
    table[key] = Counters(packets: 5, bytes: 6)
    table[key.with(flags: 0)] = Counters(packets: 7, bytes: 8)
    let (keys, values) = table.octets()
    let first: [UInt8] = [1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 4, 0, 6]
    #expect(keys == first + [1] + first + [0])
    #expect(values.count == 32)
    #expect(values[0] == 5 && values[8] == 6 && values[16] == 7 && values[24] == 8)
    #expect(FlatTable<UInt32, Counters>().octets().keys == [])
  }
}

extension CTTuple4 {
  fileprivate func with(flags: UInt8) -> CTTuple4 {
    var other = self
    other.flags = flags
    return other
  }
}

@Suite struct LPMTableTests {
  @Test func longestPrefixWins() throws {
    var table = LPMTable<IPCacheKey, RemoteEndpointInfo>()
    func info(_ identity: UInt32) -> RemoteEndpointInfo {
      var info = RemoteEndpointInfo()
      info.sec_identity = identity
      return info
    }
    for (prefix, identity) in [
      ("0.0.0.0/0", 2), ("10.0.0.0/8", 100), ("10.244.1.0/24", 101), ("10.244.1.7/32", 102),
    ] {
      table[exactly: IPCacheKey(try #require(CIDR(prefix)))] = info(UInt32(identity))
    }
    func identity(_ address: String) throws -> UInt32? {
      table[matching: IPCacheKey(try #require(IPAddress(address)))]?.sec_identity
    }
    #expect(try identity("10.244.1.7") == 102)
    #expect(try identity("10.244.1.8") == 101)
    #expect(try identity("10.245.0.1") == 100)
    #expect(try identity("192.0.2.1") == 2)
    #expect(try identity("fd00::1") == nil)
    table[exactly: IPCacheKey(try #require(CIDR("10.244.1.0/24")))] = nil
    #expect(try identity("10.244.1.8") == 100)
    #expect(table.lengths == [64, 40, 32])
  }

  @Test func policyPortsMatchByPrefix() {
    var table = LPMTable<PolicyKey, PolicyEntry>()
    func entry(_ cookie: UInt32) -> PolicyEntry {
      PolicyEntry(proxy_port: 0, bits: 0, auth: 0, precedence: 1, cookie: cookie)
    }
    var key = PolicyKey(identity: 5, egress: false, protocol: 6, port: 8080)
    table[exactly: key] = entry(1)
    key = PolicyKey(identity: 5, egress: false, protocol: 6, port: 8064)
    key.prefixlen = 58  // 8064…8127
    table[exactly: key] = entry(2)
    key.prefixlen = 48
    table[exactly: key] = entry(3)
    key.prefixlen = 40
    table[exactly: key] = entry(4)
    func cookie(_ protocolNumber: UInt8, _ port: UInt16) -> UInt32? {
      table[matching: PolicyKey(identity: 5, egress: false, protocol: protocolNumber, port: port)]?.cookie
    }
    #expect(cookie(6, 8080) == 1)
    #expect(cookie(6, 8100) == 2)
    #expect(cookie(6, 9000) == 3)
    #expect(cookie(17, 8080) == 4)
    #expect(table[matching: PolicyKey(identity: 5, egress: true, protocol: 6, port: 8080)] == nil)
  }
}
