import Datapath
import Glibc
@_spi(Bench) import Kernel
import MapABI
import TwoPods
import Wire

/// The kernel harness against a bare C loop of the same BPF_PROG_TEST_RUN calls, and the cost of its map work.
struct KernelBench {
  private let objects: DatapathObjects
  private let name: String
  private let peer: String?

  static func main(_ arguments: [String]) {
    var peer: String?
    var folder: String?
    var rest = arguments[...]
    while let option = rest.popFirst() {
      if option == "--peer" { peer = rest.popFirst() }
      if option == "--objects" { folder = rest.popFirst() }
    }
    do throws(KernelError) {
      let bench: KernelBench
      if let folder {
        guard let bytes = read("\(folder)/bpf_lxc.o") else {
          return print("Cilium's objects: not measured: \(folder) holds no bpf_lxc.o")
        }
        let objects = try DatapathObjects.cilium([("bpf_lxc.o", bytes)], options: CompiledOptions())
        bench = KernelBench(objects: objects, name: "bpf_lxc.o", peer: peer)
      } else {
        bench = KernelBench(objects: try .builtin(), name: "kernel", peer: peer)
      }
      try LoadBench(bench.objects, name: bench.name).run()
      try bench.run()
    } catch {
      print("kernel: not measured: \(error)")
    }
  }

  private func run() throws(KernelError) {
    let state = NodeState(TwoPods.image(.open))
    var node = try KernelNode.make(state, objects: objects, reading: .conversation)
    try node.preload(state)
    let hop = try hops(&node, state)
    try maps(&node, state, hop)
  }

  /// Verdict, octets, metadata and events of a hop, against the bare calls.
  private func hops(_ node: inout KernelNode, _ state: borrowing NodeState) throws(KernelError) -> Double {
    let input = TwoPods.syn()
    let count = 40_000
    _ = try runs(&node, input, state, 10_000)
    var best = Double.infinity
    var bare = Double.infinity
    for _ in 0..<20 {
      best = min(best, try runs(&node, input, state, count))
      if let peer, let time = node.measurePeer(peer, input, count: count) { bare = min(bare, time) }
      node.discardEvents()
    }
    print("\(name): compared hop: \(tenths(best)) ns (verdict, octets, metadata, events)")
    if bare.isFinite {
      print("\(name): bare loop in C: \(tenths(bare)) ns")
      print(
        Claim(
          "\(name): compared hop, to the bare loop", best / bare, atMost: objects.isForeign ? 1.25 : 1.15))
    }
    return best
  }

  /// The maps, compared once for each conversation or after every hop.
  private func maps(
    _ node: inout KernelNode, _ state: borrowing NodeState, _ hop: Double
  ) throws(KernelError) {
    let input = TwoPods.syn()
    try node.reset(to: state)
    var best = Double.infinity
    for _ in 0..<50 {
      let start = KernelNode.clock()
      guard try node.mapDifferences(from: state).isEmpty else {
        throw KernelError(.notRun, call: "bench", detail: "the maps are not what they were set to")
      }
      best = min(best, Double(KernelNode.clock() - start))
    }
    print(
      "\(name): maps compared once for each conversation: \(tenths(best / 1000)) us, as much as "
        + "\(Int(best / hop)) hops")
    var careful = try KernelNode.make(state, objects: objects)
    let time = try runs(&careful, input, state, 2000)
    print("\(name): maps compared after every hop: \(tenths((time - hop) / 1000)) us a hop")
  }

  private func runs(
    _ node: inout KernelNode, _ input: HookInput, _ state: borrowing NodeState, _ count: Int
  ) throws(KernelError) -> Double {
    let attachment = state.image.attachments[0]
    let start = KernelNode.clock()
    var octets = 0
    for _ in 0..<count {
      let result = try node.run(attachment, on: input, state: state)
      octets &+= result.subject.frame?.count ?? 0
    }
    guard octets == count * 54 else {
      throw KernelError(.notRun, call: "bench", detail: "\(octets) octets came back")
    }
    return Double(KernelNode.clock() - start) / Double(count)
  }

  private func tenths(_ value: Double) -> Double { (value * 10).rounded() / 10 }

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
