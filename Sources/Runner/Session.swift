import Cluster
import Conformance
import ControlPlane
import Datapath
import MapABI
import Scenario
import Simulator
import Wire

/// A scenario as it runs: the cluster's objects, the control plane, and the simulated network, kept in step.
struct Session<Observer: HopObserver & ~Copyable>: ~Copyable {
  let loaded: LoadedScenario
  var state: ClusterState
  var settings: Settings
  private let agents: Agents
  var controlPlane: ControlPlane {
    get { agents.controlPlane }
    nonmutating _modify { yield &agents.controlPlane }
  }
  var network: Network<Observer>
  var dns: WorldDNS
  var nodeOrder: [String]
  /// Connections that steps have kept open, by name.
  var kept: [String: Int] = [:]
  var names = NameBook()
  /// What `capture` steps have asked for, in order.
  var captures: [CaptureWindow] = []
  /// The nodes where Envoy is down.
  var envoysDown: Set<String> = []
  /// Whether probes are explained.
  var explains = false
  /// By node.
  var collections: [String: ConntrackCollection] = [:]

  init(
    _ loaded: LoadedScenario, cluster: LoadedScenario.LoadedCluster, seed: UInt64,
    profile: DatapathProfile = .current,
    observer: consuming Observer
  ) {
    self.loaded = loaded
    state = cluster.state
    settings = cluster.settings
    dns = loaded.scenario.dns
    var controlPlane = ControlPlane(settings: cluster.settings, network: cluster.network)
    _ = controlPlane.reconcile(cluster.state)
    agents = Agents(controlPlane)
    nodeOrder = controlPlane.nodes.map(\.name)
    let world = World(
      controlPlane: controlPlane, network: cluster.network, externals: loaded.scenario.external,
      dns: loaded.scenario.dns, nodeOrder: nodeOrder)
    network = Network(world.topology(nil), seed: seed, profile: profile, observer: observer)
    network.names = world.names()
    network.agents = agents
    network.dnsProxy = DNSProxySettings(cluster.settings)
    names = world.nameBook()
  }

  /// Lets the controllers and agents react to the objects as they now are, and the network to the agents.
  mutating func reconcile() {
    let updates = controlPlane.reconcile(state)
    for info in controlPlane.nodes where !nodeOrder.contains(info.name) { nodeOrder.append(info.name) }
    let world = world()
    network.dnsProxy = DNSProxySettings(settings)
    network.replaceTopology(world.topology(network.currentTopology))
    for update in updates {
      guard let index = network.nodeIndex(named: update.node) else { continue }
      if update.isRemoved {
        network.setNode(index, up: false)
        continue
      }
      network.update(
        node: index, attachments: update.attachments, endpointConfigs: update.endpointConfigs,
        changes: update.changes)
    }
    network.names = world.names()
    adopt(world.nameBook())
  }

  /// The world as it now is.
  func world() -> World {
    World(
      controlPlane: controlPlane, network: controlPlane.network, externals: loaded.scenario.external,
      dns: dns, nodeOrder: nodeOrder, envoysDown: envoysDown)
  }

  /// Takes new names in; those of what is gone still stand in older journeys.
  mutating func adopt(_ now: NameBook) {
    names.identities.merge(now.identities) { $1 }
    names.labels.merge(now.labels) { $1 }
    names.devices.merge(now.devices) { $1 }
    names.endpoints.merge(now.endpoints) { $1 }
    names.addresses.merge(now.addresses) { $1 }
  }
}

extension DNSProxySettings {
  init(_ settings: Settings) {
    self.init(
      deniesExistence: settings.dnsProxy.rejectCode == .nameError,
      isTransparent: settings.dnsProxy.transparentMode ?? true)
  }
}
