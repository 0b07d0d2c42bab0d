import CLibpcap
import Glibc

/// A libpcap filter expression, held against the packet as captured and against what its tunnel carries.
///
/// `host 10.0.0.1` matches when either does; `outer:` or `inner:` before the expression pins one. An expression is
/// compiled once per link type.
public final class PacketFilter {
  public enum Side: Sendable {
    case outer, inner, either
  }

  public let side: Side
  public let expression: String
  private var programs: [(linkType: LinkType, program: bpf_program)] = []

  /// Throws when libpcap does not understand the expression; the error's `file` is the expression.
  public init(_ text: String) throws(CaptureError) {
    if text.hasPrefix("outer:") {
      (side, expression) = (.outer, String(text.dropFirst(6)))
    } else if text.hasPrefix("inner:") {
      (side, expression) = (.inner, String(text.dropFirst(6)))
    } else {
      (side, expression) = (.either, text)
    }
    _ = try compile(.ethernet)
  }

  deinit {
    for index in programs.indices { pcap_freecode(&programs[index].program) }
  }

  public func matches(_ packet: CapturedPacket, _ dissection: Dissection) -> Bool {
    if side != .inner, run(packet.base, packet.captured, packet.original, packet.linkType) { return true }
    guard side != .outer, case .tunnel(let tunnel) = dissection, tunnel.innerOffset < packet.captured else {
      return false
    }
    return run(
      packet.base + tunnel.innerOffset, packet.captured - tunnel.innerOffset, tunnel.innerLength,
      tunnel.innerIsEthernet ? .ethernet : .raw)
  }

  private func run(_ base: UnsafeRawPointer, _ captured: Int, _ length: Int, _ linkType: LinkType) -> Bool {
    guard let place = try? compile(linkType) else { return false }
    var header = pcap_pkthdr()
    header.caplen = UInt32(clamping: captured)
    header.len = UInt32(clamping: max(length, captured))
    return pcap_offline_filter(
      &programs[place].program, &header, base.assumingMemoryBound(to: UInt8.self)) != 0
  }

  /// The place of the program for a link type. An expression may make no sense for one (`ether host` on raw IP).
  private func compile(_ linkType: LinkType) throws(CaptureError) -> Int {
    if let place = programs.firstIndex(where: { $0.linkType == linkType }) { return place }
    // DLT_RAW is not LINKTYPE_RAW; the other link types decoded here have equal numbers.
    let number = linkType == .raw ? 12 : Int32(bitPattern: linkType.rawValue)
    guard let handle = pcap_open_dead(number, 262_144) else {
      throw CaptureError(file: expression, reason: "no memory for a filter")
    }
    defer { pcap_close(handle) }
    var program = bpf_program()
    guard pcap_compile(handle, &program, expression, 1, 0xffff_ffff) == 0 else {
      let reason = pcap_geterr(handle).map { String(cString: $0) } ?? "unknown"
      throw CaptureError(file: expression, reason: "filter expression: \(reason)")
    }
    programs.append((linkType, program))
    return programs.count - 1
  }
}
