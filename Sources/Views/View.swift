import MapABI
import Wire

/// A view of a node: a command of cilium-dbg that lists something, with its options.
public enum View: Hashable, Sendable {
  case identityList(endpointsOnly: Bool = false)
  case endpointList(headers: Bool = true)
  case serviceList(meshAffinity: Bool = false)
  case nodeList
  case nodeIDList
  case addressList(numeric: Bool = false, verbose: Bool = false)
  case mapList
  case bpfLoadBalancerList(LoadBalancerList.Part = .services)
  case bpfConntrackList(timeDifference: Bool = false)
  case bpfPolicyGet(endpoint: UInt16, numeric: Bool = false)
  case bpfPolicyList(numeric: Bool = false)
  case bpfIPCacheList
  case bpfIPCacheGet(IPAddress)
  case bpfEndpointList
  case bpfNATList
  case bpfMetricsList
  case bpfAuthList
  case bpfNodeIDList
  case bpfTunnelList

  /// What the command would write on this node.
  public func output(of input: ViewInput) -> ViewOutput {
    switch self {
    case .bpfPolicyGet(let endpoint, let numeric):
      let text = PolicyList.text(input.maps, endpoint: endpoint, names: input.names, numeric: numeric)
      if let text { return ViewOutput(text: text) }
      let known = input.maps.policies.endpoints.map { String($0) }.joined(separator: ", ")
      let notice =
        "Error: endpoint \(endpoint) has no policy map; endpoints here: \(known.isEmpty ? "none" : known)\n"
      return ViewOutput(text: "", notice: notice)
    case .bpfIPCacheList, .bpfAuthList, .bpfNodeIDList, .bpfMetricsList:
      let text = text(of: input)
      return ViewOutput(text: text, notice: text.isEmpty ? "No entries found.\n" : "")
    case .bpfTunnelList:
      return ViewOutput(
        text: text(of: input), notice: "bpf tunnel list: not in Cilium 1.18 and later; see bpf ipcache list\n"
      )
    default: return ViewOutput(text: text(of: input))
    }
  }

  /// What the command would write to its standard output.
  public func text(of input: ViewInput) -> String {
    let maps = input.maps
    switch self {
    case .identityList(let endpointsOnly):
      return endpointsOnly
        ? IdentityList.endpointsText(input.identities) : IdentityList.text(input.identities)
    case .endpointList(let headers): return EndpointList.text(input.endpoints, headers: headers)
    case .serviceList(let meshAffinity):
      return ServiceList.text(ServiceRow.rows(maps), meshAffinity: meshAffinity)
    case .nodeList: return NodeList.text(input.nodes)
    case .nodeIDList: return NodeIDList.agentText(maps)
    case .addressList(let numeric, let verbose):
      return AddressList.text(input.addresses, names: input.names, numeric: numeric, verbose: verbose)
    case .mapList: return MapList.text(maps)
    case .bpfLoadBalancerList(let part): return LoadBalancerList.text(maps, part)
    case .bpfConntrackList(let timeDifference):
      return ConntrackList.text(
        maps, ipv4: input.ipv4, ipv6: input.ipv6, clock: timeDifference ? input.clock : nil)
    case .bpfPolicyGet(let endpoint, let numeric):
      return PolicyList.text(maps, endpoint: endpoint, names: input.names, numeric: numeric) ?? ""
    case .bpfPolicyList(let numeric): return PolicyList.allText(maps, names: input.names, numeric: numeric)
    case .bpfIPCacheList: return IPCacheList.text(maps)
    case .bpfIPCacheGet(let address): return IPCacheList.text(maps, address: address)
    case .bpfEndpointList: return LocalEndpointList.text(maps)
    case .bpfNATList: return NATList.text(maps, ipv4: input.ipv4, ipv6: input.ipv6, clock: input.clock)
    case .bpfMetricsList: return MetricsList.text(maps)
    case .bpfAuthList: return AuthList.text(maps)
    case .bpfNodeIDList: return NodeIDList.text(maps)
    case .bpfTunnelList: return TunnelList.text(maps)
    }
  }
}
