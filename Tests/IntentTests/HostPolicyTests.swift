import Cluster
import Intent
import Testing
import Wire

/// Policies of nodes, and policies that the agent does not take up.
@Suite struct HostPolicyTests {
  private func hostPolicy(_ ingress: [TrafficRule], on labels: Labels = [:]) -> ClusterObject {
    .ciliumPolicy(
      CiliumNetworkPolicy(
        metadata: Metadata(name: "host"), scope: .clusterwide,
        rules: [PolicyRule(nodeSelector: LabelSelector(matchLabels: labels), ingress: ingress)]))
  }

  @Test func nodesHaveAPolicyWithTheHostFirewall() {
    var town = Town()
    town.apply(hostPolicy([rule(PolicyPeers(entities: [Located(.remoteNode)]), [tcp(6443)])]))
    #expect(town.row(everybody, "node/n1", .tcp(6443)) == "......")
    #expect(town.answer("client", "node/n1").ingress.enforcement == .noEndpoint)
    town.settings.policy.hostFirewall = true
    // Beside the tunnel, pods of the other node have its address.
    #expect(town.row(everybody, "node/n1", .tcp(6443)) == ".....X")
    town.settings.masquerade.ipv4 = false
    #expect(town.row(everybody, "node/n1", .tcp(6443)) == "XXX..X")
    town.settings.masquerade.ipv4 = true
    town.settings.routing.mode = .native
    #expect(town.row(everybody, "node/n1", .tcp(6443)) == "XXX..X")
    // It selects no pods, and pod policies no nodes.
    #expect(town.cell("client", "web") == ".")
    town.apply(policy("all", in: "", on: [:], ingress: [TrafficRule()]))
    #expect(town.cell("client", "web") == "X")
    #expect(town.cell("node/n2", "node/n1", .tcp(6443)) == ".")
  }

  @Test func nodesAreSelectedByTheirLabels() {
    var town = Town()
    town.settings.policy.hostFirewall = true
    town.apply(hostPolicy([TrafficRule()], on: ["zone": "a"]))
    #expect(town.cell("client", "node/n1") == ".")
    #expect(town.cell("client", "node/n2") == "X")
  }

  @Test func podsInTheHostNetworkAreTheirNode() {
    var town = Town()
    town.apply(policy("all", in: "", on: [:], ingress: [TrafficRule()]))
    let pod = Pod(
      metadata: Metadata(namespace: "default", name: "agent", labels: ["app": "web"]),
      spec: PodSpec(nodeName: "n1", hostNetwork: true))
    town.apply(.pod(pod))
    #expect(Subject.pod(pod, in: town.cluster) == town.subject("node/n1"))
    #expect(town.cell("client", "agent") == ".")
    #expect(town.cell("agent", "web") == ".")
    #expect(town.cell("agent", "client") == "X")
    #expect(!town.intent.endpoints.contains { $0.id.name == "agent" })
  }

  @Test func endpointsWithoutLabelsAreClosed() {
    let town = Town()
    let unborn = Subject(kind: .initializing, id: NamespacedName(namespace: "default", name: "new"))
    let answer = town.intent.answer(Traffic(from: town.subject("client"), to: unborn, .tcp(80)))
    #expect(answer.ingress.enforcement == .always && answer.verdict == .denied)
  }

  @Test func aRefusedPolicyHasNoEffect() {
    var town = Town()
    let peers = PolicyPeers(endpoints: [LabelSelector()], entities: [Located(.world)])
    town.apply(policy(ingress: [rule(["app": "client"]), rule(peers)]))
    #expect(town.row(everybody, "web") == "......")
    #expect(town.intent.refused.map(\.policy.name) == ["p"])
    #expect(town.intent.refused.first?.problems.map(\.kind) == [.combinedPeers])
  }

  @Test func problems() {
    func kinds(
      _ change: (inout PolicyRule) -> Void, clusterwide: Bool = false, settings: Settings = Settings()
    ) -> [PolicyProblem.Kind] {
      var spec = PolicyRule(endpointSelector: LabelSelector(), ingress: [rule(nil, tcp(80))])
      change(&spec)
      let policy = CiliumNetworkPolicy(
        metadata: Metadata(namespace: clusterwide ? "" : "default", name: "p"),
        scope: clusterwide ? .clusterwide : .namespaced, rules: [spec])
      return AgentCheck(settings).problems(policy).map(\.kind)
    }
    func port(_ change: @escaping (inout PortRule) -> Void) -> (inout PolicyRule) -> Void {
      { spec in change(&spec.ingress![0].toPorts![0]) }
    }
    let http = L7Rules(http: [HTTPRule()])
    let dns = L7Rules(dns: [FQDNSelector(matchPattern: "*")])
    #expect(kinds { _ in }.isEmpty)
    #expect(kinds { $0.ingress = [] } == [.noSections])
    #expect(kinds { $0.endpointSelector = nil } == [.noSelector])
    #expect(kinds({ $0.nodeSelector = LabelSelector() }, clusterwide: true) == [.bothSelectors])
    #expect(
      kinds {
        $0.endpointSelector = nil
        $0.nodeSelector = LabelSelector()
      } == [.nodeSelectorInNamespace])
    #expect(kinds { $0.ingress![0].icmps = [ICMPRule(fields: [.init(type: 8)])] } == [.icmpsWithPorts])
    #expect(kinds { $0.ingress![0].peers.nodes = [LabelSelector()] } == [.nodePeers])
    #expect(
      kinds {
        $0.ingress![0].peers.cidrSets = [
          CIDRRule(cidr: cidr("10.0.0.0/8").value, except: [cidr("11.0.0.0/16")])
        ]
      }
        == [.exceptOutside])
    #expect(kinds { $0.ingress![0].peers.cidrSets = [CIDRRule()] } == [.cidrForm])
    #expect(kinds(port { $0.ports = Array(repeating: tcp(1), count: 41) }) == [.tooManyPorts])
    #expect(kinds(port { $0.ports = [PortProtocol(nil, .tcp)] }) == [.emptyPort])
    #expect(kinds(port { $0.ports = [PortProtocol(.number(1), .gre)] }) == [.portOfPortless])
    #expect(kinds(port { $0.rules = http }).isEmpty)
    #expect(
      kinds(port { ($0.rules, $0.ports) = (http, [PortProtocol(.number(80), .udp)]) }) == [.l7OnOtherProtocol]
    )
    #expect(kinds(port { ($0.rules, $0.ports) = (http, [tcp(0)]) }) == [.l7OnPortZero])
    #expect(kinds(port { $0.rules = dns }) == [.dnsOnIngress])
    #expect(kinds(port { $0.rules = L7Rules(http: [HTTPRule(path: "/(")]) }) == [.expressionForm])
    #expect(kinds(port { ($0.rules, $0.serverNames) = (http, [Located("a")]) }) == [.serverNamesWithL7])
    #expect(kinds(port { $0.serverNames = [Located("")] }) == [.emptyServerName])
    #expect(kinds(port { $0.listener = .init(configName: "c", name: "l") }) == [.listenerOnIngress])
    var settings = Settings()
    settings.policy.l7Proxy = false
    #expect(kinds(port { $0.rules = http }, settings: settings) == [.l7Disabled])
    #expect(
      kinds(
        {
          ($0.endpointSelector, $0.nodeSelector) = (nil, LabelSelector())
          $0.ingress![0].toPorts![0].rules = http
        }, clusterwide: true) == [.l7OnHost])
    #expect(
      kinds {
        $0.egress = [
          rule(PolicyPeers(fqdns: [FQDNSelector(matchName: "a b"), FQDNSelector(matchPattern: "x/y")]))
        ]
      } == [.namePatternForm, .namePatternForm])
  }
}
