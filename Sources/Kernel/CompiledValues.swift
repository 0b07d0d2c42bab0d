import Datapath
import MapABI

/// Numbers of one node that a build may hold as macros: its addresses, device indexes and endpoint ids.
///
/// An agent compiles its own objects, so that they always fit it; one build run for every node of a scenario fits at
/// most one of them. A hop is run where its outcome does not depend on such a number. Which hops do, the model says;
/// should the objects read one elsewhere, the comparison shows it.
enum CompiledValues {
  static let fields = [
    "ipv4_gateway", "ipv4_direct_routing", "host_ep_id", "cilium_net_ifindex", "cilium_host_ifindex",
    "direct_routing_dev_ifindex",
  ]

  /// Throws `unavailable`, with the option named, when the hop's outcome depends on a number that was compiled in
  /// with another value than the scenario's.
  static func check(
    _ objects: DatapathObjects, _ attachment: Attachment, _ input: HookInput, _ state: borrowing NodeState
  ) throws(KernelError) {
    guard case .cilium(let options) = objects.origin else { return }
    for setting in options.fixed where fields.contains(setting.field) {
      guard let field = MacroFields.field(setting.field),
        let file = objects.placement(of: attachment.hook)?.file,
        !file.holds(setting.field), field.value(attachment.config) != setting.value
      else { continue }
      guard depends(on: field, setting.value, Model(objects.profile), attachment, input, state) else {
        continue
      }
      throw KernelError(
        .unavailable, call: "configure object",
        detail: "the hop depends on \(setting.field), which is not what the objects were compiled with")
    }
  }

  /// Whether the model's outcome is another with `value` in place of the field.
  private static func depends(
    on field: MacroFields.Field, _ value: UInt64, _ model: Model, _ attachment: Attachment,
    _ input: HookInput, _ state: borrowing NodeState
  ) -> Bool {
    var changed = attachment
    field.set(value, in: &changed.config)
    var image = MapImage(
      node: state.image.node, maps: state.maps, attachments: [], endpointConfigs: state.image.endpointConfigs)
    for index in image.endpointConfigs.indices { field.set(value, in: &image.endpointConfigs[index]) }
    let asIs = Result { () throws(InterpreterError) in try model.run(attachment, on: input, state: state) }
    let other = NodeState(image)
    let asCompiled = Result { () throws(InterpreterError) in try model.run(changed, on: input, state: other) }
    switch (asIs, asCompiled) {
    case (.success(let a), .success(let b)):
      return a.verdict != b.verdict || a.subject != b.subject || a.changes != b.changes
        || a.events != b.events
    case (.failure(let a), .failure(let b)): return a != b
    default: return true
    }
  }
}

extension ObjectFile {
  /// Whether a field of the configuration is a variable of the object, set before it is loaded.
  func holds(_ field: String) -> Bool { variables.contains { $0.name == ConfigVariables.prefix + field } }
}
