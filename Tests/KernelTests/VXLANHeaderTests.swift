import Datapath
import Glibc
import Simulator
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// The simulator's outer headers, against those that Linux's vxlan driver writes.
  @Suite struct VXLANHeaderTests {
    @Test(
      "A vxlan device writes the same octets as the simulator", .needsKernel,
      arguments: [UInt32(62651), 7, 0xff_fffe])
    func outerHeaders(vni: UInt32) throws {
      let inner = try #require(TwoPods.syn().subject.frame)
      let written = try VXLANWire.send(inner, vni: vni)
      let modelled = try #require(model(inner, vni: vni))
      #expect(written.count == modelled.count)
      #expect(comparable(written) == comparable(modelled))
      // A control: another VNI shows.
      let other = try #require(model(inner, vni: vni ^ 1))
      #expect(comparable(written) != comparable(other))
    }

    /// With the link addresses that the device resolves, which the simulator fills in later on the packet's way.
    func model(_ inner: [UInt8], vni: UInt32) -> [UInt8]? {
      let key = TunnelKey(id: vni, remote: VXLANWire.remote)
      let outer = Tunnel.encapsulate(
        inner, key: key, tunnel: .init(encapsulation: .vxlan, port: 8472), from: VXLANWire.local,
        identification: 0)
      return outer.map { VXLANWire.remoteMAC.octets + VXLANWire.localMAC.octets + $0.dropFirst(12) }
    }

    /// Without what Linux draws at random: the IP identification (and the checksum over it) and the source port,
    /// whose hash has a secret key.
    func comparable(_ frame: [UInt8]) -> [UInt8] {
      var frame = frame
      for place in [18..<20, 24..<26, 34..<36] { for at in place { frame[at] = 0 } }
      return frame
    }
  }
}

/// A node's vxlan device in a namespace of its own, and the far end of its cable.
private enum VXLANWire {
  static let local = IPAddress.v4(IPv4Address(bits: 0xac12_0004))  // 172.18.0.4
  static let remote = IPAddress.v4(IPv4Address(bits: 0xac12_0003))
  static let localMAC = MACAddress(bits: 0x0242_ac12_0004)
  static let remoteMAC = MACAddress(bits: 0x0242_ac12_0003)

  struct Failure: Error { var what: String }

  /// Sends `frame` through the device, and returns what leaves the node.
  static func send(_ frame: [UInt8], vni: UInt32) throws -> [UInt8] {
    let namespace = try NetworkNamespace.create()
    try namespace.enter()
    defer { try? NetworkNamespace.leave() }
    try ip("link add up0 address \(localMAC) type veth peer name up1")
    try ip("addr add \(local)/16 dev up0")
    try ip("link set up0 up")
    try ip("link set up1 up")
    try ip("neigh add \(remote) lladdr \(remoteMAC) dev up0 nud permanent")
    try ip(
      "link add vx0 type vxlan id \(vni) local \(local) remote \(remote) dstport 8472 noudpcsum dev up0")
    try ip("link set vx0 up")

    let far = try PacketSocket("up1")
    let near = try PacketSocket("vx0")
    try near.send(frame)
    while true {
      let received = try far.receive()
      // The kernel's own neighbour discovery leaves through the same device.
      if received.count == frame.count + 50, received[50...].elementsEqual(frame) { return received }
    }
  }

  private static func ip(_ command: String) throws {
    var child = pid_t()
    var arguments = (["ip"] + command.split(separator: " ").map(String.init)).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    guard posix_spawnp(&child, "ip", nil, nil, &arguments, environ) == 0 else {
      throw Failure(what: "no ip command")
    }
    var status: Int32 = 0
    waitpid(child, &status, 0)
    guard status == 0 else { throw Failure(what: "ip \(command): status \(status)") }
  }
}

/// A packet(7) socket on one device.
private struct PacketSocket: ~Copyable {
  let descriptor: Int32

  init(_ device: String) throws {
    let everything = UInt16(0x0003).bigEndian  // ETH_P_ALL
    descriptor = socket(17, Int32(SOCK_RAW.rawValue), Int32(everything))
    guard descriptor >= 0 else { throw VXLANWire.Failure(what: "socket: \(errno)") }
    // struct sockaddr_ll, of which a device needs the first three members.
    var address = [UInt8](repeating: 0, count: 20)
    withUnsafeBytes(of: UInt16(17)) { address.replaceSubrange(0..<2, with: $0) }
    withUnsafeBytes(of: everything) { address.replaceSubrange(2..<4, with: $0) }
    withUnsafeBytes(of: if_nametoindex(device)) { address.replaceSubrange(4..<8, with: $0) }
    let bound = address.withUnsafeBytes {
      bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self).baseAddress, 20)
    }
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    guard bound == 0 else { throw VXLANWire.Failure(what: "bind to \(device): \(errno)") }
  }

  deinit { close(descriptor) }

  func send(_ frame: [UInt8]) throws {
    guard Glibc.send(descriptor, frame, frame.count, 0) == frame.count else {
      throw VXLANWire.Failure(what: "send: \(errno)")
    }
  }

  func receive() throws -> [UInt8] {
    var frame = [UInt8](repeating: 0, count: 2048)
    let count = recv(descriptor, &frame, frame.count, 0)
    guard count > 0 else { throw VXLANWire.Failure(what: "nothing arrived: \(errno)") }
    return Array(frame[..<count])
  }
}
