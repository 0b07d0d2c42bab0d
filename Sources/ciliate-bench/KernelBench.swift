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
        objects = try .cilium([("bpf_lxc.o", bytes)], profile: DatapathProfile(version: folder))
      } else {
        objects = try .builtin()
      }
      try measure(objects, peer: peer)
    } catch {
      print("kernel: not measured: \(error)")
    }
  }

  private static func measure(_ objects: DatapathObjects, peer: String?) throws(KernelError) {
    let image = BenchNode.image
    let state = NodeState(image)
    let start = clock()
    var node = try KernelNode.make(state, objects: objects, reading: .conversation)
    try node.preload(state)
    print("kernel: load node, two endpoints: \(milliseconds(clock() - start)) ms")
    let input = BenchNode.syn
    let count = 200_000
    _ = try runs(&node, image.attachments[0], input, state, 10_000)
    var best = Double.infinity
    var bare = Double.infinity
    for _ in 0..<5 {
      best = min(best, try runs(&node, image.attachments[0], input, state, count))
      if let peer, let time = node.measurePeer(peer, input, count: count) { bare = min(bare, time) }
      node.discardEvents()
    }
    print("kernel: compared hop: \(tenths(best)) ns (verdict, octets, metadata, events)")
    if bare.isFinite {
      print("kernel: bare loop in C: \(tenths(bare)) ns; ratio \(hundredths(best / bare)) (target 1.15)")
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

  private static func clock() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private static func milliseconds(_ nanoseconds: UInt64) -> Double { tenths(Double(nanoseconds) / 1e6) }
  private static func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }
  private static func hundredths(_ value: Double) -> Double { (value * 100).rounded() / 100 }

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
