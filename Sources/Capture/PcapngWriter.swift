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
    let options = PacketBlock.options(comment: comment, direction: direction)
    let block = PacketBlock(interface: interface, time: time, originalLength: originalLength)
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: PacketBlock.size(octets.count, options.count)))
    bytes.withUnsafeMutableBytes { target in
      options.withUnsafeBytes { options in
        if let base = target.baseAddress { block.store(to: base + start, octets, options) }
      }
    }
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

  private mutating func option(_ code: UInt16, _ text: String) { bytes.append(option: code, text) }

  private mutating func endOfOptions(since start: Int) {
    if bytes.count > start { bytes.append(littleEndian: 0 as UInt32) }
  }
}
