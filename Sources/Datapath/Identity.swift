internal import MapABI

/// Reserved identities (`bpf/abi/constants.h`).
enum Identity {
  static let unknown: UInt32 = 0
  static let host: UInt32 = 1
  static let world: UInt32 = 2
  static let unmanaged: UInt32 = 3
  static let remoteNode: UInt32 = 6
  static let kubeAPIServer: UInt32 = 7
  static let worldIPv4: UInt32 = 9
  static let worldIPv6: UInt32 = 10

  /// `identity_is_remote_node`
  static func isRemoteNode(_ identity: UInt32) -> Bool {
    identity == remoteNode || identity == kubeAPIServer || identity & 0xff00_0000 == 0x0200_0000
  }
}

/// `skb->mark`: identity in the upper sixteen and the lowest eight bits, what the packet is in bits 8 to 11.
enum Mark {
  static let magicMask: UInt32 = 0x0f00
  static let keyMask: UInt32 = 0xff00
  static let toProxy: UInt32 = 0x0200
  static let snatDone: UInt32 = 0x0300
  static let overlay: UInt32 = 0x0400
  static let skipTProxy: UInt32 = 0x0800
  static let proxyEgressEndpoint: UInt32 = 0x0900
  static let proxyIngress: UInt32 = 0x0a00
  static let proxyEgress: UInt32 = 0x0b00
  static let host: UInt32 = 0x0c00
  static let encrypt: UInt32 = 0x0e00
  static let identity: UInt32 = 0x0f00
}

extension Run {
  /// How many of an identity's 24 bits are local to its cluster.
  private var localBits: UInt32 { 24 &- min(config.cluster_id_bits, 24) }
  private var localMask: UInt32 { (1 << localBits) &- 1 }
  private var clusterMask: UInt32 { (1 << min(config.cluster_id_bits, 24)) &- 1 }

  /// `set_identity_mark`
  mutating func setIdentityMark(_ identity: UInt32, _ magic: UInt32) {
    let cluster = (identity >> localBits) & clusterMask
    mark =
      (cluster & 0xff) | ((cluster & 0xffff_ff00) << (8 + localBits)) | (magic & Mark.keyMask)
      | ((identity & localMask) << 16)
  }

  /// `get_identity`
  var identityFromMark: UInt32 {
    let upper = (mark & ((clusterMask & 0xffff_ff00) << (8 + localBits))) >> (8 + localBits)
    return ((mark & 0xff) | upper) << localBits | ((mark >> 16) & localMask)
  }

  var markMagic: UInt32 { mark & Mark.magicMask }

  /// `inherit_identity_from_host`: who sent a packet that comes from the host's stack; clears the mark.
  mutating func inheritIdentity() -> (identity: UInt32, magic: UInt32) {
    let magic = markMagic
    defer { mark = 0 }
    switch magic {
    case Mark.proxyIngress:
      tcIndex |= TCIndex.fromIngressProxy
      return (identityFromMark, magic)
    case Mark.proxyEgress:
      tcIndex |= TCIndex.fromEgressProxy
      return (identityFromMark, magic)
    case Mark.identity: return (identityFromMark, magic)
    case Mark.host: return (Identity.host, magic)
    default:
      switch etherType {
      case IPv4.etherType: return (worldIdentity(IPv4.self), magic)
      case IPv6.etherType: return (worldIdentity(IPv6.self), magic)
      default: return (Identity.world, magic)
      }
    }
  }

  /// `identity_is_reserved`
  func isReserved(_ identity: UInt32) -> Bool {
    identity < Identity.unmanaged || Identity.isRemoteNode(identity)
      || isDualStack && (identity == Identity.worldIPv4 || identity == Identity.worldIPv6)
  }

  /// `identity_is_world_ipv4`
  func isWorld<F: IPFamily>(_ identity: UInt32, _: F.Type) -> Bool {
    identity == Identity.world || isDualStack && identity == worldIdentity(F.self)
  }

  /// `get_tunnel_id`: the two worlds of dual stack are one on the wire.
  func vni(of identity: UInt32) -> UInt32 {
    isDualStack && (identity == Identity.worldIPv4 || identity == Identity.worldIPv6)
      ? Identity.world : identity
  }

  /// `get_id_from_tunnel_id`
  func identity(ofVNI vni: UInt32, etherType: UInt16) -> UInt32 {
    guard isDualStack, vni == Identity.world else { return vni }
    switch etherType {
    case IPv4.etherType: return Identity.worldIPv4
    case IPv6.etherType: return Identity.worldIPv6
    default: return vni
    }
  }
}

/// `skb->tc_index`
enum TCIndex {
  static let fromIngressProxy: UInt16 = 1
  static let fromEgressProxy: UInt16 = 2
  static let skipNodePort: UInt16 = 4
  static let skipHostFirewall: UInt16 = 16
}
