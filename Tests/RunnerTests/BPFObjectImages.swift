import BPFObjects

/// The octets of the programs that the binary carries.
enum BPFObjectImages {
  static func image(of name: String) -> [UInt8]? { BPFObject.named(name)?.image }
}
