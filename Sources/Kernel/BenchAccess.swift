import CLibbpf
public import Datapath
import Glibc

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
}
