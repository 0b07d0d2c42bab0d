/// Builds a pcapng capture in memory: one section, named interfaces, one enhanced packet block per packet.
///
/// The same calls give the same bytes on every machine: little-endian, nanoseconds, a fixed option order, nothing
/// of the host in it. Long captures are written piece by piece: hand `bytes` to an `OutputFile` and call
/// `removeAll`. Source: draft-ietf-opsawg-pcapng, sections 4.1–4.3.
///
///     var capture = PcapngWriter()
///     let eth0 = capture.addInterface(name: "kind-worker2/eth0", linkType: .ethernet)
///     capture.write(time: 1_700_000_000_000_000_000, interface: eth0, bytes: frame, comment: "from_netdev: forwarded")
///     try OutputFile.write(capture.bytes, to: "out/run.pcapng")
public struct PcapngWriter: Sendable {
  /// What has been built and not yet been removed.
  public private(set) var bytes: [UInt8] = []
  /// How many interfaces have been added; the next one gets this index.
  public private(set) var interfaceCount = 0

  /// Starts the section. `application` is stored as the name of the program that wrote it (shb_userappl),
  /// `comment` as a remark on the whole capture; an empty string leaves the option out.
  public init(application: String = "ciliate", comment: String = "") {
    let start = begin(block: 0x0a0d_0d0a)
    bytes.append(littleEndian: 0x1a2b_3c4d as UInt32)
    bytes.append(littleEndian: 1 as UInt16)
    bytes.append(littleEndian: 0 as UInt16)
    bytes.append(littleEndian: UInt64.max)  // section length: not said
    option(1, comment)
    option(4, application)
    endOfOptions(since: start + 24)
    end(block: start)
  }

  /// Adds an interface and gives its index, counted from 0.
  ///
  /// `name` is what Wireshark shows as `frame.interface_name`, by our custom `node/device`. `snapLength` 0 means
  /// that nothing is cut.
  public mutating func addInterface(
    name: String, linkType: LinkType = .ethernet, snapLength: UInt32 = 0, description: String = ""
  ) -> Int {
    let start = begin(block: 1)
    bytes.append(littleEndian: UInt16(truncatingIfNeeded: linkType.rawValue))
    bytes.append(littleEndian: 0 as UInt16)
    bytes.append(littleEndian: snapLength)
    option(2, name)
    option(3, description)
    bytes.append(littleEndian: 9 as UInt16)  // if_tsresol: 10^-9 s
    bytes.append(littleEndian: 1 as UInt16)
    bytes.append(littleEndian: 9 as UInt32)
    endOfOptions(since: start + 16)
    end(block: start)
    defer { interfaceCount += 1 }
    return interfaceCount
  }

  /// Adds a packet.
  ///
  /// - Parameters:
  ///   - time: nanoseconds since the epoch.
  ///   - interface: an index that `addInterface` gave.
  ///   - bytes: the octets captured.
  ///   - originalLength: how long the packet was on the wire; nil means that all of it is here.
  ///   - comment: shown by Wireshark as the packet's comment.
  public mutating func write(
    time: UInt64, interface: Int, bytes packet: some Collection<UInt8>, originalLength: Int? = nil,
    comment: String = "", direction: PacketDirection = .unknown
  ) {
    func add(_ octets: UnsafeRawBufferPointer) {
      write(
        time: time, interface: interface, octets: octets, originalLength: originalLength ?? octets.count,
        comment: comment, direction: direction)
    }
    if packet.withContiguousStorageIfAvailable({ add(UnsafeRawBufferPointer($0)) }) == nil {
      Array(packet).withUnsafeBytes { add($0) }
    }
  }

  /// The same for octets that lie in memory somewhere.
  public mutating func write(
    time: UInt64, interface: Int, octets: UnsafeRawBufferPointer, originalLength: Int, comment: String = "",
    direction: PacketDirection = .unknown
  ) {
    let start = bytes.count
    withUnsafeTemporaryAllocation(byteCount: 28, alignment: 8) { header in
      header.storeBytes(of: UInt32(6).littleEndian, toByteOffset: 0, as: UInt32.self)
      header.storeBytes(of: 0, toByteOffset: 4, as: UInt32.self)
      header.storeBytes(
        of: UInt32(truncatingIfNeeded: interface).littleEndian, toByteOffset: 8, as: UInt32.self)
      header.storeBytes(
        of: UInt32(truncatingIfNeeded: time >> 32).littleEndian, toByteOffset: 12, as: UInt32.self)
      header.storeBytes(of: UInt32(truncatingIfNeeded: time).littleEndian, toByteOffset: 16, as: UInt32.self)
      header.storeBytes(of: UInt32(clamping: octets.count).littleEndian, toByteOffset: 20, as: UInt32.self)
      header.storeBytes(of: UInt32(clamping: originalLength).littleEndian, toByteOffset: 24, as: UInt32.self)
      bytes.append(contentsOf: UnsafeRawBufferPointer(header))
    }
    bytes.append(contentsOf: octets)
    bytes.padToWord()
    let options = bytes.count
    option(1, comment)
    if direction != .unknown {
      bytes.append(littleEndian: 2 as UInt16)  // epb_flags: bits 0 and 1 are the direction
      bytes.append(littleEndian: 4 as UInt16)
      bytes.append(littleEndian: UInt32(direction.rawValue))
    }
    endOfOptions(since: options)
    end(block: start)
  }

  /// Forgets the bytes built so far, after they have been written elsewhere; interfaces stay declared.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  private mutating func begin(block type: UInt32) -> Int {
    let start = bytes.count
    bytes.append(littleEndian: type)
    bytes.append(littleEndian: 0 as UInt32)
    return start
  }

  /// Writes the block's length at both ends.
  private mutating func end(block start: Int) {
    let length = UInt32(clamping: bytes.count - start + 4)
    bytes.append(littleEndian: length)
    bytes.replace(at: start + 4, littleEndian: length)
  }

  private mutating func option(_ code: UInt16, _ text: String) {
    guard !text.isEmpty else { return }
    var text = text
    text.withUTF8 { octets in
      let length = min(octets.count, 0xffff)  // an option's length has sixteen bits
      bytes.append(littleEndian: code)
      bytes.append(littleEndian: UInt16(length))
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: octets[..<length]))
    }
    bytes.padToWord()
  }

  private mutating func endOfOptions(since start: Int) {
    if bytes.count > start { bytes.append(littleEndian: 0 as UInt32) }
  }
}
