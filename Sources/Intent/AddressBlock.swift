import Wire

/// A prefix and what is left out of it, for matching.
struct AddressBlock: Hashable, Sendable {
  /// The part of an address that decides: the network's bits, shifted down.
  private struct Prefix: Hashable, Sendable {
    let family: AddressFamily
    let high: UInt64
    let low: UInt64
    let length: Int

    init(_ cidr: CIDR) {
      family = cidr.family
      length = cidr.prefixLength
      (high, low) = Prefix.bits(cidr.network)
    }

    /// An address at the top of 128 bits.
    static func bits(_ address: IPAddress) -> (UInt64, UInt64) {
      switch address {
      case .v4(let address): (UInt64(address.bits) << 32, 0)
      case .v6(let address): (address.high, address.low)
      }
    }

    func covers(_ address: IPAddress) -> Bool {
      guard address.family == family else { return false }
      let (high, low) = Prefix.bits(address)
      // Shifting by the width of a word or more gives 0 in Swift, which is what no bits to compare mean.
      let highDiffers = (high ^ self.high) >> UInt64(max(0, 64 - length)) != 0
      let lowDiffers = length > 64 && (low ^ self.low) >> UInt64(128 - length) != 0
      return !highDiffers && !lowDiffers
    }
  }

  private let prefix: Prefix
  private let exceptions: [Prefix]

  init(_ cidr: CIDR, except: [CIDR] = []) {
    prefix = Prefix(cidr)
    exceptions = except.map(Prefix.init)
  }

  /// Whether it begins as all of the world's addresses do: `0.0.0.0/0`, `::/0`.
  var isUniversal: Bool { prefix.length == 0 }

  func contains(_ address: IPAddress) -> Bool {
    guard prefix.covers(address) else { return false }
    for exception in exceptions where exception.covers(address) { return false }
    return true
  }
}
