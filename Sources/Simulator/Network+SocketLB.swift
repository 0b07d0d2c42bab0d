import Datapath
import MapABI
import Wire

// Socket load balancing: programs at the node's cgroup that translate a service's address when a socket connects.
extension Network where Observer: ~Copyable {
  /// Notes what is not modelled: a connection to a service that a program at the cgroup would have translated
  /// before the first packet.
  ///
  /// Source: `bpf/bpf_sock.c`, `__sock4_xlate_fwd`: with `socketLB.hostNamespaceOnly` pods' sockets are passed over.
  mutating func noteSocketTranslation(from stack: StackID, to destination: IPAddress) {
    let node: Int?
    let isPod: Bool
    switch stack {
    case .node(let index): (node, isPod) = (index, false)
    case .pod(let index):
      node = nodes.firstIndex { $0.spec.name == topology.pods[index].node }
      isPod = true
    case .external, .proxy: return
    }
    let hook: Hook = destination.family == .ipv4 ? .sock4Connect : .sock6Connect
    guard let node,
      let program = nodes[node].state.image.attachments.first(where: { $0.hook == hook }),
      !isPod || program.config.enable_socket_lb_full != 0,
      nodes[node].state.maps.isService(destination)
    else { return }
    unmodelled.append(
      "\(nodes[node].spec.name): translation of \(destination) by the socket hook \(hook.rawValue)")
  }
}

extension NodeMaps {
  /// Whether any port of an address is a service's.
  fileprivate func isService(_ address: IPAddress) -> Bool {
    switch address {
    case .v4(let address): return services4.keys.contains { $0.address == address.bits.bigEndian }
    case .v6(let address):
      let wanted = AddressWords(address)
      return services6.keys.contains { key in
        let found = key.address
        return (found.w0, found.w1, found.w2, found.w3) == (wanted.w0, wanted.w1, wanted.w2, wanted.w3)
      }
    }
  }
}
