import Datapath
import MapABI
import Testing

@testable import Kernel

/// Event records of 1.18 beside those of 1.20.
@Suite struct EventVersionTests {
  /// A record with a header, its structure filled with `fill`, `captured` octets 0xc0… and padding.
  private func record(type: UInt8, version: UInt8, size: Int, captured: Int, padding: Int) -> [UInt8] {
    var bytes: [UInt8] = [type, 133, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(captured), 0, version, 0]
    bytes += (16..<size).map { UInt8($0) }
    bytes += (0..<captured).map { 0xc0 + UInt8($0) }
    return bytes + [UInt8](repeating: 0xee, count: padding)
  }

  private func event(_ bytes: [UInt8]) -> Event { bytes.withUnsafeBytes { EventVersions.event($0, .v120) } }

  @Test("A drop of version 2 gets a trace id of zero; its fields and the packet stay where they belong")
  func drop() {
    guard
      case .drop(let notify, let captured) = event(
        record(type: 1, version: 2, size: 40, captured: 5, padding: 3))
    else { return #expect(Bool(false), "no drop") }
    #expect(notify.src_label == 0x1312_1110)
    #expect(notify.ifindex == 0x2322_2120)
    #expect(notify.ip_trace_id == 0)
    #expect(notify.header.version == 3)
    #expect(captured == [0xc0, 0xc1, 0xc2, 0xc3, 0xc4])
  }

  @Test("A trace of version 1")
  func trace() {
    guard
      case .trace(let notify, let captured) = event(
        record(type: 4, version: 1, size: 48, captured: 2, padding: 0))
    else { return #expect(Bool(false), "no trace") }
    #expect(notify.ifindex == 0x1f1e_1d1c)
    #expect(notify.orig_ip.w3 == 0x2f2e_2d2c)
    #expect(notify.ip_trace_id == 0)
    #expect(captured == [0xc0, 0xc1])
  }

  @Test("A policy verdict is told by its length", arguments: [(32, 0), (32, 7), (40, 0), (40, 7)])
  func verdict(_ size: Int, _ padding: Int) {
    guard
      case .policyVerdict(let notify, let captured) = event(
        record(type: 5, version: 1, size: size, captured: 9, padding: padding))
    else { return #expect(Bool(false), "no verdict") }
    #expect(notify.remote_label == 0x1312_1110)
    #expect(notify.cookie == (size == 32 ? 0 : 0x2322_2120))
    #expect(captured == (0..<9).map { 0xc0 + $0 })
  }

  @Test("A socket's trace of 1.18 is packed; its fields move to where 1.19 has them")
  func socket() {
    var bytes: [UInt8] = [7, 2]
    bytes[0] = UInt8(truncatingIfNeeded: NOTIFY_TRACE_SOCK.rawValue)
    bytes += (0..<16).map { 0xa0 + UInt8($0) }
    bytes += [80, 0]
    bytes += (0..<16).map { UInt8($0) }
    bytes += [1, 0xff, 0xee, 0xee]
    let moved = bytes.withUnsafeBytes { EventVersions.event($0, .v118) }
    let expected: [UInt8] = [bytes[0], 2, 1, 1, 80, 0, 0, 0] + Array(bytes[20..<36]) + Array(bytes[2..<18])
    #expect(moved == .other(expected))
    #expect(event(bytes) != moved)
  }

  @Test("Anything else is handed on as it came, cut off or not")
  func others() {
    for length in 0...64 {
      let bytes = Array(record(type: 1, version: 2, size: 40, captured: 24, padding: 0)[0..<length])
      if length < 40 { #expect(event(bytes) == .other(bytes)) } else { _ = event(bytes) }
    }
  }
}
