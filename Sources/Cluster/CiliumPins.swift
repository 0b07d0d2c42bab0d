import Wire

/// A CiliumIdentity object: pins the number of a set of labels. The object's name is the number.
public struct CiliumIdentity: KubernetesObject {
  public var metadata: Metadata
  public var number: UInt32
  /// `security-labels`, keys with their source: `k8s:app`.
  public var securityLabels: Labels

  public init(metadata: Metadata, number: UInt32, securityLabels: Labels) {
    self.metadata = metadata
    self.number = number
    self.securityLabels = securityLabels
  }

  public var kind: ObjectKind { .ciliumIdentity }
}

/// A CiliumEndpoint object of a dump: pins a pod's endpoint id and identity. It is named as the pod.
public struct CiliumEndpoint: KubernetesObject {
  public var metadata: Metadata
  public var endpointID: UInt16?
  public var identity: UInt32?
  public var addresses: [IPAddress]

  public init(
    metadata: Metadata, endpointID: UInt16? = nil, identity: UInt32? = nil, addresses: [IPAddress] = []
  ) {
    self.metadata = metadata
    self.endpointID = endpointID
    self.identity = identity
    self.addresses = addresses
  }

  public var kind: ObjectKind { .ciliumEndpoint }
}

/// A named list of prefixes that policies refer to.
public struct CiliumCIDRGroup: KubernetesObject {
  public var metadata: Metadata
  public var externalCIDRs: [Located<CIDR>]

  public init(metadata: Metadata, externalCIDRs: [Located<CIDR>] = []) {
    self.metadata = metadata
    self.externalCIDRs = externalCIDRs
  }

  public var kind: ObjectKind { .ciliumCIDRGroup }
}
