import MapABI
import Testing

@testable import Kernel

/// Compile-time options read from the agent's headers.
@Suite struct ProfileTests {
  @Test("Macros with and without values, hexadecimal, and what is no number")
  func macros() {
    let text = """
      #include "lib/utils.h"
      #define ENABLE_IPV4 1
      #define TUNNEL_MODE
      #define IPV4_GATEWAY 0x0101f40a
      #define IPV6_DIRECT_ROUTING { .addr = { 0xfc } }
      #define VLAN_FILTER(ifindex, vlan_id) return false
      """
    #expect(
      CompiledOptions.macros(text) == ["ENABLE_IPV4": 1, "TUNNEL_MODE": 1, "IPV4_GATEWAY": 0x0101_f40a])
  }

  @Test("A switch that no header defines is off; endpoint options hold for bpf_lxc and bpf_host")
  func profile() throws {
    let options = CompiledOptions(
      headers: [
        ("node_config.h", "#define ENABLE_IPV4 1\n#define ENCAP_IFINDEX 5\n"),
        ("ep_config.h", "#define ENABLE_ROUTING 1\n#define MONITOR_AGGREGATION 3\n"),
      ])
    func setting(_ field: String) -> CompiledOptions.Setting? { options.fixed.first { $0.field == field } }
    #expect(setting("enable_ipv4") == .init(field: "enable_ipv4", value: 1))
    #expect(setting("enable_ipv6") == .init(field: "enable_ipv6", value: 0))
    #expect(setting("encap_ifindex") == .init(field: "encap_ifindex", value: 5))
    #expect(
      setting("monitor_aggregation")
        == .init(field: "monitor_aggregation", value: 3, files: ["bpf_lxc.o", "bpf_host.o"]))
    #expect(setting("lb_selection") == nil)
    #expect(options.fixed.allSatisfy { MacroFields.field($0.field) != nil })
    #expect(
      CompiledOptions(headers: [("ep_config.h", "#define ENABLE_ROUTING 1")]).fixed.isEmpty)
  }
}
