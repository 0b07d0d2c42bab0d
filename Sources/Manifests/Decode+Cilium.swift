import Cluster
import Wire

extension Cursor {
  func identity(_ metadata: Metadata, _ fields: inout Fields) -> CiliumIdentity? {
    fields.ignore(["status"])
    let labels: Labels? = fields.required("security-labels")?.members().map { members in
      Labels(members.compactMap { key, value in value.string().map { (key.value, $0) } })
    }
    guard let number = UInt32(metadata.name) else {
      report("invalid-value", "the name of a CiliumIdentity is its number, found \(quoted(metadata.name))")
      return nil
    }
    return labels.map { CiliumIdentity(metadata: metadata, number: number, securityLabels: $0) }
  }

  func ciliumEndpoint(_ metadata: Metadata, _ fields: inout Fields) -> CiliumEndpoint? {
    var endpoint = CiliumEndpoint(metadata: metadata)
    _ = fields.optional("status")?.fields { status -> Bool? in
      status.acceptUnknown()
      endpoint.endpointID = status.optional("id")?.number(UInt16.self)
      endpoint.identity = status.optional("identity")?.fields { identity in
        identity.acceptUnknown()
        return identity.optional("id")?.number(UInt32.self)
      }
      let pairs: [[IPAddress]]? = status.optional("networking")?.fields { networking in
        networking.acceptUnknown()
        return networking.optional("addressing")?.list { pair in
          pair.fields { fields in
            let v4 = fields.optional("ipv4")?.address()
            return [v4, fields.optional("ipv6")?.address()].compactMap(\.self)
          }
        }
      }
      endpoint.addresses = (pairs ?? []).flatMap(\.self)
      return true
    }
    return endpoint
  }

  func cidrGroup(_ metadata: Metadata, _ fields: inout Fields) -> CiliumCIDRGroup? {
    fields.required("spec")?.fields { spec in
      let cidrs: [Located<CIDR>]? = spec.required("externalCIDRs")?.list { item in
        item.cidr().map { Located($0, at: item.location) }
      }
      return cidrs.map { CiliumCIDRGroup(metadata: metadata, externalCIDRs: $0) }
    }
  }

  /// A `kind.x-k8s.io` Cluster.
  func kindConfiguration(_ fields: inout Fields) -> KindConfiguration? {
    var configuration = KindConfiguration()
    configuration.name = fields.optional("name")?.nonEmptyString() ?? "kind"
    configuration.machines = fields.optional("nodes")?.list { $0.kindMachine() } ?? []
    _ = fields.optional("networking")?.fields { networking -> Bool? in
      configuration.ipFamily =
        networking.optional("ipFamily")?.choice(KindConfiguration.IPFamily.self) ?? .ipv4
      configuration.podSubnets = networking.optional("podSubnet")?.cidrList() ?? []
      configuration.serviceSubnets = networking.optional("serviceSubnet")?.cidrList() ?? []
      configuration.kubeProxy = networking.optional("kubeProxyMode")?.string() != "none"
      networking.ignore(["apiServerAddress", "apiServerPort", "disableDefaultCNI", "dnsSearch"])
      return true
    }
    fields.ignore([
      "containerdConfigPatches", "containerdConfigPatchesJSON6902", "featureGates", "kubeadmConfigPatches",
      "kubeadmConfigPatchesJSON6902", "runtimeConfig",
    ])
    return configuration
  }

  private func kindMachine() -> KindConfiguration.Machine? {
    fields { fields in
      let role = fields.optional("role")?.choice(KindConfiguration.Role.self) ?? .controlPlane
      let labels = fields.optional("labels")?.labels() ?? [:]
      fields.ignore([
        "extraMounts", "extraPortMappings", "image", "kubeadmConfigPatches", "kubeadmConfigPatchesJSON6902",
      ])
      return KindConfiguration.Machine(role: role, labels: labels, location: fields.location)
    }
  }

  /// `a,b` in one string, as kind writes dual-stack subnets.
  private func cidrList() -> [CIDR]? {
    guard let text = string() else { return nil }
    return text.split(separator: ",").compactMap { part in
      let piece = YAMLValue(.string(part.trimmed), text: part.trimmed, location: location)
      return Cursor(piece, path: path, log: log, authority: authority).cidr()
    }
  }
}

extension Substring {
  /// Without spaces at either end.
  var trimmed: String {
    var rest = self
    while rest.first == " " { rest.removeFirst() }
    while rest.last == " " { rest.removeLast() }
    return String(rest)
  }
}
