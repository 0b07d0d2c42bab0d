import Conformance
import Datapath
import MapABI
import Testing

@testable import Kernel

/// One hop on the model, on our program, and on Cilium's object: all three equal.
@Suite(.serialized)
struct ThreeWayTests {
  static let rules: [TwoPods.Rule] = [.open, .none, .deny]

  @Test("Model and our program agree on a SYN between two pods of one node", arguments: rules)
  func builtin(_ rule: TwoPods.Rule) throws {
    let agreement = try compare(rule, try DatapathObjects.builtin(), foreign: false, isDual: true)
    #expect(agreement.divergences.isEmpty, "\(text(agreement))")
  }

  @Test(
    "Model and Cilium's object agree on a SYN between two pods of one node",
    .enabled(if: !CiliumObjects.folders.isEmpty, "CILIATE_CILIUM_OBJECTS names no folder"),
    arguments: CiliumObjects.folders, rules)
  func cilium(_ folder: String, _ rule: TwoPods.Rule) throws {
    let objects = try CiliumObjects.load(folder, ["bpf_lxc.o"])
    let agreement = try compare(rule, objects, foreign: true, isDual: folder.contains("dual"))
    #expect(agreement.divergences.isEmpty, "\(text(agreement))")
  }

  private func compare(
    _ rule: TwoPods.Rule, _ objects: DatapathObjects, foreign: Bool, isDual: Bool
  ) throws -> Agreement {
    let image = TwoPods.image(rule, isDual: isDual)
    let state = NodeState(image)
    let input = TwoPods.syn()
    let model = Model()
    let attachment = image.attachments[0]
    let hop = Hop(
      time: .start, node: image.node, attachment: attachment, input: input,
      result: try model.run(attachment, on: input, state: state), position: 0)
    var node = try KernelNode.make(state, objects: objects)
    let result = try node.run(attachment, on: input, state: state)
    var agreement = Agreement()
    Comparison(foreign: foreign).compare(hop, with: result, into: &agreement)
    return agreement
  }

  private func text(_ agreement: Agreement) -> String {
    agreement.divergences.map { "\($0.field.rawValue): \($0.expected) / \($0.found) \($0.details)" }
      .joined(separator: "\n")
  }
}
