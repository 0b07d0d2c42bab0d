/// Why a packet could not be read to its end.
public struct Fault: Error, Hashable, Sendable {
  public enum Kind: Hashable, Sendable {
    /// The octets were on the wire, but the capture does not hold them (snap length).
    case truncated
    /// The octets that are there contradict the header's format.
    case malformed
  }

  public var kind: Kind
  /// The first octet that is missing or wrong, from the start of the packet.
  public var offset: Int
  public var reason: Reason

  /// What is wrong, in the field's words.
  public enum Reason: Hashable, Sendable {
    case short(Header)
    case version(Header, UInt8)
    case headerLength(Header, Int)
    case length(Header, Int)
    case optionLength(Header, Int)
    case noVNI(UInt8)
  }

  public enum Header: String, Hashable, Sendable {
    case ethernet = "Ethernet"
    case vlan = "VLAN tag"
    case cooked = "Linux cooked"
    case loopback = "loopback"
    case ipv4 = "IPv4"
    case ipv6 = "IPv6"
    case extensionHeader = "IPv6 extension"
    case udp = "UDP"
    case tcp = "TCP"
    case sctp = "SCTP"
    case icmp = "ICMP"
    case arp = "ARP"
    case vxlan = "VXLAN"
    case geneve = "Geneve"
  }
}

extension Fault.Reason: CustomStringConvertible {
  public var description: String {
    switch self {
    case .short(let header): "\(header.rawValue) header incomplete"
    case .version(let header, let version): "\(header.rawValue) version \(version)"
    case .headerLength(let header, let length): "\(header.rawValue) header length \(length)"
    case .length(let header, let length): "\(header.rawValue) length \(length) does not fit the packet"
    case .optionLength(let header, let length):
      "\(header.rawValue) option of \(length) octets does not fit its header"
    case .noVNI(let flags): "VXLAN flags 0x\(String(flags, radix: 16)): no valid VNI"
    }
  }
}
