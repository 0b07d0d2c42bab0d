import Conformance
import Datapath
import Explore
import Glibc
import Kernel
import MapABI
import Testing
import TwoPods

extension KernelSuite {
  /// Random and mutated frames: model and kernel agree on each, and neither traps.
  @Suite struct HookFuzzTests {
    /// Frames for each hook; CILIATE_FUZZ_FRAMES makes the run longer. `scripts/fuzz.sh hooks` is far quicker.
    static let count = getenv("CILIATE_FUZZ_FRAMES").flatMap { Int(String(cString: $0)) } ?? 2000

    @Test("Frames of every kind through every hook: the same from model and kernel", .needsKernel)
    func everyHook() throws {
      let tallies = try HookFuzz().run(FuzzWorld.all(), objects: .builtin(), count: Self.count)
      #expect(tallies.map(\.hook) == Hook.allCases.filter { $0.kind != .socket })
      checkCoverage(tallies)
      for tally in tallies {
        print(tally)
        let agreement = tally.agreement
        // A few frames in a hundred thousand come to look-ups of routes, which the model knows not to have.
        #expect(tally.unmodelled.allSatisfy { $0.what.hasSuffix("(FIB look-up)") })
        // What cannot be run is known, and little of it.
        #expect(
          Set(agreement.notRun.map(\.reason)).isSubset(of: [
            "shorter than an Ethernet header", "longer than a test run takes",
          ]))
        #expect(agreement.compared >= Self.count)
        #expect(agreement.compared > tally.frames * 9 / 10)
        for divergence in agreement.divergences.prefix(5) {
          Issue.record("\(divergence.summary) \(divergence.details)")
        }
        #expect(agreement.divergences.isEmpty, "\(tally.specimens.prefix(3))")
      }
    }

    /// The frames reach deep into the hooks: what became of them is of many kinds.
    private func checkCoverage(_ tallies: [HookFuzz.Tally]) {
      func verdicts(_ hook: Hook) -> Set<String> {
        Set(tallies.first { $0.hook == hook }?.verdicts.keys.map { $0 } ?? [])
      }
      #expect(
        verdicts(.fromContainer).isSuperset(of: [
          "pass", "redirect", "drop 132", "drop 133", "drop 134", "drop 135", "drop 137", "drop 139",
          "drop 175",
        ]))
      #expect(verdicts(.toContainer).isSuperset(of: ["pass", "drop 133", "drop 134", "drop 181"]))
      #expect(
        verdicts(.fromOverlay).isSuperset(of: ["pass", "redirect", "drop 134", "drop 147", "drop 171"]))
      #expect(verdicts(.fromNetdev).isSuperset(of: ["pass", "drop 134", "drop 135", "drop 158"]))
      #expect(verdicts(.fromHost).isSuperset(of: ["pass", "redirect", "drop 134"]))
      #expect(verdicts(.xdpEntry).isSuperset(of: ["pass", "drop"]))
    }

    @Test("Equal seeds give equal runs", .needsKernel)
    func determinism() throws {
      let worlds = FuzzWorld.all()
      let first = try HookFuzz().run(worlds, objects: .builtin(), count: 100)
      let second = try HookFuzz().run(worlds, objects: .builtin(), count: 100)
      #expect(first.map(\.description) == second.map(\.description))
    }

    @Test(
      "Lengths in the place of a type, which fuzzing found: most pass for types", .needsKernel,
      arguments: Candidate.all)
    func lengthsForTypes(_ candidate: Candidate) throws {
      let image = TwoPods.image(.open, isDual: candidate.isDual)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: candidate.objects())
      for (type, reason) in [(0x0022, DropReason.unknownL3), (0x05ff, .unknownL3), (0x0500, .unsupportedL2)] {
        guard case .skb(var buffer) = TwoPods.syn().subject else { return }
        buffer.frame.replaceSubrange(12..<14, with: [UInt8(type >> 8), UInt8(type & 0xff)])
        let input = HookInput(.skb(buffer), environment: TwoPods.syn().environment)
        #expect(try node.run(image.attachments[0], on: input, state: state).drop == reason, "\(type)")
        #expect(try Model().run(image.attachments[0], on: input, state: state).drop == reason, "\(type)")
      }
    }
  }
}
