import Cluster
import ControlPlane
import Datapath
import Scenario
import Simulator
import Wire

/// What a probe of a scenario led to, its repetitions included.
struct ProbeRun {
  var results: [ProbeResult] = []
  /// Why it could not be tried at all.
  var failure: String?
}

extension Session where Observer: ~Copyable {
  /// Tries a probe as often as it asks.
  mutating func run(_ probe: Probe) -> ProbeRun {
    var run = ProbeRun()
    if let name = probe.continues { return continueConnection(name, probe) }
    guard let source = probe.from else {
      run.failure = "the probe has no source"
      return run
    }
    let from: StackID
    switch stack(of: source) {
    case .success(let stack): from = stack
    case .failure(let problem):
      run.failure = problem.message
      return run
    }
    let request: ProbeRequest
    switch self.request(probe, from: from, source: source) {
    case .success(let value): request = value
    case .failure(let problem):
      run.failure = problem.message
      return run
    }
    for _ in 0..<max(1, probe.count) { run.results.append(network.probe(request)) }
    if let name = probe.keep { kept[name] = network.lastProbe }
    return run
  }

  private mutating func continueConnection(_ name: String, _ probe: Probe) -> ProbeRun {
    var run = ProbeRun()
    guard let client = kept[name] else {
      run.failure = "no connection is kept under the name \(name)"
      return run
    }
    let request = probe.http.map { http($0, host: $0.host ?? "") }
    let timeout = Instant.Span(nanoseconds: probe.timeout.nanoseconds)
    run.results = [network.continueProbe(client, with: request, timeout: timeout)]
    return run
  }

  private func request(
    _ probe: Probe, from: StackID, source: ProbeSource
  ) -> Result<ProbeRequest, ProbeProblem> {
    let family = probe.family
    let target: ProbeRequest.Target
    var port = probe.port
    var http: Simulator.HTTPRequest?
    switch probe.to {
    case .url(let url):
      target = IPAddress(url.host).map { .address($0) } ?? .name(url.host)
      port = port ?? ProbePort(url.effectivePort)
      http = self.http(probe.http ?? Probe.HTTPRequest(), host: url.host, path: url.path)
    case .address(let address): target = .address(address)
    case nil:
      guard probe.dns != nil, case .pod(let pod) = from,
        let server = network.currentTopology.pods[pod].nameserver
      else { return .failure(ProbeProblem("the probe has no target")) }
      target = .address(server)
      port = port ?? ProbePort(53, .udp)
    case .some(let place):
      switch address(of: place, family: family, source: from) {
      case .success(let address): target = .address(address)
      case .failure(let problem): return .failure(problem)
      }
      if port == nil { port = onlyPort(of: place) }
    }
    if let request = probe.http, http == nil {
      let host: String
      if case .address(let address) = target { host = "\(address)" } else { host = "" }
      http = self.http(request, host: request.host ?? host)
    }
    guard let traffic = traffic(probe, port, http) else {
      return .failure(ProbeProblem("the probe names no port, and its target does not have just one"))
    }
    let number = port?.number ?? 0
    return .success(
      ProbeRequest(
        from: from, target: target, port: number, traffic: traffic, sourcePort: probe.sourcePort,
        family: family, size: probe.size, timeout: Instant.Span(nanoseconds: probe.timeout.nanoseconds),
        searchDomains: searchDomains(source), holdsOpen: probe.keep != nil))
  }

  private func traffic(
    _ probe: Probe, _ port: ProbePort?, _ http: Simulator.HTTPRequest?
  ) -> ProbeRequest.Traffic? {
    if let query = probe.dns { return .dns(name: query.name, type: query.type.rawValue) }
    if let message = probe.icmp { return .icmp(type: message.type, code: message.code) }
    guard let port else { return nil }
    switch port.transport {
    case .tcp:
      if case .url(let url)? = probe.to, url.scheme == .https, let http {
        return .https(http, serverName: IPAddress(url.host) == nil ? url.host : nil)
      }
      return http.map { .http($0) } ?? .tcp
    case .udp: return .udp
    case .sctp: return .sctp
    case .icmp, .icmpv6: return .icmp(type: nil, code: nil)
    }
  }

  private func http(
    _ request: Probe.HTTPRequest, host: String, path: String? = nil
  ) -> Simulator.HTTPRequest {
    Simulator.HTTPRequest(
      method: request.method, path: path ?? request.path, host: request.host ?? host,
      headers: request.headers.map { (name: $0.key, value: $0.value) })
  }

  private func searchDomains(_ source: ProbeSource) -> [String] {
    let namespace: String
    switch source {
    case .pod(let id), .workload(let id): namespace = id.namespace
    case .node, .external: return []
    }
    return ["\(namespace).svc.cluster.local", "svc.cluster.local", "cluster.local"]
  }

  /// The running pods of a workload, by name.
  func pods(of workload: NamespacedName) -> [PodStatus] {
    controlPlane.pods.filter { pod in
      guard pod.id.namespace == workload.namespace, let owner = pod.pod.metadata.owner else { return false }
      if owner.name == workload.name { return true }
      // A Deployment's pods belong to its ReplicaSet, whose name is the Deployment's and a hash.
      return owner.kind == .replicaSet && owner.name.hasPrefix(workload.name + "-")
        && !owner.name.dropFirst(workload.name.count + 1).contains("-")
    }
  }

  /// The stack that a probe begins at.
  func stack(of source: ProbeSource) -> Result<StackID, ProbeProblem> {
    switch source {
    case .pod(let id): return stack(ofPod: id)
    case .workload(let id):
      guard let pod = pods(of: id).first(where: { $0.phase == .running }) else {
        return .failure(ProbeProblem("workload \(id) has no running pod"))
      }
      return stack(ofPod: pod.id)
    case .node(let name):
      return network.nodeIndex(named: name).map { .success(.node($0)) }
        ?? .failure(ProbeProblem("there is no node \(name)"))
    case .external(let name):
      return network.externalIndex(named: name).map { .success(.external($0)) }
        ?? .failure(ProbeProblem("there is no external host \(name)"))
    }
  }

  private func stack(ofPod id: NamespacedName) -> Result<StackID, ProbeProblem> {
    guard let pod = controlPlane.pod(id) else { return .failure(ProbeProblem("there is no pod \(id)")) }
    guard pod.phase == .running else {
      let why = pod.reason.isEmpty ? "" : ": \(pod.reason)"
      return .failure(ProbeProblem("pod \(id) is \(pod.phase.rawValue)\(why)"))
    }
    if pod.pod.spec.hostNetwork, let node = pod.node, let index = network.nodeIndex(named: node) {
      return .success(.node(index))
    }
    guard let index = network.podIndex(named: id.description) else {
      return .failure(ProbeProblem("pod \(id) has no network"))
    }
    return .success(.pod(index))
  }

  /// The address of a target that has one.
  func address(
    of target: ProbeTarget, family: AddressFamily?, source: StackID
  ) -> Result<IPAddress, ProbeProblem> {
    let addresses: [IPAddress]
    switch target {
    case .address(let address): return .success(address)
    case .url(let url): return .failure(ProbeProblem("\(url) has no address of its own"))
    case .service(let id):
      guard let service = controlPlane.services.first(where: { $0.id == id }) else {
        return .failure(ProbeProblem("there is no service \(id)"))
      }
      addresses = service.clusterIPs.isEmpty ? service.backends.map(\.address) : service.clusterIPs
    case .pod(let id):
      switch stack(of: .pod(id)) {
      case .success(let stack): addresses = network.addresses(of: stack)
      case .failure(let problem): return .failure(problem)
      }
    case .workload(let id):
      switch stack(of: .workload(id)) {
      case .success(let stack): addresses = network.addresses(of: stack)
      case .failure(let problem): return .failure(problem)
      }
    case .node(let name):
      switch stack(of: .node(name)) {
      case .success(let stack): addresses = network.addresses(of: stack)
      case .failure(let problem): return .failure(problem)
      }
    case .external(let name):
      switch stack(of: .external(name)) {
      case .success(let stack): addresses = network.addresses(of: stack)
      case .failure(let problem): return .failure(problem)
      }
    }
    let usable = network.addresses(of: source).map(\.family)
    let wanted = addresses.first { address in
      family.map { $0 == address.family } ?? usable.contains(address.family)
    }
    return wanted.map { .success($0) } ?? .failure(ProbeProblem("\(target) has no address of that family"))
  }

  /// The same of a probe's target.
  func onlyPort(of probe: Probe) -> ProbePort? {
    guard let target = probe.to else { return nil }
    return onlyPort(of: target)
  }

  /// The port of a target that has one only.
  func onlyPort(of target: ProbeTarget) -> ProbePort? {
    guard case .service(let id) = target,
      let service = controlPlane.services.first(where: { $0.id == id }), service.service.ports.count == 1,
      let port = service.service.ports.first
    else { return nil }
    switch port.transport {
    case .tcp: return ProbePort(port.port, .tcp)
    case .udp: return ProbePort(port.port, .udp)
    case .sctp: return ProbePort(port.port, .sctp)
    }
  }
}

/// Why a probe could not be tried.
struct ProbeProblem: Error {
  var message: String
  init(_ message: String) { self.message = message }
}
