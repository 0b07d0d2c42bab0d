/// Names for security identities: the reserved ones, and those that a cluster has given.
///
/// Source of the numbers: Cilium pkg/identity/numericidentity.go.
public struct IdentityNames: Sendable {
  /// Sorted labels of identities, as a file gave them.
  public private(set) var labels: [UInt32: [String]] = [:]
  /// Whether a file was read, so that an identity it does not hold is worth a remark.
  public var isEmpty: Bool { labels.isEmpty }

  public init() {}

  public mutating func set(_ identity: UInt32, labels: [String]) { self.labels[identity] = labels.sorted() }

  /// The name of a reserved identity; nil for others.
  public static func reserved(_ identity: UInt32) -> String? {
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

  /// How many clusters a mesh may have (Cilium's `maxConnectedClusters`): that says how many of a VNI's 24 bits are the
  /// cluster's; the others are the identity within its cluster.
  public enum MeshLimit: Int, Sendable, CaseIterable {
    case clusters255 = 255
    case clusters511 = 511

    var clusterBits: UInt32 { self == .clusters255 ? 8 : 9 }
  }

  public var meshLimit = MeshLimit.clusters255

  /// The cluster that gave an identity: the upper bits of a cluster mesh's VNI; 0 is the cluster itself.
  public func cluster(_ vni: UInt32) -> UInt32 { (vni & 0xff_ffff) >> (24 - meshLimit.clusterBits) }

  /// What the number's range means, where that is worth a word; nil for plain cluster identities.
  public func scope(_ identity: UInt32) -> String? {
    switch identity {
    case 0...10: "reserved"
    case 11...99: "reserved, unassigned"
    case 100...127: "well-known"
    case 128...255: "user-reserved"
    case 256...0xff_ffff where cluster(identity) > 0:
      "cluster \(cluster(identity)), identity \(identity & (0xff_ffff >> meshLimit.clusterBits))"
    case 256...0xff_ffff: nil
    case 0x100_0000...0x1ff_ffff: "local to one node (CIDR), never on the wire"
    case 0x200_0000...0x2ff_ffff: "local to one node (remote node), never on the wire"
    default: "out of range"
    }
  }

  /// The name to show: labels where they are known, the reserved name; nil where there is nothing to say.
  public func name(_ vni: UInt32) -> String? {
    if let reserved = Self.reserved(vni) { return reserved }
    return labels[vni].map { $0.joined(separator: ",") }
  }

  /// The name for a table: as `name`, without the labels that Cilium derives from namespace, cluster and service
  /// account, unless there are no others.
  func shortName(_ vni: UInt32) -> String? {
    guard Self.reserved(vni) == nil, let all = labels[vni] else { return name(vni) }
    let own = all.filter { !$0.hasPrefix("k8s:io.cilium.k8s.") }
    return (own.isEmpty ? all : own).joined(separator: ",")
  }

  /// Reads a file's text: what `cilium-dbg identity list` prints (as a table or as JSON), or what
  /// `kubectl get ciliumidentities -o json` prints.
  public mutating func read(_ octets: [UInt8], file: String) throws(CaptureError) {
    let first = octets.first { $0 != 0x20 && $0 != 0x0a && $0 != 0x0d && $0 != 0x09 }
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") {
      let document: JSONValue
      do { document = try JSONValue(parsing: octets) } catch {
        throw CaptureError(file: file, offset: UInt64(error.offset), reason: "JSON: \(error.reason)")
      }
      try readJSON(document, file)
    } else {
      try readTable(String(decoding: octets, as: UTF8.self), file)
    }
  }

  private mutating func readJSON(_ value: JSONValue, _ file: String) throws(CaptureError) {
    let items = value["items"]?.array ?? value.array ?? [value]
    var found = 0
    for item in items {
      if let identity = item["id"]?.unsigned, let list = item["labels"]?.array {
        set(UInt32(truncatingIfNeeded: identity), labels: list.compactMap(\.string))
      } else if let identity = item["metadata"]?["name"]?.unsigned, let labels = item["security-labels"] {
        set(
          UInt32(truncatingIfNeeded: identity),
          labels: labels.members.map { member in
            let value = member.value.string ?? ""
            return value.isEmpty ? member.name : "\(member.name)=\(value)"
          })
      } else {
        continue
      }
      found += 1
    }
    if found == 0, !items.isEmpty {
      throw CaptureError(
        file: file, reason: "no identities found: expected CiliumIdentity objects or id and labels")
    }
  }

  /// An identity's line starts with its number; its further labels follow on lines that start with a space.
  private mutating func readTable(_ text: String, _ file: String) throws(CaptureError) {
    var current: UInt32?
    var offset = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      defer { offset += line.utf8.count + 1 }
      let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard let first = words.first, first != "ID" else { continue }
      if line.first == " " || line.first == "\t", let identity = current {
        labels[identity, default: []].append(String(first))
        labels[identity]?.sort()
      } else if let identity = UInt32(first) {
        current = identity
        labels[identity] = words.count > 1 ? [String(words[1])] : []
      } else {
        throw CaptureError(
          file: file, offset: UInt64(offset),
          reason: "'\(line.prefix(40))' is no line of an identity list (expected ID and LABELS)")
      }
    }
    guard current != nil else { throw CaptureError(file: file, reason: "no identities found") }
  }
}
