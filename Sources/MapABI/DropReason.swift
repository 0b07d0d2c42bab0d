/// Why a packet was dropped.
///
/// Numbers: `bpf/abi/drop_reasons.h`; texts: Cilium's `pkg/monitor/api/drop.go`; names: `DropReason` of its flow API.
public enum DropReason: UInt8, CaseIterable, Sendable, Hashable {
  case invalidSip = 132
  case policy = 133
  case invalid = 134
  case ctInvalidHdr = 135
  case fragNeeded = 136
  case ctUnknownProto = 137
  case unknownL3 = 139
  case missedTailCall = 140
  case writeError = 141
  case unknownL4 = 142
  case unknownIcmp4Code = 143
  case unknownIcmp4Type = 144
  case unknownIcmp6Code = 145
  case unknownIcmp6Type = 146
  case noTunnelKey = 147
  case unknownTarget = 150
  case unroutable = 151
  case csumL3 = 153
  case csumL4 = 154
  case ctCreateFailed = 155
  case invalidExthdr = 156
  case fragNosupport = 157
  case noService = 158
  case unsuppServiceProto = 159
  case noTunnelEndpoint = 160
  case nat46x64Disabled = 161
  case edtHorizon = 162
  case unknownCt = 163
  case hostUnreachable = 164
  case noConfig = 165
  case unsupportedL2 = 166
  case natNoMapping = 167
  case natUnsuppProto = 168
  case noFib = 169
  case encapProhibited = 170
  case invalidIdentity = 171
  case unknownSender = 172
  case natNotNeeded = 173
  case isClusterIp = 174
  case fragNotFound = 175
  case forbiddenIcmp6 = 176
  case notInSrcRange = 177
  case proxyLookupFailed = 178
  case proxySetFailed = 179
  case proxyUnknownProto = 180
  case policyDeny = 181
  case vlanFiltered = 182
  case invalidVni = 183
  case invalidTcBuffer = 184
  case noSid = 185
  case nat46 = 187
  case nat64 = 188
  case policyAuthRequired = 189
  case ctNoMapFound = 190
  case snatNoMapFound = 191
  case invalidClusterId = 192
  case dsrEncapUnsuppProto = 193
  case noEgressGateway = 194
  case unencryptedTraffic = 195
  case ttlExceeded = 196
  case noNodeId = 197
  case rateLimited = 198
  case igmpHandled = 199
  case igmpSubscribed = 200
  case multicastHandled = 201
  case hostNotReady = 202
  case epNotReady = 203
  case noEgressIp = 204
  case puntProxy = 205

  /// What Cilium's tools print.
  public var text: String {
    switch self {
    case .invalidSip: "Invalid source ip"
    case .policy: "Policy denied"
    case .invalid: "Invalid packet"
    case .ctInvalidHdr: "CT: Truncated or invalid header"
    case .fragNeeded: "Fragmentation needed"
    case .ctUnknownProto: "CT: Unknown L4 protocol"
    case .unknownL3: "Unsupported L3 protocol"
    case .missedTailCall: "Missed tail call"
    case .writeError: "Error writing to packet"
    case .unknownL4: "Unknown L4 protocol"
    case .unknownIcmp4Code: "Unknown ICMPv4 code"
    case .unknownIcmp4Type: "Unknown ICMPv4 type"
    case .unknownIcmp6Code: "Unknown ICMPv6 code"
    case .unknownIcmp6Type: "Unknown ICMPv6 type"
    case .noTunnelKey: "Error retrieving tunnel key"
    case .unknownTarget: "Unknown L3 target address"
    case .unroutable: "Stale or unroutable IP"
    case .csumL3: "Error while correcting L3 checksum"
    case .csumL4: "Error while correcting L4 checksum"
    case .ctCreateFailed: "CT: Map insertion failed"
    case .invalidExthdr: "Invalid IPv6 extension header"
    case .fragNosupport: "IP fragmentation not supported"
    case .noService: "Service backend not found"
    case .unsuppServiceProto: "UNSUPP_SERVICE_PROTO"
    case .noTunnelEndpoint: "No tunnel/encapsulation endpoint (datapath BUG!)"
    case .nat46x64Disabled: "NAT 46/64 not enabled"
    case .edtHorizon: "Reached EDT rate-limiting drop horizon"
    case .unknownCt: "Unknown connection tracking state"
    case .hostUnreachable: "Local host is unreachable"
    case .noConfig: "No configuration available to perform policy decision"
    case .unsupportedL2: "Unsupported L2 protocol"
    case .natNoMapping: "No mapping for NAT masquerade"
    case .natUnsuppProto: "Unsupported protocol for NAT masquerade"
    case .noFib: "FIB lookup failed"
    case .encapProhibited: "Encapsulation traffic is prohibited"
    case .invalidIdentity: "Invalid identity"
    case .unknownSender: "Unknown sender"
    case .natNotNeeded: "NAT not needed"
    case .isClusterIp: "Is a ClusterIP"
    case .fragNotFound: "First logical datagram fragment not found"
    case .forbiddenIcmp6: "Forbidden ICMPv6 message"
    case .notInSrcRange: "Denied by LB src range check"
    case .proxyLookupFailed: "Socket lookup failed"
    case .proxySetFailed: "Socket assign failed"
    case .proxyUnknownProto: "Proxy redirection not supported for protocol"
    case .policyDeny: "Policy denied by denylist"
    case .vlanFiltered: "VLAN traffic disallowed by VLAN filter"
    case .invalidVni: "Incorrect VNI from VTEP"
    case .invalidTcBuffer: "Failed to update or lookup TC buffer"
    case .noSid: "No SID was found for the IP address"
    case .nat46: "L3 translation from IPv4 to IPv6 failed (NAT46)"
    case .nat64: "L3 translation from IPv6 to IPv4 failed (NAT64)"
    case .policyAuthRequired: "Authentication required"
    case .ctNoMapFound: "No conntrack map found"
    case .snatNoMapFound: "No nat map found"
    case .invalidClusterId: "Invalid ClusterID"
    case .dsrEncapUnsuppProto: "Unsupported packet protocol for DSR encapsulation"
    case .noEgressGateway: "No egress gateway found"
    case .unencryptedTraffic: "Traffic is unencrypted"
    case .ttlExceeded: "TTL exceeded"
    case .noNodeId: "No node ID found"
    case .rateLimited: "Rate limited"
    case .igmpHandled: "IGMP handled"
    case .igmpSubscribed: "IGMP subscribed"
    case .multicastHandled: "Multicast handled"
    case .hostNotReady: "Host datapath not ready"
    case .epNotReady: "Endpoint policy program not available"
    case .noEgressIp: "No Egress IP configured"
    case .puntProxy: "Punt to proxy"
    }
  }

  /// The enum name of Cilium's flow API (`drop_reason_desc`), as scenarios spell it.
  public var name: String {
    switch self {
    case .invalidSip: "INVALID_SOURCE_IP"
    case .policy: "POLICY_DENIED"
    case .invalid: "INVALID_PACKET_DROPPED"
    case .ctInvalidHdr: "CT_TRUNCATED_OR_INVALID_HEADER"
    case .fragNeeded: "CT_MISSING_TCP_ACK_FLAG"
    case .ctUnknownProto: "CT_UNKNOWN_L4_PROTOCOL"
    case .unknownL3: "UNSUPPORTED_L3_PROTOCOL"
    case .missedTailCall: "MISSED_TAIL_CALL"
    case .writeError: "ERROR_WRITING_TO_PACKET"
    case .unknownL4: "UNKNOWN_L4_PROTOCOL"
    case .unknownIcmp4Code: "UNKNOWN_ICMPV4_CODE"
    case .unknownIcmp4Type: "UNKNOWN_ICMPV4_TYPE"
    case .unknownIcmp6Code: "UNKNOWN_ICMPV6_CODE"
    case .unknownIcmp6Type: "UNKNOWN_ICMPV6_TYPE"
    case .noTunnelKey: "ERROR_RETRIEVING_TUNNEL_KEY"
    case .unknownTarget: "UNKNOWN_L3_TARGET_ADDRESS"
    case .unroutable: "STALE_OR_UNROUTABLE_IP"
    case .csumL3: "ERROR_WHILE_CORRECTING_L3_CHECKSUM"
    case .csumL4: "ERROR_WHILE_CORRECTING_L4_CHECKSUM"
    case .ctCreateFailed: "CT_MAP_INSERTION_FAILED"
    case .invalidExthdr: "INVALID_IPV6_EXTENSION_HEADER"
    case .fragNosupport: "IP_FRAGMENTATION_NOT_SUPPORTED"
    case .noService: "SERVICE_BACKEND_NOT_FOUND"
    case .unsuppServiceProto: "UNSUPP_SERVICE_PROTO"
    case .noTunnelEndpoint: "NO_TUNNEL_OR_ENCAPSULATION_ENDPOINT"
    case .nat46x64Disabled: "FAILED_TO_INSERT_INTO_PROXYMAP"
    case .edtHorizon: "REACHED_EDT_RATE_LIMITING_DROP_HORIZON"
    case .unknownCt: "UNKNOWN_CONNECTION_TRACKING_STATE"
    case .hostUnreachable: "LOCAL_HOST_IS_UNREACHABLE"
    case .noConfig: "NO_CONFIGURATION_AVAILABLE_TO_PERFORM_POLICY_DECISION"
    case .unsupportedL2: "UNSUPPORTED_L2_PROTOCOL"
    case .natNoMapping: "NO_MAPPING_FOR_NAT_MASQUERADE"
    case .natUnsuppProto: "UNSUPPORTED_PROTOCOL_FOR_NAT_MASQUERADE"
    case .noFib: "FIB_LOOKUP_FAILED"
    case .encapProhibited: "ENCAPSULATION_TRAFFIC_IS_PROHIBITED"
    case .invalidIdentity: "INVALID_IDENTITY"
    case .unknownSender: "UNKNOWN_SENDER"
    case .natNotNeeded: "NAT_NOT_NEEDED"
    case .isClusterIp: "IS_A_CLUSTERIP"
    case .fragNotFound: "FIRST_LOGICAL_DATAGRAM_FRAGMENT_NOT_FOUND"
    case .forbiddenIcmp6: "FORBIDDEN_ICMPV6_MESSAGE"
    case .notInSrcRange: "DENIED_BY_LB_SRC_RANGE_CHECK"
    case .proxyLookupFailed: "SOCKET_LOOKUP_FAILED"
    case .proxySetFailed: "SOCKET_ASSIGN_FAILED"
    case .proxyUnknownProto: "PROXY_REDIRECTION_NOT_SUPPORTED_FOR_PROTOCOL"
    case .policyDeny: "POLICY_DENY"
    case .vlanFiltered: "VLAN_FILTERED"
    case .invalidVni: "INVALID_VNI"
    case .invalidTcBuffer: "INVALID_TC_BUFFER"
    case .noSid: "NO_SID"
    case .nat46: "NAT46"
    case .nat64: "NAT64"
    case .policyAuthRequired: "AUTH_REQUIRED"
    case .ctNoMapFound: "CT_NO_MAP_FOUND"
    case .snatNoMapFound: "SNAT_NO_MAP_FOUND"
    case .invalidClusterId: "INVALID_CLUSTER_ID"
    case .dsrEncapUnsuppProto: "UNSUPPORTED_PROTOCOL_FOR_DSR_ENCAP"
    case .noEgressGateway: "NO_EGRESS_GATEWAY"
    case .unencryptedTraffic: "UNENCRYPTED_TRAFFIC"
    case .ttlExceeded: "TTL_EXCEEDED"
    case .noNodeId: "NO_NODE_ID"
    case .rateLimited: "DROP_RATE_LIMITED"
    case .igmpHandled: "IGMP_HANDLED"
    case .igmpSubscribed: "IGMP_SUBSCRIBED"
    case .multicastHandled: "MULTICAST_HANDLED"
    case .hostNotReady: "DROP_HOST_NOT_READY"
    case .epNotReady: "DROP_EP_NOT_READY"
    case .noEgressIp: "DROP_NO_EGRESS_IP"
    case .puntProxy: "DROP_PUNT_PROXY"
    }
  }

  /// Reads a flow API name or a number.
  public init?(_ text: String) {
    if let number = UInt8(text), let reason = DropReason(rawValue: number) {
      self = reason
    } else if let reason = DropReason.allCases.first(where: { $0.name == text }) {
      self = reason
    } else {
      return nil
    }
  }
}
