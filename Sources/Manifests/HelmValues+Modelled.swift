import Cluster
import Wire

extension Settings {
  /// Reads a value that the model knows. False when the model does not know the path.
  mutating func set(_ path: String, _ value: Cursor) -> Bool {
    setCluster(path, value) || setRouting(path, value) || setBPF(path, value) || setPolicy(path, value)
      || setLoadBalancer(path, value) || setFeature(path, value)
  }

  private mutating func setCluster(_ path: String, _ value: Cursor) -> Bool {
    switch path {
    case "cluster.name": assign(&clusterName, value.nonEmptyString())
    case "cluster.id": assign(&clusterID, value.integer(0...511))
    case "operator.replicas": assign(&operatorReplicas, value.integer(0...1000))
    case "ipv4.enabled": assign(&ipv4Enabled, value.helmBool())
    case "ipv6.enabled": assign(&ipv6Enabled, value.helmBool())
    case "ipam.mode":
      assign(&ipam.mode, value.choice(IPAMMode.self))
      if ![.kubernetes, .clusterPool].contains(ipam.mode) {
        value.report("unmodelled-value", "this IPAM mode is not modelled", severity: .unmodelled)
      }
    case "ipam.operator.clusterPoolIPv4PodCIDRList": assign(&ipam.ipv4PodCIDRs, value.cidrs())
    case "ipam.operator.clusterPoolIPv4MaskSize": assign(&ipam.ipv4MaskSize, value.integer(1...32))
    case "ipam.operator.clusterPoolIPv6PodCIDRList": assign(&ipam.ipv6PodCIDRs, value.cidrs())
    case "ipam.operator.clusterPoolIPv6MaskSize": assign(&ipam.ipv6MaskSize, value.integer(1...128))
    case "kubeProxyReplacement": assign(&kubeProxyReplacement.enabled, value.helmBool())
    case "k8sServiceHost": assign(&kubeProxyReplacement.apiServerHost, value.text())
    case "k8sServicePort": assign(&kubeProxyReplacement.apiServerPort, value.helmPort())
    default: return false
    }
    return true
  }

  private mutating func setRouting(_ path: String, _ value: Cursor) -> Bool {
    switch path {
    case "routingMode": assignUnlessEmpty(&routing.mode, value)
    case "tunnelProtocol": assignUnlessEmpty(&routing.tunnelProtocol, value)
    case "underlayProtocol": assignUnlessEmpty(&routing.underlay, value)
    case "tunnelPort": assign(&routing.tunnelPort, value.number(UInt16.self))
    case "tunnelSourcePortRange": assign(&routing.tunnelSourcePorts, value.portRange())
    case "MTU": assign(&routing.mtu, value.integer(0...65_535))
    case "endpointRoutes.enabled": assign(&routing.endpointRoutes, value.helmBool())
    case "autoDirectNodeRoutes": assign(&routing.autoDirectNodeRoutes, value.helmBool())
    case "directRoutingSkipUnreachable": assign(&routing.directRoutingSkipUnreachable, value.helmBool())
    case "ipv4NativeRoutingCIDR": routing.ipv4NativeCIDR = value.isEmptyText ? nil : value.cidr()
    case "ipv6NativeRoutingCIDR": routing.ipv6NativeCIDR = value.isEmptyText ? nil : value.cidr()
    case "devices": assign(&routing.devices, value.words())
    case "enableIPv4Masquerade": assign(&masquerade.ipv4, value.helmBool())
    case "enableIPv6Masquerade": assign(&masquerade.ipv6, value.helmBool())
    case "bpf.masquerade": assign(&masquerade.bpf, value.helmBool())
    case "ipMasqAgent.enabled": assign(&masquerade.agent, value.helmBool())
    case "egressMasqueradeInterfaces": assign(&masquerade.interfaces, value.text())
    default: return false
    }
    return true
  }

  private mutating func setBPF(_ path: String, _ value: Cursor) -> Bool {
    switch path {
    case "bpf.hostLegacyRouting": assign(&bpf.hostLegacyRouting, value.helmBool())
    case "bpf.monitorAggregation": assign(&bpf.monitorAggregation, value.choice(MonitorAggregation.self))
    case "bpf.monitorInterval": assign(&bpf.monitorIntervalSeconds, value.seconds())
    case "bpf.monitorFlags": assign(&bpf.monitorFlags, value.text())
    case "bpf.ctTcpMax": bpf.ctTCPMax = value.integer(1...Int(Int32.max))
    case "bpf.ctAnyMax": bpf.ctAnyMax = value.integer(1...Int(Int32.max))
    case "bpf.natMax": bpf.natMax = value.integer(1...Int(Int32.max))
    case "bpf.neighMax": bpf.neighMax = value.integer(1...Int(Int32.max))
    case "bpf.policyMapMax": assign(&bpf.policyMapMax, value.integer(1...Int(Int32.max)))
    case "bpf.lbMapMax": assign(&bpf.lbMapMax, value.integer(1...Int(Int32.max)))
    case "bpf.preallocateMaps": assign(&bpf.preallocateMaps, value.helmBool())
    case "bpf.ctAccounting": assign(&bpf.ctAccounting, value.helmBool())
    case "bpf.tproxy": assign(&bpf.tproxy, value.helmBool())
    case "bpf.lbExternalClusterIP": assign(&bpf.lbExternalClusterIP, value.helmBool())
    case "bpf.lbSourceRangeAllTypes": assign(&bpf.lbSourceRangeAllTypes, value.helmBool())
    case "bpf.lbAlgorithmAnnotation": assign(&bpf.lbAlgorithmAnnotation, value.helmBool())
    case "bpf.lbModeAnnotation": assign(&bpf.lbModeAnnotation, value.helmBool())
    case "bpf.datapathMode": assign(&bpf.datapathMode, value.choice(DatapathMode.self))
    case "bpf.enableTCX": assign(&bpf.enableTCX, value.helmBool())
    case "bpf.events.trace.enabled": assign(&bpf.traceEvents, value.helmBool())
    case "bpf.events.drop.enabled": assign(&bpf.dropEvents, value.helmBool())
    case "bpf.events.policyVerdict.enabled": assign(&bpf.policyVerdictEvents, value.helmBool())
    default: return false
    }
    return true
  }

  private mutating func setPolicy(_ path: String, _ value: Cursor) -> Bool {
    switch path {
    case "policyEnforcementMode": assign(&policy.enforcement, value.choice(EnforcementMode.self))
    case "policyAuditMode": assign(&policy.auditMode, value.helmBool())
    case "policyCIDRMatchMode":
      for word in value.words() ?? [] {
        if word == "nodes" {
          policy.cidrMatchesNodes = true
        } else {
          value.report("invalid-value", "unknown value \(quoted(word)); expected nodes")
        }
      }
    case "enableNonDefaultDenyPolicies": assign(&policy.nonDefaultDeny, value.helmBool())
    case "k8sNetworkPolicy.enabled": assign(&policy.kubernetesPolicies, value.helmBool())
    case "k8sClusterNetworkPolicy.enabled": assign(&policy.clusterNetworkPolicies, value.helmBool())
    case "policyDenyResponse": assign(&policy.denyResponse, value.choice(DenyResponse.self))
    case "endpointLockdownOnMapOverflow": assign(&policy.lockdownOnMapOverflow, value.helmBool())
    case "hostFirewall.enabled": assign(&policy.hostFirewall, value.helmBool())
    case "l7Proxy": assign(&policy.l7Proxy, value.helmBool())
    case "authentication.enabled": assign(&policy.authentication, value.helmBool())
    case "nodeSelectorLabels": assign(&policy.nodeSelectorLabels, value.helmBool())
    case "clustermesh.policyDefaultLocalCluster": assign(&policy.defaultLocalCluster, value.helmBool())
    case "dnsProxy.dnsRejectResponseCode": assign(&dnsProxy.rejectCode, value.choice(DNSRejectCode.self))
    case "dnsProxy.minTtl": assign(&dnsProxy.minTTLSeconds, value.integer(0...Int(Int32.max)))
    case "dnsProxy.endpointMaxIpPerHostname":
      assign(&dnsProxy.maxIPsPerHostname, value.integer(1...1_000_000))
    case "dnsProxy.enableTransparentMode": dnsProxy.transparentMode = value.helmBool()
    case "dnsProxy.preAllocateIdentities": assign(&dnsProxy.preAllocateIdentities, value.helmBool())
    default: return false
    }
    return true
  }

  private mutating func setLoadBalancer(_ path: String, _ value: Cursor) -> Bool {
    switch path {
    case "socketLB.enabled": assign(&kubeProxyReplacement.socketLB, value.helmBool())
    case "socketLB.hostNamespaceOnly":
      assign(&kubeProxyReplacement.socketLBHostNamespaceOnly, value.helmBool())
    case "socketLB.terminatePodConnections":
      kubeProxyReplacement.socketLBTerminatePodConnections = value.helmBool()
    case "socketLB.tracing": kubeProxyReplacement.socketLBTracing = value.helmBool()
    case "loadBalancer.mode": assign(&loadBalancer.mode, value.choice(LoadBalancerMode.self))
    case "loadBalancer.algorithm": assign(&loadBalancer.algorithm, value.choice(LoadBalancerAlgorithm.self))
    case "loadBalancer.acceleration": assign(&loadBalancer.acceleration, value.choice(Acceleration.self))
    case "loadBalancer.dsrDispatch": assign(&loadBalancer.dsrDispatch, value.choice(DSRDispatch.self))
    case "loadBalancer.serviceTopology": assign(&loadBalancer.serviceTopology, value.helmBool())
    case "maglev.tableSize": assign(&loadBalancer.maglevTableSize, value.maglevTableSize())
    case "maglev.hashSeed": assign(&loadBalancer.maglevHashSeed, value.text())
    case "nodePort.range": assign(&loadBalancer.nodePorts, value.nodePortRange())
    case "nodePort.addresses": assign(&loadBalancer.nodePortAddresses, value.cidrs())
    case "nodePort.bindProtection": assign(&loadBalancer.nodePortBindProtection, value.helmBool())
    case "nodePort.directRoutingDevice": assign(&loadBalancer.directRoutingDevice, value.text())
    case "serviceNoBackendResponse":
      assign(&loadBalancer.noBackendResponse, value.choice(NoBackendResponse.self))
    case "enableNoServiceEndpointsRoutable": assign(&loadBalancer.noEndpointsRoutable, value.helmBool())
    case "enableInternalTrafficPolicy": assign(&loadBalancer.internalTrafficPolicy, value.helmBool())
    case "enableLBIPAM": assign(&loadBalancer.ipam, value.helmBool())
    case "defaultLBServiceIPAM": assign(&loadBalancer.defaultIPAM, value.text())
    case "nodeIPAM.enabled": assign(&loadBalancer.nodeIPAM, value.helmBool())
    case "localRedirectPolicies.enabled", "localRedirectPolicy":
      assign(&loadBalancer.localRedirectPolicies, value.helmBool())
    default: return false
    }
    return true
  }

  private mutating func setFeature(_ path: String, _ value: Cursor) -> Bool {
    switch path {
    case "hubble.enabled": assign(&hubble.enabled, value.helmBool())
    case "hubble.relay.enabled": assign(&hubble.relay, value.helmBool())
    case "hubble.redact.enabled": assign(&hubble.redact, value.helmBool())
    case "hubble.redact.http.urlQuery": assign(&hubble.redactURLQuery, value.helmBool())
    case "hubble.redact.http.userInfo": assign(&hubble.redactUserInfo, value.helmBool())
    case "hubble.networkPolicyCorrelation.enabled": assign(&hubble.policyCorrelation, value.helmBool())
    case "encryption.enabled": assign(&encryption.enabled, value.helmBool())
    case "encryption.type": assign(&encryption.type, value.choice(EncryptionType.self))
    case "encryption.nodeEncryption": assign(&encryption.nodeEncryption, value.helmBool())
    case "sctp.enabled": assign(&features.sctp, value.helmBool())
    case "egressGateway.enabled": assign(&features.egressGateway, value.helmBool())
    case "bandwidthManager.enabled": assign(&features.bandwidthManager, value.helmBool())
    case "bgpControlPlane.enabled": assign(&features.bgpControlPlane, value.helmBool())
    case "l2announcements.enabled": assign(&features.l2Announcements, value.helmBool())
    case "nat46x64Gateway.enabled": assign(&features.nat46x64Gateway, value.helmBool())
    case "pmtuDiscovery.enabled": assign(&features.pmtuDiscovery, value.helmBool())
    case "endpointHealthChecking.enabled": assign(&features.endpointHealthChecking, value.helmBool())
    case "healthChecking": assign(&features.healthChecking, value.helmBool())
    case "ingressController.enabled": assign(&features.ingressController, value.helmBool())
    case "gatewayAPI.enabled": assign(&features.gatewayAPI, value.helmBool())
    case "envoy.enabled": assign(&features.envoyDaemonSet, value.helmBool())
    default: return false
    }
    return true
  }

  /// Defaults that depend on other values: with ENI, IPv4 masquerading is off unless asked for.
  mutating func settleDefaults(masqueradeGiven: Bool) {
    if ipam.mode == .eni, !masqueradeGiven { masquerade.ipv4 = false }
  }
}

private func assign<Value>(_ target: inout Value, _ value: Value?) {
  if let value { target = value }
}

/// The chart's "" stands for the default.
private func assignUnlessEmpty<Value: RawRepresentable<String> & CaseIterable>(
  _ target: inout Value, _ value: Cursor
) {
  if !value.isEmptyText { assign(&target, value.choice(Value.self)) }
}
