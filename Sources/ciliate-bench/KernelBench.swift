import Datapath
import Glibc
@_spi(Bench) import Kernel
import MapABI
import Wire

/// The kernel harness against a bare C loop of the same BPF_PROG_TEST_RUN calls, and the cost of its map work.
enum KernelBench {
  static func main(_ arguments: [String]) {
    var peer: String?
    var folder: String?
    var rest = arguments[...]
    while let option = rest.popFirst() {
      if option == "--peer" { peer = rest.popFirst() }
      if option == "--objects" { folder = rest.popFirst() }
    }
    do throws(KernelError) {
      let objects: DatapathObjects
      if let folder, let bytes = read("\(folder)/bpf_lxc.o") {
        objects = try .cilium([("bpf_lxc.o", bytes)], options: CompiledOptions())
      } else {
        objects = try .builtin()
      }
      try measure(objects, peer: peer)
    } catch {
      print("kernel: not measured: \(error)")
    }
  }

  private static func measure(_ objects: DatapathObjects, peer: String?) throws(KernelError) {
    let state = NodeState(BenchNode.image)
    try loading(objects, state)
    var node = try KernelNode.make(state, objects: objects, reading: .conversation)
    try node.preload(state)
    try hops(&node, state, peer)
    try everyHop(objects, state)
    try filling(objects)
  }

  /// What it costs until the first packet can be run, and a second endpoint after it.
  private static func loading(_ objects: DatapathObjects, _ state: borrowing NodeState) throws(KernelError) {
    let start = clock()
    var node = try KernelNode.make(state, objects: objects)
    let made = clock()
    _ = try node.run(state.image.attachments[0], on: BenchNode.syn, state: state)
    let first = clock()
    _ = try node.run(state.image.attachments[0], on: BenchNode.syn, state: state)
    let again = clock()
    print("kernel: make a node: \(milliseconds(made - start)) ms")
    print("kernel: first hop, its two programs loaded: \(milliseconds(first - made)) ms")
    print("kernel: the same hop again, maps read: \(milliseconds(again - first)) ms")
    let parallel = clock()
    var other = try KernelNode.make(state, objects: objects)
    try other.preload(state)
    print("kernel: all programs of two endpoints, in parallel: \(milliseconds(clock() - parallel)) ms")
  }

  private static func hops(
    _ node: inout KernelNode, _ state: borrowing NodeState, _ peer: String?
  ) throws(KernelError) {
    let attachment = state.image.attachments[0]
    let input = BenchNode.syn
    let count = 40_000
    _ = try runs(&node, attachment, input, state, 10_000)
    var best = Double.infinity
    var bare = Double.infinity
    for _ in 0..<20 {
      best = min(best, try runs(&node, attachment, input, state, count))
      if let peer, let time = node.measurePeer(peer, input, count: count) { bare = min(bare, time) }
      node.discardEvents()
    }
    print("kernel: compared hop: \(tenths(best)) ns (verdict, octets, metadata, events)")
    if bare.isFinite {
      print("kernel: bare loop in C: \(tenths(bare)) ns")
      print(Claim("kernel: compared hop, to the bare loop", best / bare, atMost: 1.15))
    }
    let compareStart = clock()
    let differences = try node.compareMaps(state)
    print(
      "kernel: comparing all maps once: \(milliseconds(clock() - compareStart)) ms, \(differences.count) differ"
    )
    let resetStart = clock()
    try node.reset(to: state)
    print("kernel: resetting them: \(milliseconds(clock() - resetStart)) ms")
  }

  private static func everyHop(
    _ objects: DatapathObjects, _ state: borrowing NodeState
  ) throws(KernelError) {
    var node = try KernelNode.make(state, objects: objects)
    let time = try runs(&node, state.image.attachments[0], BenchNode.syn, state, 2000)
    print("kernel: hop with all maps read and put back: \(tenths(time / 1000)) us")
  }

  /// 100,000 entries of the ipcache, against the bare batch call.
  private static func filling(_ objects: DatapathObjects) throws(KernelError) {
    let count: UInt32 = 100_000
    var image = BenchNode.image
    for index in 0..<count {
      var remote = RemoteEndpointInfo()
      remote.sec_identity = index
      image.maps.ipcache[exactly: IPCacheKey(.v4(IPv4Address(bits: 0x0b00_0000 + index)))] = remote
    }
    let state = NodeState(image)
    var best = (fill: Double.infinity, bare: Double.infinity)
    for _ in 0..<3 {
      let pair = try KernelNode.measureFill(state)
      best.fill = min(best.fill, pair.fill)
      best.bare = min(best.bare, pair.bare)
    }
    print(
      "kernel: filling \(count) entries: \(tenths(best.fill / 1e6)) ms; bare batch call "
        + "\(tenths(best.bare / 1e6)) ms")
    print(Claim("kernel: filling, to the bare batch call", best.fill / best.bare, atMost: 1.1))
  }

  private static func runs(
    _ node: inout KernelNode, _ attachment: Attachment, _ input: HookInput, _ state: borrowing NodeState,
    _ count: Int
  ) throws(KernelError) -> Double {
    let start = clock()
    var octets = 0
    for _ in 0..<count {
      let result = try node.run(attachment, on: input, state: state)
      octets &+= result.subject.frame?.count ?? 0
    }
    guard octets == count * 54 else {
      throw KernelError(.notRun, call: "bench", detail: "\(octets) octets came back")
    }
    return Double(clock() - start) / Double(count)
  }

  private static func clock() -> UInt64 { KernelNode.clock() }

  private static func milliseconds(_ nanoseconds: UInt64) -> Double { tenths(Double(nanoseconds) / 1e6) }
  private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

  private static func read(_ path: String) -> [UInt8]? {
    guard let file = fopen(path, "rb") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = fread(&part, 1, part.count, file)
      if count <= 0 { return bytes }
      bytes += part[0..<count]
    }
  }
}
