/// The names that Cilium's Helm chart gives to its values, of the releases that are modelled together.
///
/// `name=default`, `name*` for one that is empty or free by default, `name{ … }` for a group, and `name~` for one
/// whose content no packet sees (images, resources, probes, and the like), which is taken as it is.
///
/// Source: `install/kubernetes/cilium/values.yaml` and the values that `templates/` read.
enum ChartKeys {
  static let text = """
    MTU=0 affinity~ agent=true agentNotReadyTaintKey~ aksbyocni{ enabled=false } alibabacloud{
    enabled=false nodeSpec{ securityGroupTags* securityGroups* vSwitchTags* vSwitches* } }
    annotateK8sNode~ annotations~ apiRateLimit~ authentication{ enabled=false gcInterval=5m0s mutual{
    connectTimeout=5s port=4250 spire{ adminSocketPath=/run/spire/sockets/admin.sock
    agentSocketPath=/run/spire/sockets/agent/agent.sock annotations~ connectionTimeout=30s enabled=false
    install~ serverAddress* trustDomain=spiffe.cilium } } queueSize=1024 rotatedIdentitiesQueueSize=1024
    } autoDirectNodeRoutes=false azure{ clientID* clientSecret* enabled=false nodeSpec{
    azureInterfaceName="" } resourceGroup~ subscriptionID* tenantID* usePrimaryAddress*
    userAssignedIdentityID* } bandwidthManager{ bbr=false bbrHostNamespaceOnly=false enabled=false }
    bgpControlPlane{ enabled=false legacyOriginAttribute{ enabled=false } routerIDAllocation{ ipPool=""
    mode=default } secretsNamespace~ statusReport~ } bpf{ authMapMax* autoMount~ ctAccounting=false
    ctAnyMax* ctTcpMax* datapathMode=veth disableExternalIPMitigation=false distributedLRU{
    enabled=false } enableTCX=true events{ default{ burstLimit* rateLimit* } drop{ enabled=true }
    policyVerdict{ enabled=true } trace{ enabled=true } } hostLegacyRouting* lbAlgorithmAnnotation=false
    lbExternalClusterIP=false lbMapMax=65536 lbModeAnnotation=false lbSourceRangeAllTypes=false
    mapDynamicSizeRatio~ masquerade* monitorAggregation=medium monitorFlags=all monitorInterval=5s
    monitorTraceIPOption=0 natMax* neighMax* nodeMapMax* policyMapMax=16384
    policyMapPressureMetricsThreshold~ policyStatsMapMax=65536 preallocateMaps=false root~ tproxy*
    vlanBypass* } bpfClockProbe~ certgen~ cgroup~ ciliumEndpointSlice{ enabled=false rateLimits~ }
    cleanBpfState~ cleanState~ cluster{ id=0 name=default } clusterHealthPort* clustermesh{ annotations~
    apiserver{ affinity~ etcd~ etcdQPS~ extraArgs~ extraEnv~ extraVolumeMounts~ extraVolumes~
    healthPort~ image~ kvstoremesh~ lifecycle~ metrics~ nodeSelector~ podAnnotations~
    podDisruptionBudget~ podLabels~ podSecurityContext~ priorityClassName~ readinessProbe~ replicas~
    resources~ securityContext~ service~ terminationGracePeriodSeconds~ tls~ tolerations~
    topologySpreadConstraints~ updateStrategy~ } cacheTTL=0s config{ clusters* domain=mesh.cilium.io
    enabled=false } defaultGlobalNamespace=true disableKubernetesHostAliases*
    enableEndpointSliceSynchronization=false enableMCSAPISupport=false maxConnectedClusters=255 mcsapi{
    corednsAutoConfigure~ enabled=false installCRDs~ } policyDefaultLocalCluster=true useAPIServer=false
    } cni{ binPath~ chainingMode* chainingTarget* confFileMountPath~ confPath~ configMap~ configMapKey~
    customConf~ enableRouteMTUForCNIChaining=false exclusive=true externalRouting* hostConfDirMountPath~
    install~ iptablesRemoveAWSRules=true logFile~ readCniConf~ resources~ uninstall=false }
    commonLabels~ configDriftDetection~ connectivityProbeFrequencyRatio~ conntrackGCInterval~
    conntrackGCMaxInterval~ crdWaitTimeout~ customCalls~ daemon~ dashboards~ datapathPlugins{
    enabled=false stateDir=/var/run/cilium/plugins } debug~ defaultLBServiceIPAM=lbipam devices=""
    directRoutingSkipUnreachable=false disableEndpointCRD=false disableEnvoyVersionCheck*
    disableIptablesFeederRules~ dnsPolicy~ dnsPolicyUnloadOnShutdown* dnsProxy{
    dnsRejectResponseCode=refused enableDnsCompression=true enableTransparentMode*
    endpointMaxIpPerHostname=1000 idleConnectionGracePeriod=0s maxDeferredConnectionDeletes=10000
    minTtl=0 preAllocateIdentities=true preCache="" proxyPort=0 proxyResponseMaxDelay=100ms
    socketLingerTimeout=10 } egressGateway{ enabled=false maxPolicyEntries*
    reconciliationTriggerInterval=1s } egressMasqueradeInterfaces* enableCnpStatusUpdates*
    enableCriticalPriorityClass~ enableIPv4BIGTCP=false enableIPv4Masquerade* enableIPv6BIGTCP=false
    enableIPv6Masquerade=true enableIdentityMark* enableInternalTrafficPolicy=true
    enableK8sEndpointSlice* enableK8sEventHandover* enableLBIPAM=true enableMasqueradeRouteSource=false
    enableNoServiceEndpointsRoutable=true enableNonDefaultDenyPolicies=true enableTunnelBIGTCP=false
    enableXTSocketFallback~ encryption{ enabled=false ipsec{ encryptedOverlay=false interface=""
    keyFile=keys keyRotationDuration=5m keyWatcher=true mountPath=/etc/ipsec secretName~ }
    nodeEncryption=false strictMode{ allowRemoteNodeIdentities=false cidr="" egress{
    allowRemoteNodeIdentities=false cidr="" enabled=false } enabled=false ingress{ enabled=false } }
    type=ipsec wireguard{ persistentKeepalive=0s } ztunnel{ affinity~ annotations~ ca{ type=internal }
    caAddress=https://localhost:15012 extraEnv~ extraVolumeMounts~ extraVolumes~ healthPort~ image~
    minReadySeconds~ nodeSelector~ podAnnotations~ podLabels~ priorityClassName~ readinessProbe~
    resources~ secrets{ bootstrapRootCert* } terminationGracePeriodSeconds~ tolerations~ updateStrategy~
    } } endpointHealthChecking{ enabled=true } endpointLockdownOnMapOverflow=false
    endpointPolicyUpdateTimeoutDuration~ endpointRoutes{ enabled=false } eni{
    awsEnablePrefixDelegation=false awsReleaseExcessIPs=false ec2APIEndpoint="" enabled=false eniTags*
    gcInterval="" gcTags* iamRole="" instanceTagsFilter* nodeSpec{ deleteOnTermination*
    disablePrefixDelegation=false excludeInterfaceTags* firstInterfaceIndex* securityGroupTags*
    securityGroups* subnetIDs* subnetTags* usePrimaryAddress=false } subnetIDsFilter* subnetTagsFilter*
    } envoy{ affinity~ annotations~ baseID=0 bootstrapConfigMap~ clusterMaxConnections=1024
    clusterMaxPendingRequests=1024 clusterMaxRequests=1024 connectTimeoutSeconds=2 debug~ dnsPolicy~
    enabled* extraArgs~ extraContainers~ extraEnv~ extraHostPathMounts~ extraVolumeMounts~ extraVolumes~
    healthPort~ httpRetryCount=3 httpUpstreamLingerTimeout* idleTimeoutDurationSeconds=60 image~
    initContainers~ initialFetchTimeoutSeconds=30 livenessProbe~ log~ maxConcurrentRetries=128
    maxConnectionDurationSeconds=0 maxGlobalDownstreamConnections=50000 maxRequestsPerConnection=0
    minReadySeconds~ nodeLocality{ enabled=false } nodeSelector~ podAnnotations~ podLabels~
    podSecurityContext~ policyRestoreTimeoutDuration* priorityClassName~ prometheus~ readinessProbe~
    resources~ rollOutPods~ securityContext~ startupProbe~ streamIdleTimeoutDurationSeconds=300
    terminationGracePeriodSeconds~ tolerations~ updateStrategy~ useOriginalSourceAddress=true
    xffNumTrustedHopsL7PolicyEgress=0 xffNumTrustedHopsL7PolicyIngress=0 } envoyConfig{ enabled=false
    retryInterval=15s secretsNamespace~ } etcd~ extraArgs~ extraConfig* extraContainers~ extraEnv~
    extraHostPathMounts~ extraInitContainers~ extraVolumeMounts~ extraVolumes~
    forceDeviceDetection=false fragmentTracking* gatewayAPI{ enableAlpn=false enableAppProtocol=false
    enableProxyProtocol=false enabled=false externalTrafficPolicy=Cluster gatewayClass{ create=auto }
    hostNetwork{ enabled=false nodes{ matchLabels* } } secretsNamespace~ useRemoteAddress=true
    xffNumTrustedHops=0 } gke{ enabled=false } healthCheckICMPFailureThreshold~ healthChecking=true
    healthPort~ hostFirewall{ enabled=false } hostServices* hubble{ annotations~ dropEventEmitter~
    enabled=true eventBufferCapacity~ eventQueueSize~ export~ hostUsers~ listenAddress~
    lostEventSendInterval~ metrics~ networkPolicyCorrelation{ enabled=true } peerService~ preferIpv6~
    redact{ enabled=false http{ headers{ allow* deny* } urlQuery=false userInfo=true } kafka{
    apiKey=true } } relay{ affinity~ annotations~ enabled=false extraEnv~ extraVolumeMounts~
    extraVolumes~ gops~ image~ listenHost~ listenPort~ logOptions~ nodeSelector~ podAnnotations~
    podDisruptionBudget~ podLabels~ podSecurityContext~ pprof~ priorityClassName~ prometheus~ replicas~
    resources~ retryTimeout~ rollOutPods~ securityContext~ service~ servicePort* sortBufferDrainTimeout~
    sortBufferLenMax~ terminationGracePeriodSeconds~ tls~ tolerations~ topologySpreadConstraints~
    updateStrategy~ } skipUnknownCGroupIDs~ socketPath~ tls~ ui~ } identityAllocationMode=crd
    identityChangeGracePeriod="" identityManagementMode=agent image~ imagePullSecrets~
    ingressController{ default=false defaultSecretName~ defaultSecretNamespace~
    enableProxyProtocol=false enabled=false enforceHttps=true hostNetwork{ enabled=false httpPort=0
    httpsPort=0 nodes{ matchLabels* } sharedListenerPort=8080 tlsPassthroughPort=0 }
    ingressLBAnnotationPrefixes* loadbalancerMode=dedicated secretsNamespace~ service~
    useRemoteAddress=true xffNumTrustedHops=0 } initResources~ installNoConntrackIptablesRules=false
    ipMasqAgent{ config* enabled=false } ipam{ ciliumNodeUpdateRate~
    installUplinkRoutesForDelegatedIPAM=false mode=cluster-pool multiPoolPreAllocation="" nodeSpec{
    ipamMaxAllocate* ipamMinAllocate* ipamPreAllocate* ipamStaticIPTags* } operator{
    autoCreateCiliumPodIPPools* clusterPoolIPv4MaskSize=24 clusterPoolIPv4PodCIDR*
    clusterPoolIPv4PodCIDRList* clusterPoolIPv6MaskSize=120 clusterPoolIPv6PodCIDR*
    clusterPoolIPv6PodCIDRList* externalAPILimitBurstSize* externalAPILimitQPS* } } iptablesLockTimeout*
    iptablesRandomFully~ ipv4{ enabled=true } ipv4NativeRoutingCIDR="" ipv6{ enabled=false }
    ipv6NativeRoutingCIDR="" k8s{ apiServerURLs* requireIPv4PodCIDR=false requireIPv6PodCIDR=false
    serviceProxyName* } k8sClientExponentialBackoff~ k8sClientRateLimit~ k8sClusterNetworkPolicy{
    enabled=false } k8sNetworkPolicy{ enabled=true } k8sServiceHost="" k8sServiceHostRef{ key* name* }
    k8sServiceLookupConfigMapName="" k8sServiceLookupNamespace="" k8sServicePort=""
    keepDeprecatedLabels~ keepDeprecatedProbes~ kubeConfigPath~ kubeProxyReplacement=false
    kubeProxyReplacementHealthzBindAddr~ l2NeighDiscovery{ enabled=false } l2announcements{
    enabled=false leaseDuration* leaseRenewDeadline* leaseRetryPeriod* } l2podAnnouncements{
    enabled=false interface=eth0 interfacePattern="" } l7Proxy=true labels~ livenessProbe~ loadBalancer{
    acceleration=disabled algorithm* dsrDispatch* l7{ algorithm=round_robin backend=disabled ports* }
    mode* protocolDifferentiation{ enabled* } reflectorWaitTime* serviceTopology=false standalone* }
    localRedirectPolicies{ addressMatcherCIDRs* enabled=false } localRedirectPolicy=false logOptions~
    logSystemLoad~ maglev{ hashSeed* tableSize* } minReadySeconds~ monitor~ name=cilium
    namespaceOverride~ nat{ mapStatsEntries~ mapStatsInterval~ } nat46x64Gateway{ enabled=false }
    nativeRoutingCIDRFromClusterPool=false nodeIPAM{ enabled=false } nodeLabels* nodePort{ addresses*
    autoProtectPortRange=true bindProtection=true directRoutingDevice* enableDynamicSourceLookup=false
    enableHealthCheck=true enableHealthCheckLoadBalancerIP=false enabled=false range* } nodeSelector~
    nodeSelectorLabels=false nodeinit~ nonIdempotentAnnotations* operator{ affinity~ annotations~
    dashboards~ dnsPolicy~ enabled=true endpointGCInterval~ extraArgs~ extraEnv~ extraHostPathMounts~
    extraVolumeMounts~ extraVolumes~ hostNetwork=true hostUsers~ identityGCInterval~
    identityHeartbeatTimeout~ image~ nodeGCInterval~ nodeSelector~ podAnnotations~ podDisruptionBudget~
    podLabels~ podSecurityContext~ pprof~ priorityClassName~ prometheus~ removeNodeTaints~ replicas=2
    resources~ rollOutPods~ securityContext~ setNodeNetworkStatus~ setNodeTaints~ skipCRDCreation~
    tolerations~ topologySpreadConstraints~ unmanagedPodWatcher~ updateStrategy~ } pmtuDiscovery{
    enabled=false packetizationLayerPMTUD{ enabled=true } packetizationLayerPMTUDMode=blackhole }
    podAnnotations~ podLabels~ podSecurityContext~ policyAuditMode* policyCIDRMatchMode*
    policyDenyResponse=none policyEnforcementMode=default pprof~ preferIpv6~ preflight~
    priorityClassName~ prometheus~ rbac~ readinessProbe~ resourceQuotas~ resources~ rollOutCiliumPods~
    routingMode="" scheduling~ sctp{ enabled=false } secretsNamespaceAnnotations~
    secretsNamespaceLabels~ securityContext~ serviceAccounts~ serviceNoBackendResponse=reject
    sessionAffinity* sleepAfterInit~ socketLB{ enabled=false hostNamespaceOnly* terminatePodConnections*
    tracing* } standaloneDnsProxy{ annotations~ automountServiceAccountToken~ debug~ enabled=false
    image~ minReadySeconds~ nodeSelector~ rollOutPods~ serverPort=10095 tolerations~ updateStrategy~ }
    startupProbe~ svcSourceRangeCheck=true synchronizeK8sNodes~ sysctlfix~
    terminationGracePeriodSeconds~ tls~ tmpVolume~ tolerations~ tunnel* tunnelPort=0 tunnelProtocol=""
    tunnelSourcePortRange=0-0 underlayProtocol="" updateStrategy~ upgradeCompatibility~ vtep{ cidr=""
    enabled=false endpoint="" mac="" mask="" } waitForKubeProxy~ wellKnownIdentities{ enabled=false }
    global~
    """
}
