import CLibpcap
import Glibc

/// Waits for more of a growing capture until the user interrupts, without a signal handler: SIGINT and SIGTERM are
/// blocked, and waited for between reads.
public struct Following: ~Copyable {
  private var signals = sigset_t()
  private var oldMask = sigset_t()
  /// Ends by itself when nothing has come for so long; nil waits for ever.
  private let idleMilliseconds: Int?

  public enum End: Sendable {
    case interrupted, idle
  }

  public init(idleSeconds: Double? = nil) {
    idleMilliseconds = idleSeconds.map { Int(min(max($0, 0), 1e9) * 1000) }
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    pthread_sigmask(SIG_BLOCK, &signals, &oldMask)
  }

  deinit {
    var mask = oldMask
    pthread_sigmask(SIG_SETMASK, &mask, nil)
  }

  /// Reads a file, and what is added to it. `afterPiece` is called when all that is there has been read.
  public func follow<S: PacketSink & ~Copyable>(
    _ reader: inout CaptureReader, into sink: inout S, afterPiece: (inout S) -> Void
  ) throws(CaptureError) -> End {
    var idle = 0
    while true {
      var read = false
      while try reader.advance(into: &sink) {
        read = true
        if wait(milliseconds: 0) { return .interrupted }
      }
      if read {
        idle = 0
        afterPiece(&sink)
      }
      if wait(milliseconds: 100) { return .interrupted }
      idle += 100
      if let idleMilliseconds, idle >= idleMilliseconds { return .idle }
    }
  }

  /// Captures from a network interface; needs CAP_NET_RAW.
  public func capture<S: PacketSink & ~Copyable>(
    interface: String, into sink: inout S, afterPiece: (inout S) -> Void
  ) throws(CaptureError) -> End {
    let library = try PcapLibrary()
    var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
    guard let handle = library.openLive(interface, 262_144, 1, 100, &message) else {
      let text = String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      throw CaptureError(file: interface, reason: text)
    }
    defer { library.close(handle) }
    let number = UInt32(bitPattern: library.dataLink(handle))
    let linkType = number == 12 ? LinkType.raw : LinkType(rawValue: number)
    sink.declare(interface: 0, name: interface, linkType: linkType)
    var idle = 0
    while true {
      var header: UnsafeMutablePointer<pcap_pkthdr>?
      var octets: UnsafePointer<UInt8>?
      switch library.next(handle, &header, &octets) {
      case 1:
        idle = 0
        guard let header = header?.pointee, let octets else { continue }
        let time = UInt64(header.ts.tv_sec) &* 1_000_000_000 &+ UInt64(header.ts.tv_usec) &* 1000
        sink.take(
          CapturedPacket(
            base: UnsafeRawPointer(octets), captured: Int(header.caplen), original: Int(header.len),
            time: time,
            linkType: linkType))
        afterPiece(&sink)
        if wait(milliseconds: 0) { return .interrupted }
      case 0:
        idle += 100
        if wait(milliseconds: 0) { return .interrupted }
        if let idleMilliseconds, idle >= idleMilliseconds { return .idle }
      default:
        throw CaptureError(file: interface, reason: library.reason(handle))
      }
    }
  }

  /// Whether the user interrupts within that time.
  private func wait(milliseconds: Int) -> Bool {
    var mask = signals
    var time = timespec(tv_sec: 0, tv_nsec: milliseconds * 1_000_000)
    return sigtimedwait(&mask, nil, &time) > 0
  }

  /// Whether a name is that of a network interface of this machine rather than of a file.
  public static func isInterface(_ name: String) -> Bool {
    access(name, F_OK) != 0 && (name == "any" || if_nametoindex(name) != 0)
  }
}
