import Cluster
import ControlPlane
import Simulator
import Wire

/// The control plane of a session, shared with the proxies of the simulated nodes.
final class Agents: NodeAgents {
  var controlPlane: ControlPlane

  init(_ controlPlane: ControlPlane) { self.controlPlane = controlPlane }

  func endpoint(at address: IPAddress, node: String) -> ProxiedEndpoint? {
    guard let endpoint = controlPlane.endpoint(at: address), endpoint.node == node else { return nil }
    let policy = controlPlane.policy(node: node, endpoint: endpoint.id)?.proxyPolicy ?? ProxyPolicy()
    return ProxiedEndpoint(id: endpoint.id, identity: endpoint.identity, policy: policy)
  }

  func learn(_ lesson: NameLesson) -> [NodeUpdate] { controlPlane.learn(lesson) }
}
