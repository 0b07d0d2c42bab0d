import Cluster

/// `apiVersion` and `kind` of a document.
struct TypeMeta: Equatable, CustomStringConvertible {
  var apiVersion: String
  var kind: String

  var group: String {
    apiVersion.split(separator: "/").count == 2 ? String(apiVersion.prefix { $0 != "/" }) : ""
  }
  var isList: Bool { apiVersion == "v1" && kind == "List" }
  var description: String { "\(kind) (\(apiVersion))" }
}

extension Cursor {
  /// nil when it is no object; says so.
  func typeMeta() -> TypeMeta? {
    guard case .mapping = value.content else {
      report("wrong-type", "expected an object with apiVersion and kind, found \(value.kindText)")
      return nil
    }
    return Cursor(value, log: log, authority: authority).peek { fields in
      let version = fields.required("apiVersion")?.nonEmptyString()
      let kind = fields.required("kind")?.nonEmptyString()
      guard let version, let kind else { return nil }
      return TypeMeta(apiVersion: version, kind: kind)
    }
  }

  /// Reads some fields and leaves the rest to a later reading.
  private func peek<Result>(_ decode: (inout Fields) -> Result?) -> Result? {
    fields { fields in
      fields.acceptUnknown()
      return decode(&fields)
    }
  }
}

/// What the reader makes of a kind.
enum KnownKind: Equatable {
  case object(ObjectKind)
  case kindCluster
  /// Valid, and without effect on packets.
  case indifferent
  case unmodelled(String)
  case wrongVersion(String)
  case unknown(nearest: String?)

  init(_ type: TypeMeta) {
    if type.kind == "Cluster", type.group == "kind.x-k8s.io" {
      self =
        type.apiVersion == "kind.x-k8s.io/v1alpha4" ? .kindCluster : .wrongVersion("kind.x-k8s.io/v1alpha4")
      return
    }
    if let kind = ObjectKind(rawValue: type.kind), let versions = Self.versions(of: kind, near: type.group) {
      self = versions.contains(type.apiVersion) ? .object(kind) : .wrongVersion(versions[0])
      return
    }
    if Self.indifferentKinds.contains("\(type.group)/\(type.kind)") {
      self = .indifferent
    } else if Self.builtInGroups.contains(type.group) || type.group == "cilium.io" {
      self =
        Self.unmodelledKinds.contains(type.kind)
        ? .unmodelled("") : .unknown(nearest: Self.nearest(type.kind))
    } else if ObjectKind(rawValue: type.kind) != nil || !type.group.contains(".") {
      self = .unknown(nearest: Self.nearest(type.kind))
    } else {
      self = .unmodelled(": no part of Kubernetes or Cilium")
    }
  }

  /// The versions that a kind is read in, the usual one first; nil when the group is a stranger's that happens
  /// to use the same name.
  private static func versions(of kind: ObjectKind, near group: String) -> [String]? {
    let versions: [String] =
      switch kind {
      case .node, .namespace, .serviceAccount, .pod, .service, .endpoints: ["v1"]
      case .deployment, .replicaSet, .statefulSet, .daemonSet: ["apps/v1"]
      case .job: ["batch/v1"]
      case .endpointSlice: ["discovery.k8s.io/v1"]
      case .networkPolicy: ["networking.k8s.io/v1"]
      case .clusterNetworkPolicy: ["policy.networking.k8s.io/v1alpha2"]
      case .ciliumCIDRGroup: ["cilium.io/v2", "cilium.io/v2alpha1"]
      case .ciliumNetworkPolicy, .ciliumClusterwideNetworkPolicy, .ciliumIdentity, .ciliumEndpoint:
        ["cilium.io/v2"]
      }
    let isForeign = group.contains(".") && group != "cilium.io" && !group.hasSuffix(".k8s.io")
    return isForeign ? nil : versions
  }

  private static func nearest(_ kind: String) -> String? {
    nearestSpelling(
      to: kind, in: ObjectKind.allCases.map(\.rawValue) + unmodelledKinds + ["ConfigMap", "Secret", "List"])
  }

  private static let builtInGroups = [
    "", "apps", "batch", "autoscaling", "policy", "discovery.k8s.io", "networking.k8s.io",
    "rbac.authorization.k8s.io", "storage.k8s.io", "apiextensions.k8s.io", "scheduling.k8s.io",
    "coordination.k8s.io", "admissionregistration.k8s.io", "apiregistration.k8s.io", "node.k8s.io",
    "certificates.k8s.io", "policy.networking.k8s.io", "gateway.networking.k8s.io", "multicluster.x-k8s.io",
  ]

  /// `group/kind` of objects that no packet sees.
  private static let indifferentKinds: Set<String> = [
    "/ConfigMap", "/Secret", "/Event", "/LimitRange", "/ResourceQuota", "/PersistentVolume",
    "/PersistentVolumeClaim", "/PodTemplate", "apps/ControllerRevision", "policy/PodDisruptionBudget",
    "autoscaling/HorizontalPodAutoscaler", "rbac.authorization.k8s.io/Role",
    "rbac.authorization.k8s.io/RoleBinding", "rbac.authorization.k8s.io/ClusterRole",
    "rbac.authorization.k8s.io/ClusterRoleBinding", "storage.k8s.io/StorageClass",
    "apiextensions.k8s.io/CustomResourceDefinition", "scheduling.k8s.io/PriorityClass",
    "coordination.k8s.io/Lease", "node.k8s.io/RuntimeClass",
    "admissionregistration.k8s.io/ValidatingWebhookConfiguration",
    "admissionregistration.k8s.io/MutatingWebhookConfiguration", "apiregistration.k8s.io/APIService",
    "certificates.k8s.io/CertificateSigningRequest", "cilium.io/CiliumNode", "cilium.io/CiliumEndpointSlice",
    "eksctl.io/ClusterConfig", "cert-manager.io/Certificate", "cert-manager.io/Issuer",
    "cert-manager.io/ClusterIssuer", "trust.cert-manager.io/Bundle",
  ]

  private static let unmodelledKinds = [
    "ReplicationController", "CronJob", "Ingress", "IngressClass", "Gateway", "GatewayClass", "HTTPRoute",
    "GRPCRoute", "TLSRoute", "TCPRoute", "UDPRoute", "ReferenceGrant", "AdminNetworkPolicy",
    "BaselineAdminNetworkPolicy", "ServiceCIDR", "IPAddress", "ServiceImport",
    "ServiceExport", "CiliumLoadBalancerIPPool", "CiliumLocalRedirectPolicy", "CiliumEgressGatewayPolicy",
    "CiliumEnvoyConfig", "CiliumClusterwideEnvoyConfig", "CiliumBGPAdvertisement", "CiliumBGPClusterConfig",
    "CiliumBGPPeerConfig", "CiliumBGPNodeConfig", "CiliumBGPNodeConfigOverride", "CiliumBGPPeeringPolicy",
    "CiliumL2AnnouncementPolicy", "CiliumNodeConfig", "CiliumPodIPPool", "CiliumGatewayClassConfig",
    "CiliumExternalWorkload", "CiliumVTEPConfig", "CiliumDatapathPlugin",
  ]
}
