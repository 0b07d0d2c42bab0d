public import MapABI

/// One reason in the course of a hook: what was looked at, and what was found. Fixed size, nothing allocated.
public enum Step: Sendable {
  /// The stage that the steps after it belong to.
  case stage(Stage)
  /// Headers were read; octets of protocol number and ports as in the packet.
  case parsed(protocol: UInt8, sourcePort: UInt16, destinationPort: UInt16, fragment: Bool)
  /// The source address is not the endpoint's own.
  case spoofedSource
  /// An ARP or neighbour solicitation was answered by the program.
  case answered(Answer)
  case service4(ServiceKey4, ServiceEntry?)
  case service6(ServiceKey6, ServiceEntry?)
  /// The service's wildcard entry (port 0, protocol ANY) was found.
  case serviceWildcard
  /// A backend was chosen: by whom, its id, its slot (0 when not from a slot).
  case backend(id: UInt32, slot: UInt16, BackendChoice)
  /// Destination translated: the backend's address and port in network order.
  case translated4(Backend4)
  case translated6(Backend6)
  /// Source translated back to the service's address.
  case reverseTranslated(revNATIndex: UInt16)
  case conntrack4(CTTuple4, CTDirection, CTStatus)
  case conntrack6(CTTuple6, CTDirection, CTStatus)
  case conntrackCreated(CTDirection)
  case ipcache(IPCacheKey, RemoteEndpointInfo?)
  case endpoint(EndpointKey, EndpointInfo?)
  case policy(PolicyDecision)
  /// Encapsulated for the node with this VNI.
  case encapsulated(vni: UInt32)
  /// The identity that the tunnel header carried.
  case decapsulated(vni: UInt32, identity: UInt32)
  /// TTL or hop limit after the decrement.
  case ttl(UInt8)
  case deliver(endpoint: UInt16, ifindex: UInt32)
  case toStack
  case toHost
  case toProxy(port: UInt16)
  case natLookup(hit: Bool)
  case dropped(DropReason)

  public enum Stage: UInt8, Sendable {
    case entry, service, conntrack, forward, policy, overlay, netdev, host, nat
  }
  public enum Answer: UInt8, Sendable { case arp, neighbourAdvertisement, icmpError, echoReply }
  public enum BackendChoice: UInt8, Sendable { case random, affinity, conntrack, maglev, given }
  public enum CTDirection: UInt8, Sendable { case egress, ingress, service }
  public enum CTStatus: UInt8, Sendable { case new, established, reply, related }
}

/// How the policy map decided.
public struct PolicyDecision: Sendable {
  public var egress: Bool
  public var endpoint: UInt16
  public var remoteIdentity: UInt32
  public var `protocol`: UInt8
  /// Destination port in host order; the ICMP type where ICMP rules count.
  public var port: UInt16
  /// The entry that decided, and the identity under which it was found (0: the wildcard look-up).
  public var entry: PolicyEntry?
  public var matchedIdentity: UInt32
  public var match: UInt8
  public var verdict: Verdict

  public enum Verdict: Sendable, Equatable {
    case allow
    case redirect(proxyPort: UInt16)
    case deny(DropReason)
  }

  public init(
    egress: Bool, endpoint: UInt16, remoteIdentity: UInt32, protocol: UInt8, port: UInt16,
    entry: PolicyEntry?,
    matchedIdentity: UInt32, match: UInt8, verdict: Verdict
  ) {
    self.egress = egress
    self.endpoint = endpoint
    self.remoteIdentity = remoteIdentity
    self.protocol = `protocol`
    self.port = port
    self.entry = entry
    self.matchedIdentity = matchedIdentity
    self.match = match
    self.verdict = verdict
  }
}
