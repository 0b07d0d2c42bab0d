public import MapABI

/// A record of `cilium_events`, with the octets of the packet that it carries.
public enum Event: Sendable {
  case drop(DropNotify, captured: [UInt8])
  case trace(TraceNotify, captured: [UInt8])
  case policyVerdict(PolicyVerdictNotify, captured: [UInt8])
  /// A record of another type or version, as it came.
  case other([UInt8])

  /// The record's octets, as they lie in the ring.
  public var bytes: [UInt8] {
    switch self {
    case .drop(let notify, let captured): Self.octets(notify) + captured
    case .trace(let notify, let captured): Self.octets(notify) + captured
    case .policyVerdict(let notify, let captured): Self.octets(notify) + captured
    case .other(let bytes): bytes
    }
  }

  /// Reads a record; `bytes` may have padding behind the captured octets.
  public init(bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= MemoryLayout<CaptureHeader>.size else {
      self = .other(Array(bytes))
      return
    }
    let header = bytes.loadUnaligned(as: CaptureHeader.self)
    func captured(after size: Int) -> [UInt8] {
      Array(bytes.dropFirst(size).prefix(Int(header.len_cap)))
    }
    switch (UInt32(header.type), UInt32(header.version)) {
    case (NOTIFY_DROP.rawValue, NOTIFY_DROP_VERSION.rawValue)
    where bytes.count >= MemoryLayout<DropNotify>.size:
      let size = MemoryLayout<DropNotify>.size
      self = .drop(bytes.loadUnaligned(as: DropNotify.self), captured: captured(after: size))
    case (NOTIFY_TRACE.rawValue, NOTIFY_TRACE_VERSION.rawValue)
    where bytes.count >= MemoryLayout<TraceNotify>.size:
      let size = MemoryLayout<TraceNotify>.size
      self = .trace(bytes.loadUnaligned(as: TraceNotify.self), captured: captured(after: size))
    case (NOTIFY_POLICY_VERDICT.rawValue, NOTIFY_POLICY_VERDICT_VERSION.rawValue)
    where bytes.count >= MemoryLayout<PolicyVerdictNotify>.size:
      let size = MemoryLayout<PolicyVerdictNotify>.size
      self = .policyVerdict(
        bytes.loadUnaligned(as: PolicyVerdictNotify.self), captured: captured(after: size))
    case (NOTIFY_TRACE_SOCK.rawValue, _):
      // The ring pads records to eight octets.
      self = .other(Array(bytes.prefix(MemoryLayout<TraceSockNotify>.size)))
    default: self = .other(Array(bytes))
    }
  }

  /// The common header; nil for records of other types.
  public var header: CaptureHeader? {
    switch self {
    case .drop(let notify, _): notify.header
    case .trace(let notify, _): notify.header
    case .policyVerdict(let notify, _): notify.header
    case .other: nil
    }
  }

  private static func octets<T>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
}

extension Event: Equatable {
  public static func == (a: Event, b: Event) -> Bool { a.bytes == b.bytes }
}
