import BPFObjects
import Datapath
import MapABI
import Testing
import TwoPods

@testable import Kernel

extension KernelSuite {
  /// Programs and profiles that must be refused, and what is said then.
  @Suite struct RejectionTests {
    @Test(
      "A program that the verifier rejects: its log says why",
      .needsKernel)
    func verifier() throws {
      // The last instruction, `exit`, becomes `r0 = 0`.
      var bytes = try #require(BPFObject.named("to_host")).image
      let image = try ELFImage(bytes, name: "to_host")
      let section = try #require(image.sections.first { $0.name.hasPrefix("tc") && !$0.range.isEmpty })
      let end = section.range.upperBound
      bytes.replaceSubrange(end - 8..<end, with: [0xb7, 0, 0, 0, 0, 0, 0, 0])
      let file = try ObjectFile(bytes, name: "to_host")
      let plan = ObjectInstance.Plan(
        entries: file.programs.map(\.name), sectionContents: { _, _ in nil },
        map: { _, shape in .fresh(max(1, min(shape.maxEntries, 64))) }, share: { _ in })
      do throws(KernelError) {
        _ = try ObjectInstance.load(file, plan)
        Issue.record("the kernel took it")
      } catch {
        #expect(error.kind == .rejected)
        #expect(error.verifierLog?.contains("not an exit") == true, "\(error)")
        #expect(error.description.contains("to_host"))
      }
    }

    @Test(
      "A scenario that the objects were not compiled for is refused before anything is loaded",
      .needsKernel, .needsCilium)
    func profile() throws {
      let folder = try #require(CiliumFolders.all.first)
      let options = CompiledOptions(
        fixed: [.init(field: "encap_ifindex", value: 5), .init(field: "enable_host_routing", value: 0)])
      let objects = try DatapathObjects.cilium(
        [("bpf_lxc.o", try #require(folder.read("bpf_lxc.o")))], options: options)
      var image = TwoPods.image(.open, isDual: folder.isDual)
      image.attachments[0].config.encap_ifindex = 7
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: objects)
      do throws(KernelError) {
        _ = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
        Issue.record("it ran")
      } catch {
        #expect(error.kind == .unavailable)
        #expect(
          error.description.contains(
            "encap_ifindex is 7 in the scenario, but the objects were compiled with 5"))
      }
    }

    @Test("A hook without an object is unavailable, not wrong", .needsKernel)
    func missing() throws {
      let objects = try DatapathObjects.cilium([], options: CompiledOptions())
      let image = TwoPods.image(.open)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: objects)
      do throws(KernelError) {
        _ = try node.run(image.attachments[0], on: TwoPods.syn(), state: state)
        Issue.record("it ran")
      } catch {
        #expect(error.kind == .unavailable)
        #expect(error.description.contains("from_container"))
      }
    }

    @Test("A wrong octet in a policy map is caught by its drop", .needsKernel)
    func wrongPolicyOctet() throws {
      let image = TwoPods.image(.open)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: .builtin())
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(), state: state).drop == nil)
      let map = try #require(node.maps[.policy, 102])
      var key = PolicyKey(prefixlen: 40, sec_label: 0, egress: 0, protocol: 0, dport: 0)
      var entry = PolicyEntry()
      entry.bits = UInt8(POLICY_ENTRY_DENY.rawValue)
      try map.update(&key, &entry)
      #expect(try node.run(image.attachments[0], on: TwoPods.syn(port: 99), state: state).drop == .policyDeny)
      let differences = try node.compareMaps(state).filter { $0.map == .policy }
      #expect(differences == [MapChange(put: entry, at: key, in: .policy, endpoint: 102)])
    }

    @Test("The doctor names what is missing and nothing else", .needsKernel)
    func doctor() {
      let doctor = Doctor.examine()
      #expect(doctor.findings.map(\.ability) == Doctor.Ability.allCases)
      #expect(doctor.reason == nil)
      #expect(doctor.canRunPackets)
    }
  }
}
