import Datapath
@_spi(Bench) import Kernel
import MapABI
import TwoPods
import Wire

/// What it costs until packets can be run, and to begin anew.
struct LoadBench {
  let objects: DatapathObjects
  let name: String
  private let rounds = 5

  init(_ objects: DatapathObjects, name: String) {
    self.objects = objects
    self.name = name
  }

  func run() throws(KernelError) {
    try loading()
    try resetting()
    try filling()
  }

  /// Both pods' programs and policy stages: the first, the second after it, and both at once.
  private func loading() throws(KernelError) {
    let state = NodeState(TwoPods.image(.open))
    let image = state.image
    var plain = Double.infinity
    var first = (whole: Double.infinity, kernel: Double.infinity)
    var second = first
    var both = first
    var made = Double.infinity
    for _ in 0..<rounds {
      plain = min(plain, try KernelNode.measurePlainLoad(objects, image.attachments[0]))
      let start = KernelNode.clock()
      var node = try KernelNode.make(state, objects: objects, reading: .conversation)
      made = min(made, Double(KernelNode.clock() - start))
      let one = try node.measureLoad([image.attachments[0]], [image.endpointConfigs[0]], state)
      let two = try node.measureLoad([image.attachments[1]], [image.endpointConfigs[1]], state)
      if one.whole < first.whole { first = one }
      if two.whole < second.whole { second = two }
      var other = try KernelNode.make(state, objects: objects, reading: .conversation)
      let all = try other.measureLoad(image.attachments, image.endpointConfigs, state)
      if all.whole < both.whole { both = all }
    }
    print("\(name): make a node: \(milliseconds(made)) ms")
    print("\(name): plain libbpf, the whole object with its own map sizes: \(milliseconds(plain)) ms")
    print(
      "\(name): first endpoint: \(milliseconds(first.whole)) ms, of which verified and loaded by the kernel "
        + "\(milliseconds(first.kernel)) ms")
    print(
      "\(name): second endpoint: \(milliseconds(second.whole)) ms, of which the kernel "
        + "\(milliseconds(second.kernel)) ms")
    print("\(name): both at once, in parallel: \(milliseconds(both.whole)) ms")
    guard objects.isForeign else { return }
    print(Claim("\(name): first load, to plain libbpf", first.whole / plain, atMost: 0.7))
    let verification = second.kernel / first.whole
    let target = verification > 0.3 ? 0.8 : 0.3
    print(
      "\(name): verification alone of the second endpoint is \(Claim.text(verification)) of the first load")
    print(
      Claim("\(name): second endpoint after the first, to it", second.whole / first.whole, atMost: target))
    print(
      Claim(
        "\(name): second endpoint beside the first, to it", (both.whole - first.whole) / first.whole,
        atMost: target))
  }

  /// Putting the maps back after some runs, against a new node with its programs.
  private func resetting() throws(KernelError) {
    let state = NodeState(TwoPods.image(.open))
    let start = KernelNode.clock()
    var node = try KernelNode.make(state, objects: objects, reading: .conversation)
    try node.preload(state)
    let reload = Double(KernelNode.clock() - start)
    var best = Double.infinity
    for round in 0..<20 {
      for port in 0..<10 {
        _ = try node.run(
          state.image.attachments[0], on: TwoPods.syn(port: UInt16(1000 + 10 * round + port)), state: state)
      }
      let before = KernelNode.clock()
      try node.reset(to: state)
      best = min(best, Double(KernelNode.clock() - before))
    }
    print(
      "\(name): resetting the maps after ten connections: \(milliseconds(best)) ms; a new node: "
        + "\(milliseconds(reload)) ms")
    print(Claim("\(name): a new node, to a reset", reload / best, atLeast: 30))
  }

  /// 100,000 entries of the ipcache, against the bare batch call.
  private func filling() throws(KernelError) {
    let count: UInt32 = 100_000
    var image = TwoPods.image(.open)
    for index in 0..<count {
      var remote = RemoteEndpointInfo()
      remote.sec_identity = index
      image.maps.ipcache[exactly: IPCacheKey(.v4(IPv4Address(bits: 0x0b00_0000 + index)))] = remote
    }
    let state = NodeState(image)
    var best = (fill: Double.infinity, bare: Double.infinity)
    for _ in 0..<rounds {
      let pair = try KernelNode.measureFill(state)
      best.fill = min(best.fill, pair.fill)
      best.bare = min(best.bare, pair.bare)
    }
    print(
      "\(name): filling \(count) entries: \(milliseconds(best.fill)) ms; bare batch call "
        + "\(milliseconds(best.bare)) ms")
    print(Claim("\(name): filling, to the bare batch call", best.fill / best.bare, atMost: 1.1))
  }

  private func milliseconds(_ nanoseconds: Double) -> Double { (nanoseconds / 1e5).rounded() / 10 }
}
