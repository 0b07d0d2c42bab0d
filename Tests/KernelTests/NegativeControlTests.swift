import BPFObjects
import Conformance
import Datapath
import Explore
import MapABI
import Testing

@testable import Kernel

extension KernelSuite {
  /// What is broken on purpose must be caught by the comparison, and named: hook, field and both values.
  @Suite struct NegativeControlTests {
    let world = FuzzWorld.all()[0]

    @Test("One changed instruction of a program: the TTL that it writes", .needsKernel)
    func instruction() throws {
      let (attachment, input) = try #require(world.syn(from: "client", to: "open", port: 8080))
      // Every `w = w - 1` of the program whose result is stored as one octet; one of them makes the TTL.
      let places = try Self.decrementsOfOctets(try #require(BPFObject.named("from_container")).image)
      try #require(!places.isEmpty)
      var found: [Divergence] = []
      for place in places {
        var node = try KernelNode.make(
          NodeState(world.image), objects: try Self.objects(patching: "from_container", at: place, to: 0xfe))
        let agreement = try compare(&node, attachment, input)
        if agreement.divergences.contains(where: { $0.field == .frame }) { found = agreement.divergences }
      }
      let frame = try #require(found.first { $0.field == .frame })
      #expect(frame.hook == "from_container")
      #expect(frame.details.contains("ipv4.ttl: 63 vs 62"), "\(frame.details)")
      // Nothing else in the frame but its checksum differs.
      #expect(frame.details.count == 2)
    }

    @Test("Unbroken programs and maps give no divergence", .needsKernel)
    func sound() throws {
      let (attachment, input) = try #require(world.syn(from: "client", to: "open", port: 8080))
      var node = try KernelNode.make(NodeState(world.image), objects: .builtin())
      let agreement = try compare(&node, attachment, input)
      #expect(agreement.compared == 1 && agreement.agreeing == 1 && agreement.divergences.isEmpty)
    }

    @Test("One wrong octet in an endpoint's entry", .needsKernel)
    func octet() throws {
      let (attachment, input) = try #require(world.syn(from: "client", to: "open", port: 8080))
      let address = try #require(world.endpoint("open")).address
      let state = NodeState(world.image)
      var node = try KernelNode.make(state, objects: .builtin())
      try node.preload(state)
      var key = EndpointKey(address)
      var entry = try #require(world.image.maps.endpoints[key])
      entry.mac.a5 ^= 0xff
      try #require(node.maps[.endpoints, 0]).update(&key, &entry)
      let agreement = try compare(&node, attachment, input)
      let frame = try #require(agreement.divergences.first { $0.field == .frame })
      #expect(frame.hook == "from_container")
      #expect(frame.details.count == 1)
      #expect(frame.details.first?.hasPrefix("ethernet.dst: ") == true, "\(frame.details)")
      let map = try #require(agreement.divergences.last)
      #expect(map.field == .mapChanges)
      #expect(map.expected.hasPrefix("cilium_lxc[\(address)]: "))
      #expect(map.details.count == 1 && map.details[0].hasPrefix("MAC: "), "\(map.details)")
    }

    @Test("One configuration variable patched wrong: the sender's identity", .needsKernel)
    func variable() throws {
      let (attachment, input) = try #require(world.syn(from: "client", to: "open", port: 8080))
      var wrong = attachment
      wrong.config.security_label ^= 1
      var node = try KernelNode.make(NodeState(world.image), objects: .builtin())
      let agreement = try compare(&node, attachment, input, as: wrong)
      #expect(agreement.agreeing == 0)
      #expect(agreement.divergences.contains { $0.field == .mark })
      #expect(agreement.divergences.contains { $0.field == .mapChanges })
      #expect(agreement.divergences.contains { $0.field == .events })
    }

    @Test("Two policy entries whose values are exchanged", .needsKernel)
    func swappedPolicy() throws {
      let (attachment, input) = try #require(world.syn(from: "client", to: "server", port: 8080))
      let (endpoint, _, _) = try #require(world.endpoint("server"))
      let table = try #require(world.image.maps.policies[endpoint])
      let client = try #require(world.endpoint("client")).identity
      let entries = table.entries.map { (key: $0, value: $1) }
      var (allowKey, allow) = try #require(entries.first { $0.key.sec_label == client && $0.key.egress == 0 })
      var (denyKey, deny) = try #require(
        entries.first { UInt32($0.value.bits) & POLICY_ENTRY_DENY.rawValue != 0 && $0.key.egress == 0 })
      let state = NodeState(world.image)
      var node = try KernelNode.make(state, objects: .builtin())
      try node.preload(state)
      let map = try #require(node.maps[.policy, endpoint])
      try map.update(&allowKey, &deny)
      try map.update(&denyKey, &allow)
      let agreement = try compare(&node, attachment, input)
      let verdict = try #require(agreement.divergences.first { $0.field == .verdict })
      #expect(verdict.hook == "from_container")
      #expect(verdict.expected.hasPrefix("redirect"), "\(verdict.expected)")
      #expect(verdict.found == "drop (181 Policy denied by denylist)")
      let maps = agreement.divergences.filter {
        $0.field == .mapChanges && $0.expected.hasPrefix("cilium_policy_v2 of endpoint \(endpoint)[ingress ")
      }
      #expect(maps.count == 2)
      #expect(Set(maps.flatMap(\.details)).isSuperset(of: ["deny: 0 vs 1", "deny: 1 vs 0"]))
    }

    /// One hop on both sides, then the maps that agents write.
    private func compare(
      _ node: inout KernelNode, _ attachment: MapABI.Attachment, _ input: HookInput,
      as loaded: MapABI.Attachment? = nil
    ) throws -> Agreement {
      let state = NodeState(world.image)
      let hop = Hop(
        time: .start, node: world.image.node, attachment: attachment, input: input,
        result: try Model().run(attachment, on: input, state: state), position: state.position)
      let other = try node.run(loaded ?? attachment, on: input, state: state)
      var agreement = Agreement()
      let comparison = Comparison(foreign: false)
      comparison.compare(hop, with: other, into: &agreement)
      let differences = try node.compareMaps(state).filter { !$0.map.isWrittenByPrograms }
      comparison.compareMaps(differences, with: state, after: hop, into: &agreement)
      return agreement
    }

    /// Our objects, with one octet of one file changed.
    private static func objects(
      patching name: String, at offset: Int, to value: UInt8
    ) throws -> DatapathObjects {
      let builtin = try DatapathObjects.builtin()
      var bytes = try #require(BPFObject.named(name)).image
      bytes[offset] = value
      var files = builtin.files
      files[name] = try ObjectFile(bytes, name: name)
      return DatapathObjects(
        origin: .builtin, files: files, layouts: builtin.layouts, profile: .current,
        driver: builtin.driver)
    }

    /// Where in the file the immediates (their first octets) of such instructions stand.
    private static func decrementsOfOctets(_ bytes: [UInt8]) throws -> [Int] {
      let image = try ELFImage(bytes, name: "patched")
      let add32: UInt8 = 0x04
      let storeOctet: UInt8 = 0x73
      var places: [Int] = []
      for section in image.sections where section.name == ".text" || section.name == "tc" {
        for start in stride(from: section.range.lowerBound, to: section.range.upperBound - 15, by: 8) {
          let register = bytes[start + 1]
          guard bytes[start] == add32, Array(bytes[start + 2..<start + 8]) == [0, 0, 255, 255, 255, 255],
            bytes[start + 8] == storeOctet, bytes[start + 9] >> 4 == register
          else { continue }
          places.append(start + 4)
        }
      }
      return places
    }
  }
}
