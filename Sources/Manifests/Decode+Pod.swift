import Cluster
import Wire

extension Cursor {
  func podSpec() -> PodSpec? {
    fields { fields in
      var spec = PodSpec()
      spec.containers = fields.required("containers")?.list { $0.container() } ?? []
      // A sidecar is an init container that restarts; the others have ended when the pod runs.
      spec.sidecars =
        fields.optional("initContainers")?.list { item in
          item.container().flatMap { item.value["restartPolicy"]?.content == .string("Always") ? $0 : nil }
        } ?? []
      spec.nodeName = fields.optional("nodeName")?.string().flatMap { $0.isEmpty ? nil : $0 }
      spec.nodeSelector = fields.optional("nodeSelector")?.labels() ?? [:]
      fields.optional("affinity")?.affinity(into: &spec)
      spec.topologySpread = fields.optional("topologySpreadConstraints")?.list { $0.topologySpread() } ?? []
      spec.tolerations = fields.optional("tolerations")?.list { $0.toleration() } ?? []
      spec.hostNetwork = fields.optional("hostNetwork")?.bool() ?? false
      let account = fields.optional("serviceAccountName")?.string()
      let deprecated = fields.optional("serviceAccount")?.string()
      spec.serviceAccount = [account, deprecated].compactMap(\.self).first { !$0.isEmpty } ?? "default"
      spec.hostname = fields.optional("hostname")?.string()
      spec.subdomain = fields.optional("subdomain")?.string()
      spec.dnsPolicy = fields.optional("dnsPolicy")?.choice(PodSpec.DNSPolicy.self) ?? .clusterFirst
      fields.unmodelled([
        "dnsConfig", "hostAliases", "schedulingGates", "setHostnameAsFQDN", "hostnameOverride",
      ])
      fields.ignore(Self.indifferentPodFields)
      reportDuplicateNames(spec.containers + spec.sidecars)
      return spec
    }
  }

  /// Fields of a pod that no packet sees.
  private static let indifferentPodFields = [
    "activeDeadlineSeconds", "automountServiceAccountToken", "enableServiceLinks", "ephemeralContainers",
    "hostIPC", "hostPID", "hostUsers", "imagePullSecrets", "os", "overhead", "preemptionPolicy", "priority",
    "priorityClassName", "readinessGates", "resourceClaims", "resources", "restartPolicy", "runtimeClassName",
    "schedulerName", "securityContext", "shareProcessNamespace", "terminationGracePeriodSeconds", "volumes",
    "workloadRef",
  ]

  private static let indifferentContainerFields = [
    "args", "command", "env", "envFrom", "imagePullPolicy", "lifecycle", "livenessProbe", "readinessProbe",
    "resizePolicy", "resources", "restartPolicy", "restartPolicyRules", "securityContext", "startupProbe",
    "stdin",
    "stdinOnce", "terminationMessagePath", "terminationMessagePolicy", "tty", "volumeDevices", "volumeMounts",
    "workingDir",
  ]

  private func container() -> Container? {
    fields { fields in
      let name = fields.required("name")?.nonEmptyString()
      let image = fields.optional("image")?.string() ?? ""
      let ports = fields.optional("ports")?.list { $0.containerPort() } ?? []
      fields.ignore(Self.indifferentContainerFields)
      return name.map { Container(name: $0, image: image, ports: ports, location: fields.location) }
    }
  }

  private func reportDuplicateNames(_ containers: [Container]) {
    var seen: Set<String> = []
    for container in containers where !seen.insert(container.name).inserted {
      report(
        "duplicate-name", "two containers are named \(quoted(container.name))", at: container.location)
    }
  }

  private func containerPort() -> ContainerPort? {
    fields { fields in
      let nameCursor = fields.optional("name")
      let name = nameCursor?.string()
      let number = fields.required("containerPort")?.port()
      let transport = fields.optional("protocol")?.choice(TransportProtocol.self) ?? .tcp
      let hostPort = fields.optional("hostPort")?.number(UInt16.self)
      let hostIP = fields.optional("hostIP").flatMap { $0.value.content == .string("") ? nil : $0.address() }
      if let name, let problem = LabelSyntax.problem(portName: name) {
        nameCursor?.report("invalid-value", "the port name \(quoted(name)) \(problem)")
      }
      return number.map {
        ContainerPort(
          name: name, $0, transport, hostPort: hostPort == 0 ? nil : hostPort, hostIP: hostIP,
          location: fields.location)
      }
    }
  }

  private func toleration() -> Toleration? {
    fields { fields in
      let key = fields.optional("key")?.string() ?? ""
      let op = fields.optional("operator")?.choice(Toleration.Operator.self) ?? .equal
      let value = fields.optional("value")?.string() ?? ""
      let effect = fields.optional("effect").flatMap { cursor in
        cursor.value.content == .string("") ? nil : cursor.choice(Node.Taint.Effect.self)
      }
      fields.ignore(["tolerationSeconds"])
      return Toleration(key: key, op: op, value: value, effect: effect)
    }
  }

  private func topologySpread() -> TopologySpread? {
    fields { fields in
      let skew = fields.required("maxSkew")?.integer(1...Int(Int32.max))
      let key = fields.required("topologyKey")?.nonEmptyString()
      let unsatisfiable = fields.required("whenUnsatisfiable")?.choice(WhenUnsatisfiable.self)
      let selector = fields.optional("labelSelector")?.selector()
      fields.unmodelled(["minDomains", "matchLabelKeys", "nodeAffinityPolicy", "nodeTaintsPolicy"])
      guard let skew, let key, let unsatisfiable else { return nil }
      return TopologySpread(
        maxSkew: skew, topologyKey: key, isRequired: unsatisfiable == .doNotSchedule, selector: selector,
        location: fields.location)
    }
  }

  private enum WhenUnsatisfiable: String, CaseIterable {
    case doNotSchedule = "DoNotSchedule"
    case scheduleAnyway = "ScheduleAnyway"
  }

  func pod(_ metadata: Metadata, _ fields: inout Fields) -> Pod? {
    let spec = fields.required("spec")?.podSpec()
    let status = fields.optional("status").map(PodStatus.init)
    return spec.map {
      Pod(
        metadata: metadata, spec: $0, podIPs: status?.addresses ?? [], phase: status?.phase,
        isReady: status?.isReady ?? true)
    }
  }
}

/// What a pod's `status` pins. A status belongs to the server, so nothing in it is an error but what is read.
private struct PodStatus {
  var addresses: [IPAddress] = []
  var phase: Pod.Phase?
  var isReady: Bool?

  init(_ cursor: Cursor) {
    _ = cursor.fields { fields -> Bool? in
      fields.acceptUnknown()
      let one = fields.optional("podIP")?.address()
      let several: [IPAddress]? = fields.optional("podIPs")?.list { item in
        item.fields { fields -> IPAddress? in
          fields.acceptUnknown()
          return fields.required("ip")?.address()
        }
      }
      addresses = several ?? [one].compactMap(\.self)
      phase = fields.optional("phase")?.choice(Pod.Phase.self)
      let conditions = fields.optional("conditions")?.items() ?? []
      for condition in conditions where condition.value["type"]?.content == .string("Ready") {
        isReady = condition.value["status"]?.content == .string("True")
      }
      return true
    }
  }
}
