import CLibbpf
import Glibc

/// The programs of one object file, loaded with one configuration.
struct ObjectInstance: Sendable {
  /// Loaded programs by name.
  let programs: [String: LoadedProgram]
  /// Maps of this instance alone. They must be held: the kernel empties an array of programs when its last
  /// descriptor is closed, although programs still use it.
  let ownMaps: [BPFMap]

  /// What the loader is told about maps and configuration.
  struct Plan {
    /// The programs to attach; what they tail-call is loaded with them.
    var entries: [String]
    /// New contents of a `.rodata…` or `.data…` section, given its default.
    var sectionContents: (_ section: String, _ initial: [UInt8]) throws(KernelError) -> [UInt8]?
    /// The map to use: by name and shape.
    var map: (_ name: String, _ shape: MapShape) throws(KernelError) -> MapPlacement
    /// A map that was made for this object and that others are to share.
    var share: (_ map: BPFMap) -> Void
    /// What `entries` reach, where that is known more precisely than from the whole of `.text`.
    var reach: CodeGraph.Reach?
  }

  static func load(_ file: ObjectFile, _ plan: Plan) throws(KernelError) -> ObjectInstance {
    let job = try LoadJob(file, plan)
    job.load()
    return try job.finish(plan)
  }
}

/// The loading of one object in three steps; the middle one, in which the verifier works, may be done on any thread.
final class LoadJob: @unchecked Sendable {
  private let object: OpenObject
  private let wanted: [ObjectFile.Program]
  private let fresh: [(name: String, isShared: Bool)]
  private var outcome: Result<Void, KernelError> = .success(())
  /// Nanoseconds that the kernel took to verify and load.
  private(set) var time: UInt64 = 0

  init(_ file: ObjectFile, _ plan: ObjectInstance.Plan) throws(KernelError) {
    object = try OpenObject(file)
    wanted =
      plan.reach.map { reach in file.programs.filter { reach.programs.contains($0.name) } }
      ?? file.reachable(from: plan.entries)
    try object.choosePrograms(wanted)
    let used = plan.reach?.maps ?? wanted.reduce(into: Set()) { $0.formUnion($1.maps) }
    fresh = try object.prepareMaps(plan, used: used)
  }

  /// Has the kernel verify and load the programs. Called once, by one thread.
  func load() {
    let start = ciliate_monotonic()
    do throws(KernelError) { try object.load() } catch { outcome = .failure(error) }
    time = UInt64(ciliate_monotonic() - start)
  }

  func finish(_ plan: ObjectInstance.Plan) throws(KernelError) -> ObjectInstance {
    try outcome.get()
    return try object.collect(wanted, fresh, plan)
  }
}

extension ObjectFile {
  /// Loads every program with maps as the file defines them, as a loader does that knows nothing of the node: what our
  /// loading is measured against.
  func loadPlainly(
    _ contents: (_ section: String, _ initial: [UInt8]) throws(KernelError) -> [UInt8]?
  ) throws(KernelError) {
    let object = try OpenObject(self)
    try object.choosePrograms(programs)
    try object.prepareSections(contents)
    try object.load()
  }
}

/// A program in the kernel.
final class LoadedProgram: Sendable {
  let name: String
  private let descriptor: Descriptor
  var raw: Int32 { descriptor.raw }

  init(_ name: String, _ descriptor: consuming Descriptor) {
    self.name = name
    self.descriptor = descriptor
  }
}

/// An object that libbpf has opened; closed when it goes out of scope.
private final class OpenObject {
  private let pointer: OpaquePointer
  private let name: String
  private let log: UnsafeMutablePointer<CChar>
  private static let logSize = 1 << 22

  init(_ file: ObjectFile) throws(KernelError) {
    libbpf_set_print(nil)
    log = .allocate(capacity: Self.logSize)
    log.pointee = 0
    name = file.name
    var options = bpf_object_open_opts()
    options.sz = MemoryLayout<bpf_object_open_opts>.size
    options.relaxed_maps = true
    options.kernel_log_buf = log
    options.kernel_log_size = Self.logSize
    let opened = file.name.withCString { name in
      options.object_name = name
      return file.bytes.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
    }
    guard let opened else {
      let number = errnoNow()
      log.deallocate()
      throw .system("open object", number, "\(file.name): libbpf refuses the file")
    }
    pointer = opened
  }

  deinit {
    bpf_object__close(pointer)
    log.deallocate()
  }

  func choosePrograms(_ wanted: [ObjectFile.Program]) throws(KernelError) {
    var program = bpf_object__next_program(pointer, nil)
    while let current = program {
      let name = String(cString: bpf_program__name(current))
      let section = String(cString: bpf_program__section_name(current))
      let isWanted = wanted.contains { $0.name == name }
      bpf_program__set_autoload(current, isWanted)
      if isWanted, let type = Self.type(of: section) {
        bpf_program__set_type(current, type)
        // libbpf knows `xdp` alone, and programs with and without it do not go into one array.
        if type == BPF_PROG_TYPE_XDP { bpf_program__set_expected_attach_type(current, BPF_XDP) }
      }
      program = bpf_object__next_program(pointer, current)
    }
    for program in wanted where bpf_object__find_program_by_name(pointer, program.name) == nil {
      throw KernelError(.object, call: "open object", detail: "\(name): no program \(program.name)")
    }
  }

  /// The type by the section's name; nil leaves the choice to libbpf.
  private static func type(of section: String) -> bpf_prog_type? {
    switch section.split(separator: "/").first {
    case "tc", "classifier": BPF_PROG_TYPE_SCHED_CLS
    case "xdp": BPF_PROG_TYPE_XDP
    default: nil
    }
  }

  /// Sets sizes, contents and shared maps; returns the maps that loading will make, and whether they are shared.
  /// Maps that no wanted program names are not made at all.
  func prepareMaps(
    _ plan: ObjectInstance.Plan, used: Set<String>
  ) throws(KernelError) -> [(name: String, isShared: Bool)] {
    var fresh: [(name: String, isShared: Bool)] = []
    var map = bpf_object__next_map(pointer, nil)
    while let current = map {
      let name = String(cString: bpf_map__name(current))
      if bpf_map__is_internal(current) {
        try prepareSection(current, Self.sectionName(name), plan.sectionContents)
      } else if !used.contains(name) {
        try check("leave map out", bpf_map__set_autocreate(current, false), name)
      } else {
        switch try plan.map(name, Self.shape(current)) {
        case .existing(let map): try check("reuse map", bpf_map__reuse_fd(current, map.raw), name)
        case .fresh(let size):
          try check("set map size", bpf_map__set_max_entries(current, size), name)
          fresh.append((name, false))
        case .shared(let size):
          try check("set map size", bpf_map__set_max_entries(current, size), name)
          fresh.append((name, true))
        }
      }
      map = bpf_object__next_map(pointer, current)
    }
    return fresh
  }

  /// Sets the contents of sections, and leaves maps as they are.
  func prepareSections(
    _ contents: (_ section: String, _ initial: [UInt8]) throws(KernelError) -> [UInt8]?
  ) throws(KernelError) {
    var map = bpf_object__next_map(pointer, nil)
    while let current = map {
      let name = Self.sectionName(String(cString: bpf_map__name(current)))
      if bpf_map__is_internal(current) { try prepareSection(current, name, contents) }
      if bpf_map__type(current) == BPF_MAP_TYPE_PERF_EVENT_ARRAY, bpf_map__max_entries(current) == 0 {
        try check("set map size", bpf_map__set_max_entries(current, UInt32(Processors.possible)), name)
      }
      map = bpf_object__next_map(pointer, current)
    }
  }

  private func prepareSection(
    _ map: OpaquePointer, _ section: String,
    _ newContents: (_ section: String, _ initial: [UInt8]) throws(KernelError) -> [UInt8]?
  ) throws(KernelError) {
    var size = 0
    guard let initial = bpf_map__initial_value(map, &size) else { return }
    let contents = Array(UnsafeRawBufferPointer(start: initial, count: size))
    guard let replaced = try newContents(section, contents) else { return }
    if replaced.count == size {
      try check("set section contents", bpf_map__set_initial_value(map, replaced, size), section)
      return
    }
    // libbpf cannot make a section longer: give it a map of the new size.
    var shape = Self.shape(map)
    shape.valueSize = replaced.count
    let longer = try BPFMap.create(name: "aux", shape)
    var zero: UInt32 = 0
    try longer.update(&zero, replaced)
    try check("reuse map", bpf_map__reuse_fd(map, longer.raw), section)
  }

  func load() throws(KernelError) {
    let result = bpf_object__load(pointer)
    guard result == 0 else {
      let text = String(cString: log)
      let isRejected = !text.isEmpty
      throw KernelError(
        isRejected ? .rejected : result == -EPERM ? .notPermitted : .system, call: "load object",
        errno: -result, detail: name, verifierLog: isRejected ? VerifierLog.shortened(text) : nil)
    }
  }

  /// Takes programs and maps out of the object, and fills the tail-call slots.
  func collect(
    _ wanted: [ObjectFile.Program], _ fresh: [(name: String, isShared: Bool)], _ plan: ObjectInstance.Plan
  ) throws(KernelError) -> ObjectInstance {
    var maps: [String: BPFMap] = [:]
    for (name, isShared) in fresh {
      guard let map = bpf_object__find_map_by_name(pointer, name) else { continue }
      let copy = try BPFMap(name: name, Descriptor.duplicate(bpf_map__fd(map)))
      maps[name] = copy
      if isShared { plan.share(copy) }
    }
    var programs: [String: LoadedProgram] = [:]
    for program in wanted {
      guard let loaded = bpf_object__find_program_by_name(pointer, program.name) else { continue }
      let copy = try LoadedProgram(program.name, Descriptor.duplicate(bpf_program__fd(loaded)))
      programs[program.name] = copy
      if let slot = program.slot, let calls = maps[ObjectFile.tailCallMap] {
        try calls.set(slot, to: copy.raw)
      }
    }
    return ObjectInstance(programs: programs, ownMaps: fresh.compactMap { maps[$0.name] })
  }

  private static func shape(_ map: OpaquePointer) -> MapShape {
    MapShape(
      type: bpf_map__type(map).rawValue, keySize: Int(bpf_map__key_size(map)),
      valueSize: Int(bpf_map__value_size(map)), maxEntries: bpf_map__max_entries(map),
      flags: bpf_map__map_flags(map))
  }

  /// libbpf puts the object's name before `.rodata`, but not before `.rodata.config`.
  private static func sectionName(_ map: String) -> String {
    for section in [".rodata", ".data", ".bss", ".kconfig"] where map.hasSuffix(section) { return section }
    return map
  }

  private func check(_ call: String, _ result: Int32, _ detail: String) throws(KernelError) {
    guard result == 0 else { throw .system(call, result, "\(name): \(detail)") }
  }
}
