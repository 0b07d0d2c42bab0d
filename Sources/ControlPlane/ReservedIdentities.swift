import MapABI

extension identity {
  /// The number as maps hold it.
  var number: UInt32 { UInt32(bitPattern: rawValue) }
}

/// The identities that every agent knows, whatever the cluster holds.
///
/// Source: Cilium `pkg/identity/numericidentity.go`.
enum ReservedIdentity {
  static let all: [(number: UInt32, labels: IdentityLabels)] = [
    (IDENTITY_HOST.number, IdentityLabels([.reserved("host")])),
    (IDENTITY_WORLD.number, IdentityLabels([.reserved("world")])),
    (IDENTITY_UNMANAGED.number, IdentityLabels([.reserved("unmanaged")])),
    (IDENTITY_HEALTH.number, IdentityLabels([.reserved("health")])),
    (IDENTITY_INIT.number, IdentityLabels([.reserved("init")])),
    (IDENTITY_REMOTE_NODE.number, IdentityLabels([.reserved("remote-node")])),
    (
      IDENTITY_KUBE_APISERVER.number,
      IdentityLabels([.reserved("kube-apiserver"), .reserved("remote-node")])
    ),
    (IDENTITY_INGRESS.number, IdentityLabels([.reserved("ingress")])),
    (IDENTITY_WORLD_IPV4.number, IdentityLabels([.reserved("world-ipv4")])),
    (IDENTITY_WORLD_IPV6.number, IdentityLabels([.reserved("world-ipv6")])),
  ]

  /// `host`, `world`, …; nil for other numbers.
  static func name(_ number: UInt32) -> String? {
    switch number {
    case 0: "unknown"
    case 1: "host"
    case 2: "world"
    case 3: "unmanaged"
    case 4: "health"
    case 5: "init"
    case 6: "remote-node"
    case 7: "kube-apiserver"
    case 8: "ingress"
    case 9: "world-ipv4"
    case 10: "world-ipv6"
    default: nil
    }
  }
}
