import Cluster

/// An identity of the cluster, as `cilium-dbg identity list` and the CiliumIdentity objects show it.
public struct Identity: Hashable, Sendable {
  public var number: UInt32
  public var labels: IdentityLabels
  /// How many endpoints have it.
  public var references: Int

  public init(number: UInt32, labels: IdentityLabels, references: Int = 0) {
    self.number = number
    self.labels = labels
    self.references = references
  }

  /// Whether it has a fixed number.
  public var isReserved: Bool { number < 256 }
}

/// Gives identities to endpoints by their labels.
///
/// The number of a set of labels is drawn from their sorted list; a CiliumIdentity object pins it, and so does the
/// CiliumEndpoint of a pod that has them. Identities that no endpoint has and no object pins are gone at once (the
/// operator would collect them after half an hour).
struct IdentityController: Sendable {
  private var numbers = NumberSpace("identity", 256...65_535)
  private(set) var identities: [UInt32: Identity] = [:]
  /// Sets of labels that an object pins: their identities stay without endpoints.
  private var pinned: Set<String> = []

  /// The identities in order of their numbers, reserved ones first.
  var sorted: [Identity] { identities.values.sorted { $0.number < $1.number } }

  /// Fills in the endpoints' identities.
  ///
  /// - Returns: the numbers that came and went.
  mutating func reconcile(
    _ endpoints: inout [Endpoint], _ state: ClusterState, _ settings: Settings, _ findings: inout [Finding]
  ) -> (added: [UInt32], removed: [UInt32]) {
    pin(endpoints, state, settings, &findings)
    // The upper bits of the 24 are the cluster's.
    let base = UInt32(truncatingIfNeeded: settings.clusterID) << 16
    var counts: [String: Int] = [:]
    var labels: [String: IdentityLabels] = [:]
    var names: [String] = []
    var nameOfLabels: [IdentityLabels: String] = [:]
    for endpoint in endpoints {
      let name = nameOfLabels[endpoint.labels] ?? endpoint.labels.sortedList
      nameOfLabels[endpoint.labels] = name
      names.append(name)
      if counts[name] == nil { labels[name] = endpoint.labels }
      counts[name, default: 0] += 1
    }
    pinned.removeAll()
    for object in state.identities {
      let own = IdentityLabels(securityLabels: object.securityLabels)
      pinned.insert(own.sortedList)
      if counts[own.sortedList] == nil {
        counts[own.sortedList] = 0
        labels[own.sortedList] = own
      }
    }
    for name in numbers.numbers.keys where counts[name] == nil { numbers.release(name) }
    var new: [UInt32: Identity] = [:]
    for (number, labels) in ReservedIdentity.all { new[number] = Identity(number: number, labels: labels) }
    for name in counts.keys.sorted() {
      guard let number = numbers.number(for: name), let labels = labels[name] else { continue }
      let full = base | UInt32(truncatingIfNeeded: number)
      new[full] = Identity(number: full, labels: labels, references: counts[name] ?? 0)
    }
    for index in endpoints.indices {
      if let number = numbers.number(for: names[index]) {
        endpoints[index].identity = base | UInt32(truncatingIfNeeded: number)
      }
    }
    let old = identities
    identities = new
    let added = new.values.filter { old[$0.number]?.labels != $0.labels }.map(\.number).sorted()
    let removed = old.values.filter { new[$0.number]?.labels != $0.labels }.map(\.number).sorted()
    return (added, removed)
  }

  /// Counts an endpoint that came, and gives it its identity.
  ///
  /// - Returns: whether the identity is new.
  mutating func add(_ endpoint: inout Endpoint, _ settings: Settings) -> Bool {
    guard let number = numbers.number(for: endpoint.labels.sortedList) else { return false }
    let full = UInt32(truncatingIfNeeded: settings.clusterID) << 16 | UInt32(truncatingIfNeeded: number)
    endpoint.identity = full
    let isNew = identities[full] == nil
    identities[full, default: Identity(number: full, labels: endpoint.labels)].references += 1
    return isNew
  }

  /// Discounts an endpoint that went.
  ///
  /// - Returns: whether its identity went with it.
  mutating func remove(_ endpoint: Endpoint) -> Bool {
    guard let identity = identities[endpoint.identity], !identity.isReserved else { return false }
    identities[endpoint.identity]?.references -= 1
    let name = identity.labels.sortedList
    guard identity.references <= 1, !pinned.contains(name) else { return false }
    identities[endpoint.identity] = nil
    numbers.release(name)
    return true
  }

  private mutating func pin(
    _ endpoints: [Endpoint], _ state: ClusterState, _ settings: Settings, _ findings: inout [Finding]
  ) {
    for object in state.identities {
      let name = IdentityLabels(securityLabels: object.securityLabels).sortedList
      pin(name, object.number, object.reference, object.location, &findings)
    }
    guard !state.ciliumEndpoints.isEmpty else { return }
    for endpoint in endpoints {
      guard let pod = endpoint.pod, let object = state.ciliumEndpoints[pod], let number = object.identity,
        number > 255
      else { continue }
      let name = endpoint.labels.sortedList
      guard numbers.numbers[name] != UInt64(number & 0xffff) else { continue }
      pin(name, number, object.reference, object.location, &findings)
    }
  }

  private mutating func pin(
    _ name: String, _ number: UInt32, _ object: ObjectReference, _ location: SourceLocation,
    _ findings: inout [Finding]
  ) {
    let low = UInt64(number & 0xffff)
    guard low >= 256, numbers.pin(name, to: low) else {
      findings.append(
        Finding(
          "identity-pin", .error,
          "identity \(number) cannot be pinned: it is reserved, or pinned to other labels",
          object: object, at: location))
      return
    }
  }
}

extension IdentityLabels {
  /// From the `security-labels` of a CiliumIdentity: keys with their source.
  init(securityLabels: Labels) {
    self.init(
      securityLabels.map { label in
        guard let colon = label.key.firstIndex(of: ":") else {
          return IdentityLabel("unspec", label.key, label.value)
        }
        return IdentityLabel(
          String(label.key[..<colon]), String(label.key[label.key.index(after: colon)...]), label.value)
      })
  }
}
