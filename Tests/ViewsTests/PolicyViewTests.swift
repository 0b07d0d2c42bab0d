import CDatapath
import MapABI
import Testing
import Wire

@testable import Views

@Suite struct PolicyViewTests {
  let maps: NodeMaps = {
    var maps = NodeMaps()
    maps.addPolicy(232, identity: 0, egress: 1)
    maps.addPolicy(
      232, identity: 4437, transport: 6, port: 80, prefix: 24,
      entry: PolicyEntry(
        proxy_port: UInt16(14096).bigEndian, bits: 24 << 3, auth: 0x81, precedence: 0, cookie: 3))
    maps.addPolicy(
      232, identity: 777, transport: 17, port: 8192, prefix: 8 + 3,
      entry: PolicyEntry(proxy_port: 0, bits: 1 | 11 << 3, auth: 0, precedence: 0, cookie: 0))
    maps.addPolicy(232, identity: 1, transport: 132, prefix: 8)
    maps.policyStats[
      PolicyStatsKey(
        endpoint_id: 232, pad1: 0, prefix_len: 24, sec_label: 4437, egress: 0, protocol: 6,
        dport: UInt16(80).bigEndian)] = Counters(packets: 12, bytes: 1234)
    // Another endpoint's counters are not this one's.
    maps.policyStats[
      PolicyStatsKey(endpoint_id: 9, pad1: 0, prefix_len: 8, sec_label: 1, egress: 0, protocol: 132, dport: 0)
    ] =
      Counters(packets: 5, bytes: 6)
    maps.policies[9] = EndpointPolicies.Table()
    return maps
  }()
  let names = IdentityNames([4437: ["k8s:b=2", "k8s:app=netshoot-client"]])

  @Test func labels() {
    #expect(
      PolicyList.text(maps, endpoint: 232, names: names)
        == expected(
          "POLICY   DIRECTION   LABELS (source:key[=value])   PORT/PROTO       PROXY PORT   AUTH TYPE   BYTES   "
            + "PACKETS   PREFIX   COOKIE$",
          "Deny     Ingress     777                           8192-16383/UDP   NONE         disabled    -       "
            + "-         11       0$",
          "Allow    Ingress     reserved:host                 SCTP             NONE         disabled    -       "
            + "-         8        0$",
          "Allow    Ingress     k8s:app=netshoot-client       80/TCP           14096        spire       1234    "
            + "12        24       3$",
          "                     k8s:b=2                                                            "
            + "                                     $",
          "Allow    Egress      ANY                           ANY              NONE         disabled    -       "
            + "-         0        0$"))
  }

  @Test func numbers() {
    #expect(
      PolicyList.text(maps, endpoint: 232, names: names, numeric: true)
        == expected(
          "POLICY   DIRECTION   IDENTITY   PORT/PROTO       PROXY PORT   AUTH TYPE   BYTES   PACKETS   PREFIX   COOKIE$",
          "Deny     Ingress     777        8192-16383/UDP   NONE         disabled    -       -         11       0$",
          "Allow    Ingress     1          SCTP             NONE         disabled    -       -         8        0$",
          "Allow    Ingress     4437       80/TCP           14096        spire       1234    12        24       3$",
          "Allow    Egress      0          ANY              NONE         disabled    -       -         0        0$"
        ))
  }

  @Test func emptyAndMissing() {
    let empty = expected(
      "POLICY   DIRECTION   LABELS (source:key[=value])   PORT/PROTO   PROXY PORT   AUTH TYPE   BYTES   PACKETS   "
        + "PREFIX   COOKIE$",
      "Policy stats empty. Perhaps the policy enforcement is disabled?$")
    #expect(PolicyList.text(maps, endpoint: 9) == empty)
    #expect(PolicyList.text(maps, endpoint: 10) == nil)
  }

  @Test func all() {
    let text = PolicyList.allText(maps, numeric: true)
    #expect(
      text.hasPrefix(
        "Endpoint ID: 9\nPath: /sys/fs/bpf/tc/globals/cilium_policy_v2_00009\n\nPOLICY   DIRECTION"))
    #expect(
      text.contains(
        "is disabled?\n\n\nEndpoint ID: 232\nPath: /sys/fs/bpf/tc/globals/cilium_policy_v2_00232\n\nPOLICY"))
    #expect(text.hasSuffix("disabled    -       -         0        0\n\n\n"))
    #expect(PolicyList.allText(NodeMaps()) == "no maps found\n")
  }

  @Test(
    arguments: [
      (0, 0, 0, "ANY"), (6, 0, 8, "TCP"), (58, 0, 8, "ICMPv6"), (255, 0, 8, "255"), (6, 443, 24, "443/TCP"),
      (6, 0x8000, 9, "32768-65535/TCP"), (17, 2, 23, "2-3/UDP"), (6, 0, 3, "<INVALID PREFIX LENGTH: 3>"),
    ] as [(UInt8, UInt16, UInt32, String)])
  func ports(_ transport: UInt8, _ port: UInt16, _ prefix: UInt32, _ text: String) throws {
    var maps = NodeMaps()
    maps.addPolicy(1, identity: 5, transport: transport, port: port, prefix: prefix)
    let view = try #require(PolicyList.text(maps, endpoint: 1, numeric: true))
    #expect(view.contains("Ingress     5          \(text)   "))
  }
}
