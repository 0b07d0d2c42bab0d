import Cluster
import Testing
import Wire

@testable import Manifests

@Suite("Helm values")
struct HelmValuesTests {
  func settings(_ texts: String..., profile: Profile = .latest) throws -> (Settings, [String]) {
    let values = try texts.flatMap { try YAMLReader(file: "v.yaml").documents($0) }
    let result = HelmValues(profile: profile).settings(values)
    return (result.settings, result.findings.map(\.description))
  }

  @Test func nothingGivesTheDefaults() throws {
    let (settings, findings) = try settings()
    #expect(settings == Settings() && findings.isEmpty)
  }

  @Test func theFlagshipsValues() throws {
    let (settings, findings) = try settings(
      """
      kubeProxyReplacement: true
      ipam: {mode: kubernetes}
      routingMode: tunnel
      tunnelProtocol: geneve
      ipv6: {enabled: true}
      socketLB: {hostNamespaceOnly: true}
      k8sServiceHost: kind-control-plane
      k8sServicePort: "6443"
      bpf: {masquerade: true, monitorAggregation: none, monitorInterval: 1m30s}
      prometheus: {enabled: true}
      operator: {replicas: 1, prometheus: {enabled: false}}
      """)
    #expect(findings == [])
    #expect(settings.kubeProxyReplacement.enabled && settings.kubeProxyReplacement.socketLBHostNamespaceOnly)
    #expect(settings.kubeProxyReplacement.apiServerPort == 6443)
    #expect(settings.ipam.mode == .kubernetes)
    #expect(settings.routing.effectiveTunnelPort == 6081)
    #expect(settings.bpf.monitorAggregation == .none && settings.bpf.monitorIntervalSeconds == 90)
    #expect(settings.masquerade.bpf && settings.ipv6Enabled && settings.operatorReplicas == 1)
  }

  @Test func laterFilesWinKeyByKey() throws {
    let (settings, findings) = try settings(
      "ipam: {mode: kubernetes, operator: {clusterPoolIPv4MaskSize: 26}}\nMTU: 1400\nl7Proxy: false\n",
      "ipam: {mode: cluster-pool, operator: {clusterPoolIPv4PodCIDRList: [10.9.0.0/16]}}\nl7Proxy: null\n")
    #expect(findings == [])
    #expect(settings.ipam.mode == .clusterPool && settings.ipam.ipv4MaskSize == 26)
    #expect(settings.ipam.ipv4PodCIDRs.map(\.description) == ["10.9.0.0/16"])
    #expect(settings.routing.mtu == 1400)
    #expect(settings.policy.l7Proxy, "null takes a key back to its default")
  }

  @Test func unknownKeysNameTheNearest() throws {
    let (_, findings) = try settings("tunnelProtcol: vxlan\nbpf:\n  masqerade: true\nimage: {anything: 1}\n")
    #expect(
      findings == [
        "v.yaml:1:1: error: unknown Helm value \"tunnelProtcol\"; did you mean \"tunnelProtocol\"? [unknown-value]",
        "v.yaml:3:3: error: bpf: unknown Helm value \"masqerade\"; did you mean \"masquerade\"? [unknown-value]",
      ])
  }

  @Test func whatIsNotModelledCountsWhenItIsChanged() throws {
    let (_, quiet) = try settings(
      "vtep: {enabled: false}\nencryption: {enabled: false}\ncni: {exclusive: true}\n")
    #expect(quiet == [])
    let (loud, findings) = try settings(
      "vtep: {enabled: true}\nencryption: {enabled: true}\nipam: {mode: eni}\n")
    #expect(
      findings == [
        "v.yaml:1:8: unmodelled: vtep.enabled: this Helm value is not modelled [unmodelled-value]",
        "v.yaml:2:14: unmodelled: encryption.enabled: this Helm value is not modelled [unmodelled-value]",
        "v.yaml:3:14: unmodelled: ipam.mode: this IPAM mode is not modelled [unmodelled-value]",
      ])
    #expect(loud.encryption.enabled && !loud.masquerade.ipv4)
  }

  @Test(arguments: [
    "tunnelProtocol: vxlann", "kubeProxyReplacement: strict", "cluster: {id: 900}",
    "bpf: {monitorInterval: soon}",
    "maglev: {tableSize: 100}", "nodePort: {range: x}", "ipv4NativeRoutingCIDR: 10.0.0.0", "cluster: 5",
    "policyCIDRMatchMode: pods", "k8sServicePort: http",
  ])
  func badValuesHaveAPlace(_ text: String) throws {
    let (settings, findings) = try settings(text)
    #expect(findings.count == 1)
    #expect(findings.allSatisfy { $0.hasPrefix("v.yaml:1:") && $0.contains(": error: ") })
    #expect(settings == Settings())
  }

  @Test func theChartIsWhole() {
    #expect(ChartTree.chart.names.count > 100)
    guard case .value(let byDefault)? = ChartTree.chart["bpf"]?["policyMapMax"] else {
      Issue.record("bpf.policyMapMax is known")
      return
    }
    #expect(byDefault == "16384")
    #expect(ChartTree.chart["loadBalancer"]?["dsrDispatch"] != nil)
    #expect(ChartTree.chart["policyAuditMode"] != nil)
  }
}
