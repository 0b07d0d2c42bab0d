import Glibc
import Wire

/// Text on its way out: to a file descriptor in pieces of 64 KiB, or into memory.
public struct TextOutput: ~Copyable {
  private let descriptor: Int32
  private var buffer: UnsafeMutablePointer<UInt8>
  private var capacity = 64 << 10
  public private(set) var count = 0
  /// Octets given away by `flush` before those that are `count`ed.
  private var flushed = 0
  /// Set when the other end cannot take more: what follows is dropped.
  public private(set) var failed = false

  /// Writes to a file descriptor, which stays open; nil keeps the text in memory.
  public init(descriptor: Int32? = nil) {
    self.descriptor = descriptor ?? -1
    buffer = .allocate(capacity: capacity)
  }

  deinit { buffer.deallocate() }

  /// The text in memory so far.
  public var bytes: [UInt8] { Array(UnsafeBufferPointer(start: buffer, count: count)) }
  public var text: String {
    String(decoding: UnsafeBufferPointer(start: buffer, count: count), as: UTF8.self)
  }

  public mutating func flush() {
    guard descriptor >= 0 else { return }
    var start = 0
    while start < count, !failed {
      let written = write(descriptor, buffer + start, count - start)
      if written < 0, errno != EINTR { failed = true }
      if written > 0 { start += written }
    }
    flushed += count
    count = 0
  }

  mutating func removeAll() { count = 0 }

  /// Octets put so far, written or not.
  var total: Int { flushed + count }

  /// Puts all of this text at the end of another.
  func copy(to other: inout TextOutput) { other.put(UnsafeBufferPointer(start: buffer, count: count)) }

  @inline(__always)
  private mutating func room(_ octets: Int) {
    if count + octets > capacity { makeRoom(octets) }
  }

  @inline(never)
  private mutating func makeRoom(_ octets: Int) {
    flush()
    guard count + octets > capacity else { return }
    let larger = max(capacity * 2, count + octets)
    let fresh = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
    fresh.update(from: buffer, count: count)
    buffer.deallocate()
    buffer = fresh
    capacity = larger
  }

  @inline(__always)
  mutating func put(_ octet: UInt8) {
    room(1)
    buffer[count] = octet
    count += 1
  }

  @inline(__always)
  mutating func put(_ text: StaticString) {
    let octets = text.utf8CodeUnitCount
    room(octets)
    (buffer + count).update(from: text.utf8Start, count: octets)
    count += octets
  }

  mutating func put(_ octets: UnsafeBufferPointer<UInt8>) {
    guard let base = octets.baseAddress else { return }
    room(octets.count)
    (buffer + count).update(from: base, count: octets.count)
    count += octets.count
  }

  /// Text of our own, as it is.
  public mutating func put(text: String) {
    var text = text
    text.withUTF8 { put($0) }
  }

  /// Text from outside: control characters are shown as `\u00XX`, so that a capture or a names file cannot drive
  /// the terminal.
  public mutating func put(escaped text: String) {
    guard text.unicodeScalars.contains(where: { isControl($0) }) else { return put(text: text) }
    for scalar in text.unicodeScalars {
      if isControl(scalar) {
        put("\\u")
        hex(UInt64(scalar.value), digits: 4)
      } else {
        put(text: String(scalar))
      }
    }
  }

  /// A line of text from outside.
  public mutating func put(line text: String) {
    put(escaped: text)
    put("\n")
  }

  private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value)
  }

  mutating func put(_ number: UInt64) {
    room(20)
    var digits = 1
    var bound: UInt64 = 10
    // The twentieth digit's bound does not fit.
    while number >= bound, digits < 20 {
      digits += 1
      bound &*= 10
    }
    var rest = number
    for position in stride(from: digits - 1, through: 0, by: -1) {
      buffer[count + position] = UInt8(truncatingIfNeeded: rest % 10) &+ 48
      rest /= 10
    }
    count += digits
  }

  mutating func put(_ number: some BinaryInteger) { put(UInt64(truncatingIfNeeded: number)) }

  /// Exactly `width` decimal digits, with leading zeros.
  mutating func padded(_ number: UInt64, width: Int) {
    room(width)
    var rest = number
    for position in stride(from: width - 1, through: 0, by: -1) {
      buffer[count + position] = UInt8(truncatingIfNeeded: rest % 10) &+ 48
      rest /= 10
    }
    count += width
  }

  mutating func hex(_ number: UInt64, digits: Int) {
    for shift in stride(from: 4 * (digits - 1), through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: number >> UInt64(shift) & 15)
      put(digit < 10 ? digit + 48 : digit + 87)
    }
  }

  mutating func spaces(_ count: Int) {
    for _ in 0..<max(0, count) { put(UInt8(ascii: " ")) }
  }

  mutating func put(_ address: IPAddress) {
    switch address {
    case .v4(let address):
      put(UInt64(address.bits >> 24))
      for shift in [16, 8, 0] as [UInt32] {
        put(UInt8(ascii: "."))
        put(UInt64(address.bits >> shift & 255))
      }
    case .v6(let address): put(text: address.description)
    }
  }

  mutating func put(_ address: InnerPacket.Address) {
    switch address {
    case .ip(let address): put(address)
    case .mac(let address): put(text: address.description)
    }
  }
}
