import Cluster
import MapABI
import Testing
import Wire

@testable import ControlPlane

@Suite("Images") struct ImageTests {
  @Test func ipcacheAsEachNodeSeesIt() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), Fixture.flagship))
    let client = try #require(plane.endpoint(of: Fixture.pod("curl-client"))?.identity)
    let server = try #require(plane.endpoint(of: Fixture.pod("nginx-server"))?.identity)
    let other = try #require(plane.endpoint(of: Fixture.pod("other-client"))?.identity)
    let dns = try #require(
      plane.identities.first { $0.labels.value(source: "k8s", key: "k8s-app") != nil }?.number)
    #expect(
      plane.image(of: "kind-worker2")?.ipcacheLines == [
        "0.0.0.0/0 2",
        "10.244.0.0/24 2 via 172.18.0.2", "10.244.0.1/32 6 via 172.18.0.2", "10.244.0.2/32 4 via 172.18.0.2",
        "10.244.0.3/32 \(dns) via 172.18.0.2", "10.244.0.4/32 \(dns) via 172.18.0.2",
        "10.244.1.0/24 2 via 172.18.0.3", "10.244.1.1/32 6 via 172.18.0.3", "10.244.1.2/32 4 via 172.18.0.3",
        "10.244.1.3/32 \(server) via 172.18.0.3",
        "10.244.2.1/32 1", "10.244.2.2/32 4", "10.244.2.3/32 \(client)", "10.244.2.4/32 \(other)",
        "172.18.0.2/32 7", "172.18.0.3/32 6", "172.18.0.4/32 1",
      ])
    #expect(
      plane.image(of: "kind-control-plane")?.ipcacheLines.filter { $0.hasPrefix("172.") } == [
        "172.18.0.2/32 1", "172.18.0.3/32 6", "172.18.0.4/32 6",
      ])
  }

  /// In dual stack each family has a world of its own, and the tunnel goes over IPv4.
  @Test func ipcacheInDualStack() throws {
    var plane = Fixture.controlPlane(.dual)
    _ = plane.reconcile(Fixture.state(Fixture.kind(.dual), Fixture.flagship))
    let lines = try #require(plane.image(of: "kind-worker")?.ipcacheLines)
    #expect(lines.contains("0.0.0.0/0 9") && lines.contains("::/0 10"))
    #expect(lines.contains("10.244.2.0/24 9 via 172.18.0.4"))
    #expect(lines.contains("fd00:10:244:2::/64 10 via 172.18.0.4"))
    #expect(lines.contains("fd00:10:244:2::1/128 6 via 172.18.0.4"))
    // Only the address that the API server answers at is the API server's.
    #expect(lines.contains("172.18.0.2/32 7") && lines.contains("fc00:f853:ccd:e793::2/128 6"))
    let client = try #require(plane.endpoint(of: Fixture.pod("curl-client")))
    #expect(lines.contains("fd00:10:244:2::3/128 \(client.identity) via 172.18.0.4"))
  }

  @Test func endpointsAndTheHost() throws {
    var plane = Fixture.controlPlane()
    _ = plane.reconcile(Fixture.state(Fixture.kind(), Fixture.flagship))
    let image = try #require(plane.image(of: "kind-worker"))
    let server = try #require(plane.endpoint(of: Fixture.pod("nginx-server")))
    let info = try #require(image.maps.endpoints[EndpointKey(Fixture.address("10.244.1.3"))])
    #expect(info.lxc_id == server.id && info.ifindex == server.device.ifindex)
    #expect(info.mac.mac == server.containerMAC && info.node_mac.mac == server.device.mac)
    #expect(info.sec_id == server.identity && info.flags == 0 && info.parent_ifindex == 0)
    for address in ["172.18.0.3", "10.244.1.1"] {
      let host = try #require(image.maps.endpoints[EndpointKey(Fixture.address(address))])
      #expect(host.flags == 1 && host.ifindex == 0 && host.sec_id == 0)
    }
    #expect(image.maps.endpoints[EndpointKey(Fixture.address("10.244.1.2"))]?.sec_id == 4)
    #expect(image.maps.endpoints.count == 4)
    #expect(image.maps.nodes.count == 6)
  }

  /// The values that the reference objects were built with, and those that the agent writes into them.
  @Test(arguments: [KindConfiguration.IPFamily.ipv4, .dual])
  func configurationOfAnEndpoint(_ family: KindConfiguration.IPFamily) throws {
    var plane = Fixture.controlPlane(family)
    _ = plane.reconcile(Fixture.state(Fixture.kind(family), Fixture.flagship))
    let server = try #require(plane.endpoint(of: Fixture.pod("nginx-server")))
    let image = try #require(plane.image(of: "kind-worker"))
    let c = try #require(image.attachment(.fromContainer, ifindex: server.device.ifindex)?.config)
    #expect(c.encap_ifindex == 5 && c.ipv4_gateway == Fixture.address("10.244.1.1").v4?.bits.bigEndian)
    #expect(c.ipv4_direct_routing == Fixture.address("172.18.0.3").v4?.bits.bigEndian)
    #expect(c.ct_connection_lifetime_tcp == 8000 && c.ct_connection_lifetime_nontcp == 60)
    #expect(c.ct_service_lifetime_tcp == 8000 && c.ct_service_lifetime_nontcp == 60)
    #expect(c.ct_service_close_rebalance == 60 && c.ct_syn_timeout == 60 && c.ct_close_timeout == 10)
    #expect(c.ct_report_interval == 5 && c.ct_report_flags == 0xff && c.monitor_aggregation == 3)
    #expect(c.lb_selection == 1 && c.enable_nodeport == 1 && c.enable_routing == 1)
    #expect(c.enable_host_routing == 0 && c.tunnel_mode == 1 && c.have_encap == 1)
    #expect(c.enable_socket_lb_full == 0 && c.enable_socket_lb_host_only == 1 && c.enable_per_packet_lb == 1)
    #expect(c.service_no_backend_response == 1 && c.enable_sctp == 0 && c.enable_l7_lb == 0)
    #expect(c.enable_host_firewall == 0 && c.enable_wireguard == 0 && c.policy_audit_mode == 0)
    #expect(c.enable_masquerade_ipv4 == 0 && c.enable_masquerade_ipv6 == 0)
    #expect(c.drop_notify == 1 && c.trace_notify == 1 && c.policy_verdict_notify == 1)
    #expect(c.local_delivery_metrics == 1 && c.trace_payload_len == 128 && c.trace_payload_len_overlay == 192)
    #expect(c.cluster_id == 0 && c.cluster_id_bits == 8 && c.enable_identity_mark == 1)
    #expect(c.enable_conntrack_accounting == 0 && c.enable_policy_accounting == 1)
    #expect(c.enable_icmp_rule == 1 && c.allow_icmp_frag_needed == 1)
    #expect(c.enable_ipv4_fragments == 1 && c.enable_ipv6_fragments == 1)
    #expect(c.enable_extended_ip_protocols == 0 && c.enable_arp_responder == 1)
    #expect(c.enable_no_service_endpoints_routable == 1 && c.policy_deny_response_enabled == 0)
    #expect(c.enable_lrp == 0 && c.enable_netkit == 0 && c.enable_tproxy == 0 && c.enable_jiffies == 0)
    #expect(c.nodeport_port_min == 30000 && c.nodeport_port_max == 32767 && c.ephemeral_min == 32768)
    #expect(c.eth_header_length == 14 && c.tunnel_protocol == 1 && c.tunnel_port == 8472)
    #expect(c.service_loopback_ipv4 == Fixture.address("169.254.42.1").v4?.bits.bigEndian)
    #expect(c.supports_fib_lookup_skip_neigh == 1 && c.policy_verdict_log_filter == 3)
    #expect(c.enable_ipv4 == 1 && c.enable_ipv6 == (family == .dual ? 1 : 0))
    #expect(c.security_label == server.identity && c.endpoint_id == server.id)
    #expect(c.interface_mac.mac == server.device.mac && c.interface_ifindex == server.device.ifindex)
    #expect(c.endpoint_ipv4 == Fixture.address("10.244.1.3").v4?.bits.bigEndian)
    if family == .dual {
      #expect(c.router_ipv6.v6.description == "fd00:10:244:1::1")
      #expect(c.endpoint_ipv6.v6.description == "fd00:10:244:1::3")
      #expect(c.ipv6_direct_routing.v6.description == "fc00:f853:ccd:e793::3")
    }
    #expect(image.endpointConfig(server.id)?.endpoint_id == server.id)
    let overlay = try #require(image.attachment(.fromOverlay, ifindex: 5)?.config)
    #expect(overlay.local_delivery_metrics == 0 && overlay.allow_icmp_frag_needed == 0)
    let netdev = try #require(image.attachment(.fromNetdev, ifindex: 2)?.config)
    #expect(netdev.security_label == 1 && netdev.local_delivery_metrics == 1 && netdev.endpoint_id == 0)
  }

  @Test func attachmentsFollowTheValues() throws {
    func hooks(_ change: (inout Settings) -> Void) -> [String] {
      var settings = Fixture.settings()
      change(&settings)
      var plane = ControlPlane(settings: settings, network: Fixture.kind().network)
      _ = plane.reconcile(Fixture.state())
      return (plane.image(of: "kind-worker")?.attachments ?? []).map { "\($0.device):\($0.hook.rawValue)" }
    }
    let usual = [
      "cgroup:sock4_connect", "eth0:from_netdev", "eth0:to_netdev", "cilium_net:to_host",
      "cilium_host:from_host", "cilium_host:to_host", "cilium_vxlan:from_overlay", "cilium_vxlan:to_overlay",
      "lxc_health:from_container",
    ]
    #expect(hooks { _ in } == usual)
    #expect(hooks { $0.routing.endpointRoutes = true } == usual + ["lxc_health:to_container"])
    #expect(
      hooks { $0.kubeProxyReplacement.enabled = false }
        == usual.filter { !$0.contains("sock") && !$0.contains("to_netdev") })
    #expect(hooks { $0.routing.mode = .native } == usual.filter { !$0.contains("vxlan") })
    #expect(hooks { $0.routing.tunnelProtocol = .geneve }.contains("cilium_geneve:to_overlay"))
  }

  @Test func hostRoutingNeedsMasqueradingInBPF() {
    var settings = Fixture.settings()
    #expect(DatapathOptions(settings).hostLegacyRouting)
    settings.masquerade.bpf = true
    #expect(!DatapathOptions(settings).hostLegacyRouting)
    settings.kubeProxyReplacement.enabled = false
    #expect(DatapathOptions(settings).hostLegacyRouting)
    settings.kubeProxyReplacement.enabled = true
    settings.bpf.hostLegacyRouting = true
    #expect(DatapathOptions(settings).hostLegacyRouting)
    settings = Fixture.settings()
    settings.masquerade.ipv4 = false
    settings.masquerade.ipv6 = false
    #expect(!DatapathOptions(settings).hostLegacyRouting)
  }

  @Test func nothingChangesWhenNothingDoes() {
    var plane = Fixture.controlPlane(.dual)
    let state = Fixture.state(Fixture.kind(.dual), Fixture.flagship)
    let first = plane.reconcile(state)
    #expect(first.map(\.node) == ["kind-control-plane", "kind-worker", "kind-worker2"])
    let second = plane.reconcile(state)
    #expect(second.isEmpty)
  }

  @Test func aNodeThatGoesIsForgotten() {
    var plane = Fixture.controlPlane()
    let objects = Fixture.state(Fixture.kind(), Fixture.flagship)
    _ = plane.reconcile(objects)
    var fewer = objects
    fewer.nodes[NamespacedName(namespace: "", name: "kind-worker")] = nil
    let updates = plane.reconcile(fewer)
    #expect(updates.first { $0.node == "kind-worker" }?.isRemoved == true)
    #expect(plane.image(of: "kind-worker") == nil)
    #expect(plane.pod(Fixture.pod("nginx-server"))?.phase == .pending)
    #expect(plane.image(of: "kind-worker2")?.ipcacheLines.contains { $0.contains("172.18.0.3") } == false)
  }
}
