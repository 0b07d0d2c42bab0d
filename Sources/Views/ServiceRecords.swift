import CDatapath
import MapABI
import Wire

/// An entry of the service maps of either family, in host order.
struct ServiceRecord {
  var address: IPAddress
  var port: UInt16
  var transport: UInt8
  var scope: UInt8
  var slot: UInt16
  var entry: ServiceEntry

  init(_ key: ServiceKey4, _ entry: ServiceEntry) {
    address = key.address.asIPv4
    port = UInt16(bigEndian: key.dport)
    transport = key.proto
    scope = key.scope
    slot = key.backend_slot
    self.entry = entry
  }

  init(_ key: ServiceKey6, _ entry: ServiceEntry) {
    address = .v6(key.address.v6)
    port = UInt16(bigEndian: key.dport)
    transport = key.proto
    scope = key.scope
    slot = key.backend_slot
    self.entry = entry
  }

  var flags: UInt16 { UInt16(entry.flags2) << 8 | UInt16(entry.flags) }
  var isL7: Bool { flags & UInt16(SVC_FLAG2_L7LB.rawValue) << 8 != 0 }
  /// Where an L7 service is redirected to: stored in network order in the union's lower half.
  var proxyPort: UInt16 { UInt16(bigEndian: UInt16(truncatingIfNeeded: entry.backend_id)) }

  /// `10.96.0.1:443/TCP`, with `/i` for the scope of traffic from inside the cluster.
  var frontendText: String {
    let inside = UInt32(scope) == LB_SCOPE_INTERNAL.rawValue ? "/i" : ""
    return "\(address.joined(port: port))/\(ProtocolText.name(transport))\(inside)"
  }

  var typeText: String { ServiceFlagsText.type(flags) }

  func sameFrontend(as other: ServiceRecord) -> Bool {
    address == other.address && port == other.port && transport == other.transport && scope == other.scope
  }

  static func < (a: Self, b: Self) -> Bool {
    (a.address, a.port, a.transport, a.scope, a.slot) < (b.address, b.port, b.transport, b.scope, b.slot)
  }
}

/// An entry of the backend maps of either family, in host order.
struct BackendRecord {
  var address: IPAddress
  var port: UInt16
  var transport: UInt8
  var flags: UInt8
  var clusterID: UInt16
  var zone: UInt8

  init(_ backend: Backend4) {
    address = backend.address.asIPv4
    port = UInt16(bigEndian: backend.port)
    transport = backend.proto
    flags = backend.flags
    clusterID = backend.cluster_id
    zone = backend.zone
  }

  init(_ backend: Backend6) {
    address = .v6(backend.address.v6)
    port = UInt16(bigEndian: backend.port)
    transport = backend.proto
    flags = backend.flags
    clusterID = backend.cluster_id
    zone = backend.zone
  }

  /// Source: `BackendState.String` in `pkg/loadbalancer`.
  var stateText: String {
    switch UInt32(flags) {
    case BACKEND_TERMINATING.rawValue: "terminating"
    case BACKEND_QUARANTINED.rawValue: "quarantined"
    case BACKEND_MAINTENANCE.rawValue: "maintenance"
    default: "active"
    }
  }
}

extension NodeMaps {
  /// Both families, ascending by address (IPv4 first), port, protocol, scope, slot.
  var serviceRecords: [ServiceRecord] {
    let v4 = zip(services4.keys, services4.values).map { ServiceRecord($0, $1) }
    let v6 = zip(services6.keys, services6.values).map { ServiceRecord($0, $1) }
    return (v4 + v6).sorted { $0 < $1 }
  }

  /// A backend by id. The families draw ids from one pool; should both have one, IPv6 wins, as in cilium-dbg.
  func backendRecord(_ id: UInt32) -> BackendRecord? {
    if let backend = backends6[id] { return BackendRecord(backend) }
    return backends4[id].map { BackendRecord($0) }
  }
}

/// The flags of a service entry in words. Source: `ServiceFlags.String` in `pkg/loadbalancer`.
enum ServiceFlagsText {
  static func type(_ flags: UInt16) -> String {
    func has(_ flag: service_flag) -> Bool { flags & UInt16(flag.rawValue) != 0 }
    if has(SVC_FLAG_EXTERNAL_IP) { return "ExternalIPs" }
    if has(SVC_FLAG_NODEPORT) { return "NodePort" }
    if has(SVC_FLAG_LOADBALANCER) { return "LoadBalancer" }
    if has(SVC_FLAG_HOSTPORT) { return "HostPort" }
    if flags >> 8 & UInt16(SVC_FLAG2_LOCALREDIRECT.rawValue) != 0 { return "LocalRedirect" }
    return "ClusterIP"
  }

  static func text(_ flags: UInt16) -> String {
    func has(_ flag: service_flag) -> Bool { flags & UInt16(flag.rawValue) != 0 }
    func has2(_ flag: service_flag2) -> Bool { flags >> 8 & UInt16(flag.rawValue) != 0 }
    var words = [type(flags)]
    if has(SVC_FLAG_EXT_LOCAL_SCOPE) { words.append("Local") }
    if has2(SVC_FLAG2_INT_LOCAL_SCOPE) { words.append("InternalLocal") }
    if has2(SVC_FLAG2_TWO_SCOPES) { words.append("two-scopes") }
    if has(SVC_FLAG_AFFINITY) { words.append("sessionAffinity") }
    if !has(SVC_FLAG_ROUTABLE) { words.append("non-routable") }
    // One bit says "deny" in an entry that checks source ranges, and "quarantined" in any other.
    let checksSources = has(SVC_FLAG_SOURCE_RANGE)
    if checksSources { words.append("check source-range") }
    if checksSources, has2(SVC_FLAG2_QUARANTINED) { words.append("deny") }
    if has2(SVC_FLAG2_NAT46X64) { words.append("46x64") }
    if has2(SVC_FLAG2_L7LB) { words.append("l7-load-balancer") }
    if has2(SVC_FLAG2_LOOPBACK) { words.append(words[0] == "HostPort" ? "loopback" : "delegate-if-local") }
    if !checksSources, has2(SVC_FLAG2_QUARANTINED) { words.append("quarantined") }
    if has2(SVC_FLAG2_FWD_DSR) { words.append("dsr") }
    return words.joined(separator: ", ")
  }
}
