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
  private let library: PcapLibrary
  private var programs: [(linkType: LinkType, program: bpf_program)] = []

  /// Throws when libpcap does not understand the expression; the error's `file` is the expression.
  public init(_ text: String) throws(CaptureError) {
    library = try PcapLibrary()
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
    for index in programs.indices { library.freeCode(&programs[index].program) }
  }

  public func matches(_ packet: CapturedPacket, _ dissection: TunnelDissection) -> Bool {
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
    return library.offlineFilter(
      &programs[place].program, &header, base.assumingMemoryBound(to: UInt8.self)) != 0
  }

  /// The place of the program for a link type. An expression may make no sense for one (`ether host` on raw IP).
  private func compile(_ linkType: LinkType) throws(CaptureError) -> Int {
    if let place = programs.firstIndex(where: { $0.linkType == linkType }) { return place }
    // DLT_RAW is not LINKTYPE_RAW; the other link types decoded here have equal numbers.
    let number = linkType == .raw ? 12 : Int32(bitPattern: linkType.rawValue)
    guard let handle = library.openDead(number, 262_144) else {
      throw CaptureError(file: expression, reason: "no memory for a filter")
    }
    defer { library.close(handle) }
    var program = bpf_program()
    guard library.compile(handle, &program, expression, 1, 0xffff_ffff) == 0 else {
      throw CaptureError(file: expression, reason: "filter expression: \(library.reason(handle))")
    }
    programs.append((linkType, program))
    return programs.count - 1
  }
}
