/// Something in a capture that its reader should know of.
public struct Diagnostic: Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// The file itself is broken: what follows `offset` was not read.
    case file
    /// A header that contradicts its format.
    case malformed
    /// A header that the capture cut off.
    case truncated
    /// A tunnel packet without an identity.
    case vniZero
    /// A link type that is not decoded.
    case linkType
    /// The names given say something else than the capture.
    case contradiction
  }

  public var kind: Kind
  public var file: String
  /// The packet, counted from 1 in its file; 0 where no single packet is meant.
  public var packet: UInt64
  /// Octets from the start of the (decompressed) file, where that is known.
  public var offset: UInt64?
  public var text: String

  public init(kind: Kind, file: String, packet: UInt64 = 0, offset: UInt64? = nil, text: String) {
    self.kind = kind
    self.file = file
    self.packet = packet
    self.offset = offset
    self.text = text
  }
}

extension Diagnostic: CustomStringConvertible {
  public var description: String {
    var line = file
    if packet > 0 { line += ": packet \(packet)" }
    if let offset { line += ": offset \(offset)" }
    return line.isEmpty ? text : "\(line): \(text)"
  }
}

/// How many packets there were of what.
public struct PacketCounts: Hashable, Sendable {
  public var packets: UInt64 = 0
  /// Packets with a tunnel's identity, their content readable or not.
  public var tunnel: UInt64 = 0
  /// Packets with a header that contradicts its format, outside or inside.
  public var malformed: UInt64 = 0
  /// Packets of which the capture cut a header off.
  public var truncated: UInt64 = 0
  /// Packets that are longer than what was captured, a header missing or not.
  public var cut: UInt64 = 0
  public var laterFragments: UInt64 = 0
  public var wireguard: UInt64 = 0
  public var ipsec: UInt64 = 0
  /// Packets with a direct-server-return option.
  public var dsr: UInt64 = 0
  public var vniZero: UInt64 = 0
  public var unknownLinkType: UInt64 = 0

  public init() {}
}
