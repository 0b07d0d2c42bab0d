import Datapath
import Glibc
import MapABI

/// The loaded programs of a node: one for each object and configuration.
struct ProgramTable {
  /// An attachment whose program is in the kernel.
  ///
  /// Its position is also the slot of the driver's program array that holds it.
  struct Entry {
    var hook: Hook
    var ifindex: UInt32
    var config: DatapathConfig
    var program: LoadedProgram
    var descriptor: Int32
  }

  private let objects: DatapathObjects
  private(set) var entries: [Entry] = []
  private var instances: [InstanceKey: [ObjectInstance]] = [:]
  /// The endpoints whose policy programs are loaded, and with what configuration.
  private var policies: [UInt16: DatapathConfig] = [:]

  fileprivate struct InstanceKey: Hashable {
    var file: String
    var config: [UInt8]
  }

  /// How many times an object has been loaded.
  var loadCount: Int { instances.values.reduce(0) { $0 + $1.count } }

  init(_ objects: DatapathObjects) { self.objects = objects }

  /// The entry of exactly this attachment, if it has been loaded.
  @inline(__always)
  func known(_ attachment: Attachment) -> Int? {
    entries.withUnsafeBufferPointer { entries in
      for index in entries.indices
      where entries[index].ifindex == attachment.ifindex && entries[index].hook == attachment.hook {
        return Self.same(entries[index].config, attachment.config) ? index : nil
      }
      return nil
    }
  }

  @inline(__always)
  func descriptor(_ index: Int) -> Int32 { entries[index].descriptor }

  func program(_ index: Int) -> LoadedProgram { entries[index].program }

  /// The entry of an attachment; its program is loaded when there is none with the same configuration.
  mutating func index(
    of attachment: Attachment, _ state: borrowing NodeState, _ maps: NodeMapSet, _ hooks: BPFMap
  ) throws(KernelError) -> Int {
    if let index = known(attachment) { return index }
    guard let placement = objects.placement(of: attachment.hook) else {
      throw KernelError(
        .unavailable, call: "find program", detail: "no object holds the hook \(attachment.hook.rawValue)")
    }
    let instance = try instance(placement, attachment.config, state, maps)
    guard let program = instance.programs[placement.program] else {
      throw KernelError(
        .object, call: "find program", detail: "\(placement.file.name): \(placement.program) was not loaded")
    }
    // A new configuration takes the place of the attachment's old one.
    let place = entries.firstIndex {
      $0.hook == attachment.hook && $0.ifindex == attachment.ifindex
    }
    let index = place ?? entries.count
    if attachment.hook.kind == .tc { try hooks.set(UInt32(index), to: program.raw) }
    let entry = Entry(
      hook: attachment.hook, ifindex: attachment.ifindex, config: attachment.config, program: program,
      descriptor: program.raw)
    if place == nil { entries.append(entry) } else { entries[index] = entry }
    return index
  }

  /// Follows the endpoints of the image: programs of endpoints that are gone are taken out, those whose configuration
  /// is another are loaded anew, and those loaded ahead are put in. Nothing is loaded for endpoints that no packet
  /// has reached yet.
  mutating func followPolicies(_ state: borrowing NodeState, _ maps: NodeMapSet) throws(KernelError) {
    for endpoint in policies.keys.sorted() {
      guard let config = state.image.endpointConfig(endpoint) else {
        var slot = UInt32(endpoint)
        try maps.policyPrograms().delete(&slot)
        policies[endpoint] = nil
        continue
      }
      if let known = policies[endpoint], !Self.same(known, config) { try loadPolicy(config, state, maps) }
    }
    try installPolicies(state, maps)
  }

  /// Puts the policy programs that have been loaded already into `cilium_call_policy`.
  mutating func installPolicies(_ state: borrowing NodeState, _ maps: NodeMapSet) throws(KernelError) {
    guard let stage = objects.policyStage else { return }
    for config in state.image.endpointConfigs where policies[config.endpoint_id] == nil {
      let key = InstanceKey(file: stage.file.name, config: Self.octets(config))
      let isLoaded = instances[key]?.contains { $0.programs[stage.program] != nil } ?? false
      if isLoaded { try loadPolicy(config, state, maps) }
    }
  }

  /// Whether an object has been loaded for this configuration.
  func holds(_ placement: DatapathObjects.Placement, _ config: DatapathConfig) -> Bool {
    instances[InstanceKey(file: placement.file.name, config: Self.octets(config))] != nil
  }

  /// Loads an endpoint's policy program into `cilium_call_policy`. False when that has been done before, or when
  /// the endpoint has none.
  mutating func loadPolicy(
    endpoint: UInt16, _ state: borrowing NodeState, _ maps: NodeMapSet
  ) throws(KernelError) -> Bool {
    guard policies[endpoint] == nil, let config = state.image.endpointConfig(endpoint) else { return false }
    return try loadPolicy(config, state, maps)
  }

  @discardableResult
  private mutating func loadPolicy(
    _ config: DatapathConfig, _ state: borrowing NodeState, _ maps: NodeMapSet
  ) throws(KernelError) -> Bool {
    guard let stage = objects.policyStage else { return false }
    let instance = try instance(stage, config, state, maps)
    guard let program = instance.programs[stage.program] else { return false }
    try maps.policyPrograms().set(UInt32(config.endpoint_id), to: program.raw)
    policies[config.endpoint_id] = config
    return true
  }

  /// An object that is to be loaded with one configuration: opened, its maps made and filled.
  struct PendingLoad {
    let job: LoadJob
    fileprivate let key: InstanceKey
    fileprivate let plan: ObjectInstance.Plan
    fileprivate let made: MadeMaps
  }

  /// Opens what attachments and policy stages need and is not loaded yet, and has the crew load it; when that is done,
  /// `finish` takes it over.
  func pendingLoads(
    _ attachments: [Attachment], _ endpoints: [DatapathConfig], _ state: borrowing NodeState,
    _ maps: NodeMapSet, _ crew: borrowing Crew
  ) throws(KernelError) -> [PendingLoad] {
    var wanted: [(key: InstanceKey, file: ObjectFile, config: DatapathConfig, entries: [String])] = []
    func want(_ placement: DatapathObjects.Placement, _ config: DatapathConfig) {
      let key = InstanceKey(file: placement.file.name, config: Self.octets(config))
      guard instances[key] == nil else { return }
      if let index = wanted.firstIndex(where: { $0.key == key }) {
        // Loaded together, programs share their tail calls.
        if !wanted[index].entries.contains(placement.program) {
          wanted[index].entries.append(placement.program)
        }
      } else {
        wanted.append((key, placement.file, config, [placement.program]))
      }
    }
    for attachment in attachments {
      if let placement = objects.placement(of: attachment.hook) { want(placement, attachment.config) }
    }
    if let stage = objects.policyStage { for config in endpoints { want(stage, config) } }
    var pending: [PendingLoad] = []
    for (key, file, config, entries) in wanted {
      try checkMacros(config, file)
      let made = MadeMaps()
      let plan = plan(file, entries, config, state, maps, made)
      let job = try LoadJob(file, plan)
      crew.add(size: file.bytes.count) { job.load() }
      pending.append(PendingLoad(job: job, key: key, plan: plan, made: made))
    }
    return pending
  }

  /// Takes over what a job has loaded.
  mutating func finish(_ pending: PendingLoad, _ maps: NodeMapSet) throws(KernelError) {
    instances[pending.key] = [try pending.job.finish(pending.plan)]
    pending.made.maps.forEach(maps.adopt)
  }

  private mutating func instance(
    _ placement: DatapathObjects.Placement, _ config: DatapathConfig, _ state: borrowing NodeState,
    _ maps: NodeMapSet
  ) throws(KernelError) -> ObjectInstance {
    let key = InstanceKey(file: placement.file.name, config: Self.octets(config))
    if let known = instances[key]?.first(where: { $0.programs[placement.program] != nil }) { return known }
    try checkMacros(config, placement.file)
    let made = MadeMaps()
    let plan = plan(placement.file, [placement.program], config, state, maps, made)
    let instance = try ObjectInstance.load(placement.file, plan)
    made.maps.forEach(maps.adopt)
    instances[key, default: []].append(instance)
    return instance
  }

  /// Maps that libbpf made while loading and that later objects are to share.
  fileprivate final class MadeMaps {
    var maps: [BPFMap] = []
  }

  private func plan(
    _ file: ObjectFile, _ entries: [String], _ config: DatapathConfig, _ state: borrowing NodeState,
    _ maps: NodeMapSet, _ made: MadeMaps
  ) -> ObjectInstance.Plan {
    let endpoint = config.endpoint_id != 0 ? config.endpoint_id : config.host_ep_id
    // `state` cannot be captured by a closure: the maps are copied (shared storage, nothing is duplicated).
    let contents = state.maps
    return ObjectInstance.Plan(
      entries: entries,
      sectionContents: { section, initial throws(KernelError) in
        try SectionContents.patched(section, initial, file, config)
      },
      map: { name, shape throws(KernelError) in
        try maps.placement(name, shape, endpoint: endpoint, maps: contents)
      },
      share: { made.maps.append($0) })
  }

  /// Refuses a configuration that a foreign object was not compiled for.
  private func checkMacros(_ config: DatapathConfig, _ file: ObjectFile) throws(KernelError) {
    guard case .cilium(let profile) = objects.origin else { return }
    if config.enable_jiffies != 0 {
      throw KernelError(
        .unavailable, call: "configure object",
        detail: "enable_jiffies: foreign programs are run with the nanosecond clock, set 0")
    }
    if let refusal = try profile.refusals(of: config, file).first {
      throw KernelError(.unavailable, call: "configure object", detail: refusal)
    }
  }

  private static func octets(_ config: DatapathConfig) -> [UInt8] {
    withUnsafeBytes(of: config) { Array($0) }
  }

  @inline(__always)
  static func same(_ a: DatapathConfig, _ b: DatapathConfig) -> Bool {
    withUnsafePointer(to: a) { a in
      withUnsafePointer(to: b) { b in memcmp(a, b, MemoryLayout<DatapathConfig>.size) == 0 }
    }
  }
}

/// What stands in an object's data sections before it is loaded.
enum SectionContents {
  /// The new contents of a section, or nil to keep its own.
  static func patched(
    _ section: String, _ initial: [UInt8], _ file: ObjectFile, _ config: DatapathConfig
  ) throws(KernelError) -> [UInt8]? {
    switch section {
    case ".rodata": try native(initial, file, config)
    case ".rodata.config": try ConfigVariables.patch(initial, file.variables, config, object: file.name)
    default: sized(section, initial, file)
    }
  }

  /// The same with the configuration that was compiled in: only what depends on the number of CPUs is new.
  static func sized(_ section: String, _ initial: [UInt8], _ file: ObjectFile) -> [UInt8]? {
    switch section {
    case ".data.aux": [UInt8](repeating: 0, count: auxStride(file, initial.count) * Processors.possible)
    case ".rodata.aux": auxBounds(initial, file)
    default: nil
    }
  }

  /// Our programs: one struct `config`.
  private static func native(
    _ initial: [UInt8], _ file: ObjectFile, _ config: DatapathConfig
  ) throws(KernelError) -> [UInt8]? {
    guard let variable = file.variables.first(where: { $0.name == "config" && $0.section == ".rodata" })
    else {
      return nil
    }
    var config = config
    config.env_pinned = 1  // time and randomness are the input's
    let value = withUnsafeBytes(of: config) { Array($0) }
    guard variable.size == value.count, variable.offset + value.count <= initial.count else {
      throw KernelError(
        .object, call: "configure object",
        detail: "\(file.name): config has \(variable.size) octets, \(value.count) expected")
    }
    var contents = initial
    contents.replaceSubrange(variable.offset..<variable.offset + value.count, with: value)
    return contents
  }

  /// Cilium's per-CPU data of `.data.aux`: a copy for each CPU, each starting on its own cache line.
  private static func auxStride(_ file: ObjectFile, _ size: Int) -> Int {
    let used = file.variables.filter { $0.section == ".data.aux" }.map { $0.offset + $0.size }.max() ?? size
    return (used + 63) / 64 * 64
  }

  private static func auxBounds(_ initial: [UInt8], _ file: ObjectFile) -> [UInt8] {
    let stride = auxStride(file, 0)
    var contents = initial
    for (name, value) in [("_aux_stride", stride), ("_aux_max_off", stride * (Processors.possible - 1))] {
      guard let variable = file.variables.first(where: { $0.name == name }), variable.size == 8,
        variable.offset + 8 <= contents.count
      else { continue }
      withUnsafeBytes(of: UInt64(value)) {
        contents.replaceSubrange(variable.offset..<variable.offset + 8, with: $0)
      }
    }
    return contents
  }
}
