import CDatapath
import MapABI
import Testing
import Wire

@testable import Views

@Suite struct FlowViewTests {
  func tuple(
    _ daddr: UInt32, _ sport: UInt16, _ saddr: UInt32, _ dport: UInt16, transport: UInt8 = 6, flags: UInt8
  ) -> CTTuple4 {
    CTTuple4(
      daddr: daddr, saddr: saddr, dport: dport.bigEndian, sport: sport.bigEndian, nexthdr: transport,
      flags: flags)
  }

  @Test func conntrack() {
    var maps = NodeMaps()
    var entry = CTEntry()
    entry.lifetime = 8712
    entry.rx_flags_seen = 0x02
    entry.last_rx_report = 8702
    entry.tx_flags_seen = 0x12
    entry.last_tx_report = 8702
    entry.src_sec_id = 18901
    maps.ct4TCP[tuple(v4(10, 244, 1, 67), 36998, v4(10, 244, 2, 127), 80, flags: 1)] = entry
    var service = CTEntry()
    service.lifetime = 100
    service.packets = 3
    service.bytes = 198
    service.flags = 0x1611
    service.rev_nat_index = UInt16(20).bigEndian
    service.backend_id = 7
    service.nat_port = UInt16(8080).bigEndian
    maps.ct4TCP[tuple(v4(10, 96, 0, 1), 443, v4(10, 0, 0, 9), 40000, flags: 4)] = service
    // A key without protocol is no entry.
    maps.ct4TCP[tuple(1, 2, 3, 4, transport: 0, flags: 0)] = entry
    maps.ct4Any[tuple(v4(10, 0, 0, 1), 53, v4(10, 0, 0, 2), 41000, transport: 17, flags: 2)] = CTEntry()
    maps.ct6TCP[
      CTTuple6(
        daddr: v6("fd00::1"), saddr: v6("fd00::2"), dport: UInt16(80).bigEndian,
        sport: UInt16(41000).bigEndian,
        nexthdr: 6, flags: 0)] = CTEntry()

    let zeros =
      "Packets=0 Bytes=0 RxFlagsSeen=0x00 LastRxReport=0 TxFlagsSeen=0x00 LastTxReport=0 Flags=0x0000 [ ] "
    let tail = "RevNAT=0 SourceSecurityID=0 BackendID=0 NatPort=0 "
    #expect(
      ConntrackList.text(maps, ipv4: true, ipv6: true)
        == expected(
          "TCP SVC 10.0.0.9:40000 -> 10.96.0.1:443 expires=100 Packets=3 Bytes=198 RxFlagsSeen=0x00 LastRxReport=0 "
            + "TxFlagsSeen=0x00 LastTxReport=0 Flags=0x1611 [ RxClosing SeenNonSyn FromTunnel Unknown=0x1000 ] "
            + "RevNAT=20 SourceSecurityID=0 BackendID=7 NatPort=8080 $",
          "TCP IN 10.244.1.67:36998 -> 10.244.2.127:80 expires=8712 Packets=0 Bytes=0 RxFlagsSeen=0x02 "
            + "LastRxReport=8702 TxFlagsSeen=0x12 LastTxReport=8702 Flags=0x0000 [ ] RevNAT=0 SourceSecurityID=18901 "
            + "BackendID=0 NatPort=0 $", "$",
          "UDP OUT 10.0.0.1:53 -> 10.0.0.2:41000 related expires=0 \(zeros)\(tail)$", "$",
          "TCP OUT fd00::1:41000 -> fd00::2:80 expires=0 \(zeros)\(tail)$", "$", "$"))
    #expect(
      ConntrackList.text(maps, ipv4: true, ipv6: false, clock: .monotonic(seconds: 8700))
        .contains("expires=8712 (remaining: 12 sec(s)) Packets"))
    #expect(
      ConntrackList.text(maps, clock: .scaledJiffies(101, hertz: 256)).contains(
        "expires=100 (remaining: -1 sec(s))"))
    #expect(ConntrackList.text(NodeMaps(), ipv4: true, ipv6: false) == "\n\n")
  }

  @Test func everyConntrackFlag() {
    var entry = CTEntry()
    entry.flags = 0x7ff
    let line = ConntrackList.line(FlowTuple(tuple(1, 2, 3, 4, flags: 0)), entry, nil)
    #expect(
      line.contains(
        "Flags=0x07ff [ RxClosing TxClosing Nat64 LBLoopback SeenNonSyn NodePort ProxyRedirect DSRInternal FromL7LB "
          + "FromTunnel ]"))
  }

  @Test func nat() {
    var maps = NodeMaps()
    maps.nat4[tuple(v4(1, 1, 1, 1), 36998, v4(10, 244, 1, 67), 443, flags: 0)] = NATEntry4(
      created: 95, needs_ct: 1, pad1: 0, pad2: 0, to_addr: v4(172, 18, 0, 2),
      to_port: UInt16(40001).bigEndian, pad3: 0)
    maps.nat4[tuple(v4(172, 18, 0, 2), 443, v4(1, 1, 1, 1), 40001, flags: 7)] = NATEntry4(
      created: 101, needs_ct: 0, pad1: 0, pad2: 0, to_addr: v4(10, 244, 1, 67),
      to_port: UInt16(36998).bigEndian,
      pad3: 0)
    maps.nat6[
      CTTuple6(
        daddr: v6("2001:db8::1"), saddr: v6("fd00::2"), dport: UInt16(53).bigEndian,
        sport: UInt16(41000).bigEndian,
        nexthdr: 17, flags: 0)] = NATEntry6(
        created: 7, needs_ct: 0, pad1: 0, pad2: 0, to_addr: v6("fc00::2"), to_port: UInt16(41000).bigEndian,
        pad3: 0,
        pad4: 0)
    #expect(
      NATList.text(maps, clock: .monotonic(seconds: 100))
        == expected(
          "TCP OUT 10.244.1.67:36998 -> 1.1.1.1:443 XLATE_SRC 172.18.0.2:40001 Created=5sec ago NeedsCT=1$",
          "TCP IN 1.1.1.1:443 -> 172.18.0.2:40001 related service XLATE_DST 10.244.1.67:36998 Created=-1sec ago "
            + "NeedsCT=0$", "$",
          "UDP OUT [fd00::2]:41000 -> [2001:db8::1]:53 XLATE_SRC [fc00::2]:41000 Created=93sec ago NeedsCT=0$",
          "$"))
    #expect(
      NATList.text(maps, ipv4: false)
        == expected(
          "UDP OUT [fd00::2]:41000 -> [2001:db8::1]:53 XLATE_SRC [fc00::2]:41000 Created=? (raw 7) NeedsCT=0$",
          "$"))
    #expect(NATList.text(NodeMaps(), ipv4: true, ipv6: false) == "\n")
  }
}
