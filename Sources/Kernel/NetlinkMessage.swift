import CLibbpf
import Glibc

/// A request to rtnetlink, built up in order (RFC 3549; attributes are aligned to four octets).
struct NetlinkMessage {
  private(set) var bytes: [UInt8]

  init(type: Int, flags: Int, sequence: UInt32) {
    bytes = []
    var header = nlmsghdr()
    header.nlmsg_type = UInt16(truncatingIfNeeded: type)
    header.nlmsg_flags = UInt16(truncatingIfNeeded: Int(NLM_F_REQUEST) | Int(NLM_F_ACK) | flags)
    header.nlmsg_seq = sequence
    append(header)
  }

  /// A fixed-size structure, padded.
  mutating func append<T: BitwiseCopyable>(_ value: T) {
    withUnsafeBytes(of: value) { bytes.append(contentsOf: $0) }
    pad()
  }

  mutating func attribute(_ type: Int, _ value: [UInt8]) {
    appendWord(UInt16(truncatingIfNeeded: value.count + 4))
    appendWord(UInt16(truncatingIfNeeded: type))
    bytes.append(contentsOf: value)
    pad()
  }

  mutating func attribute(_ type: Int, _ text: String) { attribute(type, Array(text.utf8) + [0]) }

  mutating func attribute(_ type: Int, _ value: UInt32) {
    attribute(type, withUnsafeBytes(of: value) { Array($0) })
  }

  /// An attribute that holds attributes.
  mutating func nest(_ type: Int, _ body: (inout NetlinkMessage) -> Void) {
    let start = bytes.count
    appendWord(0)
    appendWord(UInt16(truncatingIfNeeded: type))
    body(&self)
    setWord(at: start, UInt16(truncatingIfNeeded: bytes.count - start))
  }

  /// The message with its length set.
  func finished() -> [UInt8] {
    var copy = bytes
    withUnsafeBytes(of: UInt32(truncatingIfNeeded: bytes.count)) { copy.replaceSubrange(0..<4, with: $0) }
    return copy
  }

  private mutating func appendWord(_ word: UInt16) {
    withUnsafeBytes(of: word) { bytes.append(contentsOf: $0) }
  }

  private mutating func setWord(at offset: Int, _ word: UInt16) {
    withUnsafeBytes(of: word) { bytes.replaceSubrange(offset..<offset + 2, with: $0) }
  }

  private mutating func pad() {
    while bytes.count % 4 != 0 { bytes.append(0) }
  }
}

/// An rtnetlink socket. It belongs to the network namespace of the thread that opened it, for as long as it lives.
struct NetlinkSocket: ~Copyable, Sendable {
  private let descriptor: Descriptor
  var raw: Int32 { descriptor.raw }

  init() throws(KernelError) {
    let raw = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), NETLINK_ROUTE)
    guard raw >= 0 else { throw .system("socket(AF_NETLINK)", errno) }
    descriptor = Descriptor(raw)
  }

  /// Sends a request and waits for its acknowledgement.
  func request(_ message: NetlinkMessage, _ what: String) throws(KernelError) {
    let bytes = message.finished()
    guard send(raw, bytes, bytes.count, 0) == bytes.count else {
      throw .system("send(rtnetlink)", errno, what)
    }
    var reply = [UInt8](repeating: 0, count: 4096)
    let count = recv(raw, &reply, reply.count, 0)
    guard count >= MemoryLayout<nlmsghdr>.size + 4 else { throw .system("recv(rtnetlink)", errno, what) }
    let result = reply.withUnsafeBytes {
      ($0.loadUnaligned(as: nlmsghdr.self).nlmsg_type, $0.loadUnaligned(fromByteOffset: 16, as: Int32.self))
    }
    guard result.0 == UInt16(NLMSG_ERROR) else {
      throw KernelError(.system, call: "rtnetlink", detail: "\(what): reply of type \(result.0)")
    }
    guard result.1 == 0 else { throw .system("rtnetlink", result.1, what) }
  }
}
