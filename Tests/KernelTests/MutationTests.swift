import Datapath
import MapABI
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// Broken packets, through our objects and Cilium's.
  @Suite struct MutationTests {
    @Test(
      "Mutated frames: the same verdict, reason, frame and mark as Cilium 1.20", .needsKernel, .needsCilium,
      arguments: CiliumFolders.all.filter { $0.testDescription.hasPrefix("1.20") })
    func mutated(_ folder: CiliumFolder) throws {
      let image = HookTests.image(isDual: folder.isDual)
      let state = NodeState(image)
      var ours = try KernelNode.make(state, objects: .builtin(), reading: .conversation)
      var theirs = try KernelNode.make(
        state, objects: Candidate(folder: folder).objects(), reading: .conversation)
      var random = Environment(ktime: 0, random: 2026)
      var differences = 0
      var reasons: Set<DropReason> = []
      var redirected = 0
      for round in 0..<3000 {
        let attachment = image.attachments[Int(random.draw() % 2)]
        let input = HookTests.input(Self.frame(&random), attachment.ifindex)
        let a = try Self.run(&ours, attachment, input, state)
        let b = try Self.run(&theirs, attachment, input, state)
        if let drop = a.drop { reasons.insert(drop) }
        if case .redirect = a.verdict { redirected += 1 }
        guard a != b else { continue }
        differences += 1
        if differences <= 5 {
          Issue.record("round \(round): \(input.subject.frame ?? []): ours \(a), Cilium \(b)")
        }
      }
      #expect(differences == 0)
      #expect(reasons.isSuperset(of: [.invalid, .invalidSip, .ctInvalidHdr, .unsupportedL2]), "\(reasons)")
      #expect(redirected > 500)
    }

    private struct Outcome: Equatable {
      var verdict: Verdict?
      var drop: DropReason?
      var frame: [UInt8]
      var mark: UInt32
    }

    /// The outcome; all nil when the kernel did not run it.
    private static func run(
      _ node: inout KernelNode, _ attachment: MapABI.Attachment, _ input: HookInput,
      _ state: borrowing NodeState
    ) throws -> Outcome {
      do throws(KernelError) {
        let result = try node.run(attachment, on: input, state: state)
        guard case .skb(let buffer) = result.subject else { return Outcome(frame: [], mark: 0) }
        return Outcome(verdict: result.verdict, drop: result.drop, frame: buffer.frame, mark: buffer.mark)
      } catch {
        guard error.kind == .notRun else { throw error }
        return Outcome(frame: [], mark: 0)
      }
    }

    /// A segment of one of the pods with a few octets changed, and sometimes cut short.
    private static func frame(_ random: inout Environment) -> [UInt8] {
      let isClient = random.draw() % 2 == 0
      var frame = Frames.tcp(
        from: isClient ? (TwoPods.clientMAC, TwoPods.client) : (TwoPods.serverMAC, TwoPods.server),
        to: isClient ? (TwoPods.clientHostMAC, TwoPods.server) : (TwoPods.serverHostMAC, TwoPods.client),
        sourcePort: UInt16(40_000 + random.draw() % 4), destinationPort: UInt16(80 + random.draw() % 2),
        flags: UInt8(random.draw() & 0x3f), payload: [UInt8](repeating: 7, count: Int(random.draw() % 20)))
      for _ in 0..<random.draw() % 4 {
        frame[Int(random.draw()) % frame.count] = UInt8(truncatingIfNeeded: random.draw())
      }
      if random.draw() % 4 == 0 { frame.removeLast(Int(random.draw()) % (frame.count - 13)) }
      return frame
    }
  }
}
