import CLibbpf
import Glibc
import Wire

/// What this machine can do for us, and why not.
public struct Doctor: Sendable {
  /// One ability, tried out.
  public struct Finding: Sendable, Equatable {
    public var ability: Ability
    /// Nil when it works; else what was tried and how it failed.
    public var failure: String?
  }

  public enum Ability: String, Sendable, CaseIterable {
    case maps = "eBPF maps"
    case batch = "batch operations on maps"
    case programs = "eBPF programs of type tc"
    case testRun = "test runs of tc programs"
    case testRunXDP = "test runs of XDP programs"
    case perfRings = "perf event rings"
    case namespaces = "private network namespaces"
    case devices = "virtual devices"
    case forwarding = "look-ups in a private routing table"
    case cgroup = "a cgroup of one's own"
  }

  public let findings: [Finding]

  /// What it takes to run packets through tc programs.
  public static let packets = Ability.allCases.filter { ![.testRunXDP, .forwarding, .cgroup].contains($0) }

  /// Tries each ability once; leaves nothing behind.
  public static func examine(_ abilities: [Ability] = Ability.allCases) -> Doctor {
    Doctor(
      findings: abilities.map { ability in
        do throws(KernelError) {
          try attempt(ability)
          return Finding(ability: ability, failure: nil)
        } catch {
          return Finding(ability: ability, failure: error.description)
        }
      })
  }

  /// An examination that goes on while its beginner does something else.
  public struct Examination: ~Copyable {
    private let crew = Crew()
    private let result = Findings()

    private final class Findings: @unchecked Sendable {
      var doctor: Doctor?
    }

    public init(_ abilities: [Ability] = Ability.allCases) {
      let result = result
      crew.add(size: 1) { result.doctor = Doctor.examine(abilities) }
    }

    /// Waits for its end.
    public consuming func finish() -> Doctor {
      let result = result
      crew.finish()
      return result.doctor ?? Doctor(findings: [])
    }
  }

  public func failure(_ ability: Ability) -> String? { findings.first { $0.ability == ability }?.failure }

  /// Whether packets can be run through tc programs.
  public var canRunPackets: Bool { reason == nil }

  /// Whether socket hooks can be run.
  public var canRunSockets: Bool { canRunPackets && failure(.cgroup) == nil }

  /// Why packets cannot be run: the first thing that fails; nil when they can.
  public var reason: String? {
    for ability in Self.packets {
      if let failure = failure(ability) { return "\(ability.rawValue): \(failure)" }
    }
    return nil
  }

  private static func attempt(_ ability: Ability) throws(KernelError) {
    switch ability {
    case .maps: _ = try smallMap()
    case .batch: try batch()
    case .programs: _ = try pass(BPF_PROG_TYPE_SCHED_CLS, returning: 0)
    case .testRun: try run(BPF_PROG_TYPE_SCHED_CLS)
    case .testRunXDP: try run(BPF_PROG_TYPE_XDP)
    case .perfRings: try ring()
    case .namespaces: _ = try NetworkNamespace.create()
    case .devices:
      let namespace = try NetworkNamespace.create()
      try namespace.add(KernelDevice(ifindex: 77, mac: .init(bits: 0x0200_0000_0001)))
    case .forwarding:
      let namespace = try NetworkNamespace.create()
      try namespace.enter()
      let lines = TextFile.lines("/proc/sys/net/ipv4/ip_forward")
      try NetworkNamespace.leave()
      guard lines == ["1"] else {
        throw KernelError(
          .notPermitted, call: "write", detail: "/proc/sys/net/ipv4/ip_forward of a private namespace")
      }
    case .cgroup: _ = try OwnCgroup.create()
    }
  }

  private static func smallMap() throws(KernelError) -> BPFMap {
    try BPFMap.create(
      name: "ciliate_probe",
      MapShape(type: BPF_MAP_TYPE_HASH.rawValue, keySize: 4, valueSize: 8, maxEntries: 4, flags: 1))
  }

  private static func batch() throws(KernelError) {
    let map = try smallMap()
    let keys: [UInt32] = [1, 2]
    let values: [UInt64] = [10, 20]
    try map.updateAll(keys, values, count: 2)
    let dump = try map.readAll()
    guard dump.count == 2 else {
      throw KernelError(.system, call: "bpf(BPF_MAP_LOOKUP_BATCH)", detail: "\(dump.count) of 2 entries read")
    }
  }

  /// A program of two instructions.
  private static func pass(_ type: bpf_prog_type, returning value: Int32) throws(KernelError) -> Descriptor {
    var instructions = [bpf_insn(), bpf_insn()]
    instructions[0].code = 0xb7  // r0 = value
    instructions[0].imm = value
    instructions[1].code = 0x95  // exit
    let result = bpf_prog_load(type, "ciliate_probe", "Dual BSD/GPL", instructions, 2, nil)
    return try Descriptor("bpf(BPF_PROG_LOAD)", result)
  }

  private static func run(_ type: bpf_prog_type) throws(KernelError) {
    let isXDP = type == BPF_PROG_TYPE_XDP
    let program = try pass(type, returning: 2)
    var test = TestRun()
    let frame = [UInt8](repeating: 0, count: 64)
    if isXDP { test.context.assumingMemoryBound(to: xdp_md.self).pointee.data_end = UInt32(frame.count) }
    let verdict = try test.run(
      program.raw, frame: frame, contextSize: isXDP ? TestRun.xdpSize : TestRun.skbSize)
    guard verdict == 2 else {
      throw KernelError(.system, call: "bpf(BPF_PROG_TEST_RUN)", detail: "returned \(verdict), 2 expected")
    }
  }

  private static func ring() throws(KernelError) {
    let map = try BPFMap.create(
      name: "ciliate_probe",
      MapShape(
        type: BPF_MAP_TYPE_PERF_EVENT_ARRAY.rawValue, keySize: 4, valueSize: 4,
        maxEntries: UInt32(Processors.possible), flags: 0))
    _ = try EventRings(map, pages: 1)
  }
}
