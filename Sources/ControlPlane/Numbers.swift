/// The numbers that a real cluster draws, as a function of names, so that the same objects have the same numbers
/// in every run, and one more object changes no other's.
///
/// A name is hashed together with a word for its purpose; the hash is taken modulo the range; a number that is
/// taken already is passed by for the next free one above it (after the last comes the first). `docs/NUMBERS.md`
/// has the definition and the purposes.
public enum Numbers {
  /// FNV-1a over the octets of `purpose`, a zero octet and `name`, finished by MurmurHash3's 64-bit mixer.
  public static func hash(_ purpose: String, _ name: String) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for octet in purpose.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3 }
    hash = hash &* 0x100_0000_01b3
    for octet in name.utf8 { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01b3 }
    hash = (hash ^ hash >> 33) &* 0xff51_afd7_ed55_8ccd
    hash = (hash ^ hash >> 33) &* 0xc4ce_b9fe_1a85_ec53
    return hash ^ hash >> 33
  }

  /// Kubernetes' alphabet for generated names: no vowels, and nothing that looks like another character.
  static let alphabet = Array("bcdfghjklmnpqrstvwxz2456789".utf8)

  /// `length` characters of Kubernetes' alphabet: the digits of the hash in base 27, lowest first.
  public static func suffix(_ purpose: String, _ name: String, length: Int) -> String {
    var hash = hash(purpose, name)
    var octets: [UInt8] = []
    for _ in 0..<length {
      octets.append(alphabet[Int(hash % 27)])
      hash /= 27
    }
    return String(decoding: octets, as: UTF8.self)
  }

  /// The name of the host's end of a pod's veth pair: `lxc` and the low 48 bits of the hash.
  public static func lxcName(_ name: String) -> String {
    let digits = String(hash("lxc", name) & 0xffff_ffff_ffff, radix: 16)
    return "lxc" + String(repeating: "0", count: 12 - digits.utf8.count) + digits
  }

  /// A locally administered unicast address: the low 48 bits of the hash with those two bits set right.
  static func macBits(_ purpose: String, _ name: String) -> UInt64 {
    hash(purpose, name) & 0xfcff_ffff_ffff | 0x0200_0000_0000
  }
}

/// Numbers of one range given to names; a name keeps its number until it is released.
struct NumberSpace: Sendable {
  let purpose: String
  let range: ClosedRange<UInt64>
  private(set) var numbers: [String: UInt64] = [:]
  private var names: [UInt64: String] = [:]
  private var pinned: Set<String> = []

  init(_ purpose: String, _ range: ClosedRange<UInt64>) {
    self.purpose = purpose
    self.range = range
  }

  /// The name's number, drawn now if it has none; nil when the range is used up. Ask in the order of the names.
  mutating func number(for name: String) -> UInt64? {
    if let number = numbers[name] { return number }
    let count = range.upperBound - range.lowerBound + 1
    guard UInt64(numbers.count) < count else { return nil }
    var offset = Numbers.hash(purpose, name) % count
    while names[range.lowerBound + offset] != nil { offset = (offset + 1) % count }
    set(name, range.lowerBound + offset)
    return range.lowerBound + offset
  }

  /// Gives a name the number that an object pins. Whoever drew it before has none now, and draws again.
  ///
  /// - Returns: false when another name pins the same number.
  @discardableResult
  mutating func pin(_ name: String, to number: UInt64) -> Bool {
    if let holder = names[number], holder != name {
      guard !pinned.contains(holder) else { return false }
      release(holder)
    }
    release(name)
    set(name, number)
    pinned.insert(name)
    return true
  }

  mutating func release(_ name: String) {
    guard let number = numbers.removeValue(forKey: name) else { return }
    names[number] = nil
    pinned.remove(name)
  }

  func name(of number: UInt64) -> String? { names[number] }

  private mutating func set(_ name: String, _ number: UInt64) {
    numbers[name] = number
    names[number] = name
  }
}
