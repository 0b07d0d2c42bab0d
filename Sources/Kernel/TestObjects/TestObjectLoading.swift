extension TestObject.Prepared {
  /// The object's programs in the kernel, and its maps by name.
  struct Loaded {
    var instance: ObjectInstance
    var maps: [String: BPFMap]
    var hasSmallerMaps: Bool

    func program(_ name: String) throws(KernelError) -> LoadedProgram {
      guard let program = instance.programs[name] else {
        throw KernelError(.unavailable, call: "run test", detail: "program \(name) is not loaded")
      }
      return program
    }
  }

  /// Loads what the stages of `tests` reach.
  func load(_ tests: [TestObject.Test], _ settings: TestSettings) throws(KernelError) -> Loaded {
    let entries = tests.flatMap { test in
      TestObject.Stage.allCases.filter { $0 != settings.omitted }.compactMap { test.functions[$0] }
    }
    let reach = settings.loadsEverything ? everything : graph.reach(from: entries)
    var hasSmallerMaps = false
    let plan = ObjectInstance.Plan(
      entries: entries,
      sectionContents: { section, initial in SectionContents.sized(section, initial, file) },
      map: { _, shape in
        guard shape.isSizable, shape.maxEntries > settings.mapEntries else { return .fresh(shape.maxEntries) }
        hasSmallerMaps = true
        return .fresh(settings.mapEntries)
      },
      share: { _ in }, reach: reach)
    let instance = try ObjectInstance.load(file, plan)
    var maps: [String: BPFMap] = [:]
    for map in instance.ownMaps { maps[map.name] = map }
    for slot in graph.slots {
      if let map = maps[slot.map], let program = instance.programs[slot.program] {
        try map.set(slot.slot, to: program.raw)
      }
    }
    return Loaded(instance: instance, maps: maps, hasSmallerMaps: hasSmallerMaps)
  }

  /// All that can be test-run.
  private var everything: CodeGraph.Reach {
    let programs = file.programs.filter { $0.section.hasPrefix("tc") || $0.section.hasPrefix("xdp") }
    var reach = graph.reach(from: programs.map(\.name))
    for functions in graph.functions { reach.maps.formUnion(functions.maps) }
    return reach
  }
}
