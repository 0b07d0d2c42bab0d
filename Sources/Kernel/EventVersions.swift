import Datapath
import MapABI

/// Event records of older versions, brought to the layout of 1.20.
///
/// 1.18 wrote drops of version 2 (40 octets), traces of version 1 (48) and policy verdicts of 32 octets; each was
/// since extended by eight octets at its end (a trace id, a cookie), which are zero here. Records of sockets have no
/// version; 1.18 laid them out without padding.
enum EventVersions {
  /// - Parameter profile: the version of the objects that wrote the record.
  static func event(_ record: UnsafeRawBufferPointer, _ profile: DatapathProfile) -> Event {
    if profile == .v118, let bytes = packedSocketTrace(record) {
      return bytes.withUnsafeBytes { Event(bytes: $0) }
    }
    guard let old = oldSize(record) else { return Event(bytes: record) }
    var bytes = Array(record[..<old])
    bytes.append(contentsOf: repeatElement(0, count: 8))
    bytes.append(contentsOf: record[old...])
    switch UInt32(record[0]) {
    case NOTIFY_DROP.rawValue: bytes[versionOffset] = UInt8(NOTIFY_DROP_VERSION.rawValue)
    case NOTIFY_TRACE.rawValue: bytes[versionOffset] = UInt8(NOTIFY_TRACE_VERSION.rawValue)
    default: break
    }
    return bytes.withUnsafeBytes { Event(bytes: $0) }
  }

  private static let versionOffset = 14

  /// Type, point, address, port, cookie, cgroup, protocol, family: one after the other, in 38 octets.
  private static func packedSocketTrace(_ record: UnsafeRawBufferPointer) -> [UInt8]? {
    guard record.count >= 38, UInt32(record[0]) == NOTIFY_TRACE_SOCK.rawValue else { return nil }
    var bytes = [record[0], record[1], record[36], record[37] & 1]
    bytes += record[18..<20]
    bytes += [0, 0]
    bytes += record[20..<36]
    bytes += record[2..<18]
    return bytes
  }

  /// The size of the record's structure if it is an older one.
  private static func oldSize(_ record: UnsafeRawBufferPointer) -> Int? {
    guard record.count >= 32 else { return nil }
    let header = record.loadUnaligned(as: CaptureHeader.self)
    switch (UInt32(header.type), header.version) {
    case (NOTIFY_DROP.rawValue, 2) where record.count >= 40: return 40
    case (NOTIFY_TRACE.rawValue, 1) where record.count >= 48: return 48
    case (NOTIFY_POLICY_VERDICT.rawValue, 1):
      // The version was not raised: the captured octets tell, with up to seven of padding behind them.
      return record.count - Int(header.len_cap) < 40 ? 32 : nil
    default: return nil
    }
  }
}
