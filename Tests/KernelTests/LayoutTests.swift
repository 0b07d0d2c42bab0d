import MapABI
import Testing

@testable import Kernel

/// Values of other versions' layouts.
@Suite struct LayoutTests {
  private static func field(_ name: String, _ offset: Int, _ size: Int) -> StructLayout.Field {
    StructLayout.Field(name: name, bitOffset: offset * 8, bits: size * 8)
  }

  /// The policy entry of 1.18: eight octets, no precedence, no cookie.
  private static let policy118 = StructLayout(
    name: "policy_entry", size: 8,
    fields: [
      field("proxy_port", 0, 2), .init(name: "deny", bitOffset: 16, bits: 1),
      .init(name: "reserved", bitOffset: 17, bits: 2),
      .init(name: "lpm_prefix_length", bitOffset: 19, bits: 5),
      .init(name: "auth_type", bitOffset: 24, bits: 7),
      .init(name: "has_explicit_auth_type", bitOffset: 31, bits: 1), field("proxy_port_priority", 4, 4),
    ])

  @Test("A shorter policy entry: what both have goes over, the rest stays zero")
  func shorter() throws {
    let layout = try #require(
      try ValueLayout.translation(of: .policy, to: Self.policy118, object: "bpf_lxc.o"))
    #expect(layout.size == 8)
    var entry = PolicyEntry()
    entry.proxy_port = 0x1234
    entry.bits = 0xa1
    entry.auth = 0x85
    entry.precedence = 77
    var theirs = [UInt8](repeating: 0xa5, count: 8)
    layout.encode(&entry, into: &theirs)
    #expect(theirs == [0x34, 0x12, 0xa1, 0x85, 0, 0, 0, 0])
    var back = [UInt8](repeating: 0xa5, count: 12)
    layout.decode(theirs, into: &back, size: 12)
    #expect(back == [0x34, 0x12, 0xa1, 0x85, 0, 0, 0, 0, 0, 0, 0, 0])
  }

  @Test("An unknown field is refused, with both layouts in the message")
  func unknown() {
    var strange = Self.policy118
    strange.fields.append(Self.field("quota", 4, 4))
    do throws(KernelError) {
      _ = try ValueLayout.translation(of: .policy, to: strange, object: "bpf_lxc.o")
      Issue.record("accepted")
    } catch {
      #expect(error.kind == .object)
      #expect(error.description.contains("quota@4+4"))
      #expect(error.description.contains("cilium_policy_v2"))
    }
  }

  @Test("A value of another size is refused where no field is known")
  func otherSize() {
    let nodes = StructLayout(name: "node_value", size: 8, fields: [Self.field("id", 0, 2)])
    #expect(throws: KernelError.self) {
      try ValueLayout.translation(of: .nodes, to: nodes, object: "bpf_lxc.o")
    }
  }

  @Test("Configuration variables take their fields; a size that does not fit is refused")
  func variables() throws {
    var config = DatapathConfig()
    config.endpoint_id = 0x1234
    config.security_label = 0xdead_beef
    config.cluster_id_bits = 8
    func variable(_ name: String, _ offset: Int, _ size: Int) -> ObjectFile.Variable {
      ObjectFile.Variable(name: "__config_" + name, section: ".rodata.config", offset: offset, size: size)
    }
    let variables = [
      variable("endpoint_id", 2, 2), variable("security_label", 4, 4), variable("debug_lb", 8, 1),
      variable("cluster_id_max", 12, 4),
    ]
    let patched = try ConfigVariables.patch(
      [UInt8](repeating: 7, count: 16), variables, config, object: "x")
    #expect(patched == [7, 7, 0x34, 0x12, 0xef, 0xbe, 0xad, 0xde, 7, 7, 7, 7, 255, 0, 0, 0])
    #expect(ConfigVariables.unknown(variables) == ["debug_lb"])
    #expect(throws: KernelError.self) {
      try ConfigVariables.patch([0, 0, 0, 0], [variable("endpoint_id", 0, 4)], config, object: "x")
    }
    #expect(throws: KernelError.self) {
      try ConfigVariables.patch([0], [variable("endpoint_id", 0, 2)], config, object: "x")
    }
  }

  @Test("Times move to the kernel's clock and back; zero stays")
  func clock() {
    var entry = CTEntry()
    entry.lifetime = 1060
    entry.last_tx_report = 1000
    let shift = ClockShift(seconds: -900)
    withUnsafeMutableBytes(of: &entry) { bytes in
      if let base = bytes.baseAddress { shift.apply(to: base, of: .ct4TCP) }
    }
    #expect(entry.lifetime == 160)
    #expect(entry.last_tx_report == 100)
    #expect(entry.last_rx_report == 0)
    withUnsafeMutableBytes(of: &entry) { bytes in
      if let base = bytes.baseAddress { shift.inverse.apply(to: base, of: .ct4TCP) }
    }
    #expect(entry.lifetime == 1060)
  }

  @Test("The verifier's log is cut to its end")
  func log() {
    let log =
      (0..<100).map { "\($0): (b7) r0 = 0" }.joined(separator: "\n") + "\nR0 !read_ok\nprocessed 7 insns"
    let short = VerifierLog.shortened(log, lines: 3)
    #expect(short == "… 98 lines\n98: (b7) r0 = 0\n99: (b7) r0 = 0\nR0 !read_ok")
  }
}
