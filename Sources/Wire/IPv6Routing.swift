// Routing header. Source: RFC 8200, section 4.4; RFC 8754 (type 4, segment routing).
//
//  +--------+--------+--------+--------+--------+--------+--------+--------+
//  |  Next  | Length |  Type  |  Left  |       Data by type, 8n + 4          |
//  +--------+--------+--------+--------+--------+--------+--------+--------+

/// An IPv6 routing header.
public struct IPv6RoutingHeader: WireHeader {
  public var nextHeader: IPProtocol
  /// 2 for mobility, 4 for segment routing; 0 is deprecated (RFC 5095).
  public var type: UInt8
  public var segmentsLeft: UInt8
  /// 8n + 4 octets.
  public var data: [UInt8]

  public init(
    type: UInt8, segmentsLeft: UInt8, data: [UInt8], nextHeader: IPProtocol = .noNextHeader
  ) {
    self.nextHeader = nextHeader
    self.type = type
    self.segmentsLeft = segmentsLeft
    self.data = data
  }

  public static let name = WireProtocol.routing
  public var byteCount: Int { 4 + data.count }

  init(_ view: borrowing IPv6ExtensionView) {
    self.init(
      type: view.bytes.unchecked8(2), segmentsLeft: view.bytes.unchecked8(3),
      data: view.bytes.window(from: 4, to: view.headerLength).array, nextHeader: view.nextHeader)
  }

  public init(parsing bytes: RawSpan) throws(WireError) {
    self.init(try IPv6ExtensionView(.routing, bytes))
  }

  public func validate() throws(WireError) {
    guard byteCount % 8 == 0, byteCount <= 2048 else {
      throw .invalid(Self.name, field: "data", needed: "8n + 4 octets, at most 2044", had: UInt64(data.count))
    }
  }

  @_lifetime(bytes: copy bytes)
  public func write(into bytes: inout MutableRawSpan, at offset: Int) {
    bytes.store(nextHeader.rawValue, at: offset)
    bytes.store(UInt8(truncatingIfNeeded: byteCount / 8 - 1), at: offset + 1)
    bytes.store(type, at: offset + 2)
    bytes.store(segmentsLeft, at: offset + 3)
    bytes.store(data, at: offset + 4)
  }
}
