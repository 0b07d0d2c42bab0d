/// Builds a classic pcap capture in memory: one link type, no names, no comments.
///
/// Little-endian, version 2.4, a fixed header: the same calls give the same bytes. Source:
/// draft-ietf-opsawg-pcap, sections 4 and 5.
public struct PcapWriter: Sendable {
  public enum Resolution: Sendable {
    case microseconds, nanoseconds
  }

  /// What has been built and not yet been removed.
  public private(set) var bytes: [UInt8] = []
  public let resolution: Resolution

  public init(
    linkType: LinkType = .ethernet, resolution: Resolution = .nanoseconds, snapLength: UInt32 = 262_144
  ) {
    self.resolution = resolution
    bytes.append(littleEndian: (resolution == .nanoseconds ? 0xa1b2_3c4d : 0xa1b2_c3d4) as UInt32)
    bytes.append(littleEndian: 2 as UInt16)
    bytes.append(littleEndian: 4 as UInt16)
    bytes.append(littleEndian: 0 as UInt64)
    bytes.append(littleEndian: snapLength)
    bytes.append(littleEndian: linkType.rawValue)
  }

  /// Adds a packet; `time` is in nanoseconds since the epoch (seconds are kept modulo 2^32), `originalLength` nil
  /// means that all of the packet is here.
  public mutating func write(time: UInt64, bytes packet: some Collection<UInt8>, originalLength: Int? = nil) {
    func add(_ octets: UnsafeRawBufferPointer) {
      write(time: time, octets: octets, originalLength: originalLength ?? octets.count)
    }
    if packet.withContiguousStorageIfAvailable({ add(UnsafeRawBufferPointer($0)) }) == nil {
      Array(packet).withUnsafeBytes { add($0) }
    }
  }

  /// The same for octets that lie in memory somewhere.
  public mutating func write(time: UInt64, octets: UnsafeRawBufferPointer, originalLength: Int) {
    let (seconds, nanoseconds) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    let fraction = resolution == .nanoseconds ? nanoseconds : nanoseconds / 1000
    let stamp = fraction << 32 | seconds & 0xffff_ffff
    let lengths = UInt64(UInt32(clamping: originalLength)) << 32 | UInt64(UInt32(clamping: octets.count))
    bytes.append(littleEndian: stamp)
    bytes.append(littleEndian: lengths)
    bytes.append(contentsOf: octets)
  }

  /// Forgets the bytes built so far, after they have been written elsewhere.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }
}
