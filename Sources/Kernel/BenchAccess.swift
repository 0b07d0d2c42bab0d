import CLibbpf
public import Datapath
import Glibc
import MapABI

extension KernelNode {
  /// Runs a peer program on the same loaded program and frame: `PEER PROGRAM_FD NETNS_FD IFINDEX COUNT HEX` prints
  /// nanoseconds per call. Nil when it cannot be run. For benchmarks.
  @_spi(Bench) public func measurePeer(_ path: String, _ input: HookInput, count: Int) -> Double? {
    guard case .skb(let buffer) = input.subject, let program = try? Descriptor.duplicate(driver.program.raw),
      let space = try? namespace.duplicate()
    else { return nil }
    for descriptor in [program.raw, space.raw] { _ = fcntl(descriptor, F_SETFD, 0) }
    let digits = Array("0123456789abcdef")
    let hex = String(buffer.frame.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    let command = "\(path) \(program.raw) \(space.raw) \(buffer.ifindex) \(count) \(hex)"
    guard let pipe = popen(command, "r") else { return nil }
    defer { pclose(pipe) }
    var line = [CChar](repeating: 0, count: 64)
    guard fgets(&line, Int32(line.count), pipe) != nil else { return nil }
    return strtod(line, nil)
  }

  /// Forgets what other runs of the same programs have reported.
  @_spi(Bench) public mutating func discardEvents() { events?.discard() }

  /// Nanoseconds to load what the hook of an attachment and the policy stage of its endpoint reach, and how many of them
  /// the kernel took to verify and load. For benchmarks.
  @_spi(Bench) public mutating func measureLoad(
    _ attachments: [Attachment], _ endpoints: [DatapathConfig], _ state: borrowing NodeState
  ) throws(KernelError) -> (whole: Double, kernel: Double) {
    let start = Self.clock()
    let crew = Crew()
    let pending = try programs.pendingLoads(attachments, endpoints, state, maps, crew)
    crew.finish()
    let kernel = pending.reduce(0) { $0 + $1.job.time }
    try finish(pending, attachments, state)
    return (Double(Self.clock() - start), Double(kernel))
  }

  /// Nanoseconds that plain libbpf takes to load the whole object behind a hook, with its maps as it defines them. For
  /// benchmarks.
  @_spi(Bench) public static func measurePlainLoad(
    _ objects: DatapathObjects, _ attachment: Attachment
  ) throws(KernelError) -> Double {
    guard let file = objects.placement(of: attachment.hook)?.file else {
      throw KernelError(.unavailable, call: "measure", detail: "no object holds \(attachment.hook.rawValue)")
    }
    let config = attachment.config
    let start = clock()
    try file.loadPlainly { section, initial throws(KernelError) in
      try SectionContents.patched(section, initial, file, config)
    }
    return Double(clock() - start)
  }

  /// Nanoseconds to fill a map of its own with the ipcache of `state`, and to hand the same entries, laid out
  /// beforehand, to the bare batch call. For benchmarks.
  @_spi(Bench) public static func measureFill(
    _ state: borrowing NodeState
  ) throws(KernelError) -> (fill: Double, bare: Double) {
    let count = state.maps.ipcache.count
    let shape = MapShape(
      type: BPF_MAP_TYPE_LPM_TRIE.rawValue, keySize: MapID.ipcache.keySize,
      valueSize: MapID.ipcache.valueSize,
      maxEntries: UInt32(clamping: count), flags: 1)
    let map = try BPFMap.create(name: "fill", shape)
    var filler = BatchFill(
      target: map, codec: ValueCodec(map: .ipcache, shape: shape, layout: nil, shift: .none))
    let start = clock()
    try state.maps.visit(.ipcache, &filler)
    let middle = clock()
    let other = try BPFMap.create(name: "bare", shape)
    let (keys, values) = state.maps.ipcache.entries.octets()
    let bareStart = clock()
    try other.updateAll(keys, values, count: count)
    return (Double(middle - start), Double(clock() - bareStart))
  }

  /// The monotonic clock, in nanoseconds.
  @_spi(Bench) public static func clock() -> UInt64 { UInt64(ciliate_monotonic()) }
}
