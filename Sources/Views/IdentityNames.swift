import CDatapath
import Wire

/// The labels of identities, by number. Reserved identities need not be listed.
public struct IdentityNames: Sendable {
  private var known: [UInt32: [String]]

  /// `labels` are in the form that the agent's API has: `k8s:app=nginx`, `reserved:host`, `cidr:10.0.0.0/8`.
  public init(_ labels: [UInt32: [String]] = [:]) { known = labels }

  public subscript(identity: UInt32) -> [String]? {
    get { known[identity] ?? Self.reservedLabels(identity) }
    set { known[identity] = newValue }
  }

  /// The labels as cilium-dbg prints them, one on each line; nil if the identity is unknown.
  func printable(_ identity: UInt32) -> [String]? { self[identity].map(Labels.printable) }

  /// Source: `pkg/identity/numericidentity.go`; identity 0 is labelled by the agent's identity cache.
  static func reservedLabels(_ identity: UInt32) -> [String]? {
    guard let name = reservedName(identity) else { return nil }
    if identity == IDENTITY_KUBE_APISERVER.rawValue {
      return ["reserved:kube-apiserver", "reserved:remote-node"]
    }
    return ["reserved:\(name)"]
  }

  static func reservedName(_ identity: UInt32) -> String? {
    switch identity {
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

enum Labels {
  /// Sorted by octets; the key of a CIDR label, which cannot hold colons, becomes the prefix that it stands for.
  /// Source: `GetPrintableModel` in `pkg/labels`.
  static func printable(_ labels: [String]) -> [String] {
    labels.map { label in
      guard label.hasPrefix("cidr:") else { return label }
      let key = label.dropFirst("cidr:".count).prefix { $0 != "=" }
      let prefix = String(key.map { $0 == "-" ? ":" : $0 })
      guard CIDR(prefix) != nil, let slash = prefix.firstIndex(of: "/"),
        let address = IPAddress(prefix[..<slash])
      else { return label }
      return "cidr:\(address)\(prefix[slash...])"
    }
    .sortedByOctets()
  }
}
