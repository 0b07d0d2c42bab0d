import CLibbpf
import Datapath
import Glibc
import MapABI
import Wire

/// Runs socket hooks, which BPF_PROG_TEST_RUN refuses: a real connect() by sockets of a cgroup of our own, in a
/// namespace of their own where every address is reachable and nothing answers.
struct SocketRunner: ~Copyable {
  private let cgroup: OwnCgroup
  private let namespace: NetworkNamespace
  private let sockets: [OpenSocket]
  private var links: [Link] = []

  /// The kernel's number for the first network namespace: sockets with this cookie are the host's.
  static let hostCookie: UInt64 = 1

  private struct OpenSocket {
    var isHost: Bool
    var family: AddressFamily
    var `protocol`: UInt8
    var descriptor: SharedDescriptor
  }

  private struct Link {
    var hook: Hook
    var program: Int32
    var descriptor: SharedDescriptor
  }

  /// A descriptor that several values may hold.
  private final class SharedDescriptor: Sendable {
    private let descriptor: Descriptor
    var raw: Int32 { descriptor.raw }
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
  }

  static func create() throws(KernelError) -> SocketRunner {
    let cgroup = try OwnCgroup.create()
    let namespace = try NetworkNamespace.create()
    try addSink(namespace)
    try cgroup.enter()
    let sockets: Result<[OpenSocket], KernelError>
    do throws(KernelError) {
      try NetworkNamespace.leave()
      let host = try openSockets([.ipv4, .ipv6], isHost: true)
      try namespace.enter()
      sockets = .success(host + (try openSockets([.ipv4, .ipv6], isHost: false)))
    } catch {
      sockets = .failure(error)
    }
    try NetworkNamespace.leave()
    try cgroup.leave()
    return SocketRunner(cgroup: cgroup, namespace: namespace, sockets: try sockets.get())
  }

  private init(
    cgroup: consuming OwnCgroup, namespace: consuming NetworkNamespace, sockets: [OpenSocket]
  ) {
    self.cgroup = cgroup
    self.namespace = namespace
    self.sockets = sockets
  }

  /// A device that every route leads to and behind which there is nobody, so that a connect stays under way.
  private static func addSink(_ namespace: borrowing NetworkNamespace) throws(KernelError) {
    let index: UInt32 = 2
    try namespace.add(KernelDevice(ifindex: index, mac: MACAddress(bits: 0x0200_0000_0002)))
    for (text, prefix) in [("198.18.255.1", "0.0.0.0/0"), ("fd00:ffff::1", "::/0")] {
      guard let address = IPAddress(text), let everything = CIDR(prefix) else { continue }
      try namespace.assign(address, prefixLength: address.bitWidth, to: index)
      try namespace.addRoute(to: everything, via: nil, ifindex: index)
    }
  }

  /// The host's sockets are tied to its loopback device: whatever they connect to, nothing leaves the machine.
  private static func openSockets(
    _ families: [AddressFamily], isHost: Bool
  ) throws(KernelError) -> [OpenSocket] {
    var sockets: [OpenSocket] = []
    for family in families {
      for number in [IPPROTO_TCP, IPPROTO_UDP] {
        let type = number == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM
        let flags = Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let raw = socket(family == .ipv4 ? AF_INET : AF_INET6, Int32(type.rawValue) | flags, Int32(number))
        // A host may be without IPv6; its hops are then not run.
        if raw < 0, isHost, errno == EAFNOSUPPORT { continue }
        guard raw >= 0 else { throw .system("socket", errno) }
        let descriptor = SharedDescriptor(Descriptor(raw))
        if isHost, setsockopt(raw, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) != 0 {
          throw .system("setsockopt(SO_BINDTODEVICE)", errno)
        }
        sockets.append(
          OpenSocket(isHost: isHost, family: family, protocol: UInt8(number), descriptor: descriptor))
      }
    }
    return sockets
  }

  /// Connects to `input.destination` with the hook's program attached. The verdict is `drop` when the call fails.
  mutating func run(
    _ hook: Hook, _ program: LoadedProgram, _ input: SocketAddress
  ) throws(KernelError) -> (Verdict, SocketAddress) {
    try attach(hook, program)
    let family: AddressFamily = hook == .sock4Connect ? .ipv4 : .ipv6
    guard input.destination.family == family,
      let socket = sockets.first(where: {
        $0.family == family && $0.protocol == input.protocol
          && $0.isHost == (input.netnsCookie == Self.hostCookie)
      })
    else {
      throw KernelError(
        .notRun, call: "connect",
        detail: "\(hook.rawValue) with \(input.destination), protocol \(input.protocol)")
    }
    var address = ciliate_address(input.destination, input.port)
    let result = ciliate_reconnect(socket.descriptor.raw, &address)
    if result == -ENETUNREACH {
      throw KernelError(
        .notRun, call: "connect", detail: "the host has no route over which \(hook.rawValue) could connect")
    }
    guard result == 0 || result == -EINPROGRESS else { return (.drop, input) }
    var reached = ciliate_address()
    let peer = ciliate_peer(socket.descriptor.raw, family == .ipv6 ? 1 : 0, &reached)
    guard peer == 0 else { throw .system("getsockopt(SO_PEERNAME)", peer) }
    var output = input
    (output.destination, output.port) = reached.destination(family)
    return (.pass, output)
  }

  private mutating func attach(_ hook: Hook, _ program: LoadedProgram) throws(KernelError) {
    if let link = links.first(where: { $0.hook == hook }) {
      if link.program == program.raw { return }
      links.removeAll { $0.hook == hook }
    }
    let type = hook == .sock4Connect ? BPF_CGROUP_INET4_CONNECT : BPF_CGROUP_INET6_CONNECT
    let result = bpf_link_create(program.raw, cgroup.raw, type, nil)
    let descriptor = try Descriptor("bpf(BPF_LINK_CREATE)", result < 0 ? -errnoNow() : result, hook.rawValue)
    links.append(Link(hook: hook, program: program.raw, descriptor: SharedDescriptor(descriptor)))
  }
}

extension ciliate_address {
  init(_ address: IPAddress, _ port: UInt16) {
    self.init()
    switch address {
    case .v4(let v4):
      self.v4.sin_family = sa_family_t(AF_INET)
      self.v4.sin_port = port.bigEndian
      self.v4.sin_addr.s_addr = v4.bits.bigEndian
    case .v6:
      self.v6 = sockaddr_in6()
      self.v6.sin6_family = sa_family_t(AF_INET6)
      self.v6.sin6_port = port.bigEndian
      withUnsafeMutableBytes(of: &self.v6.sin6_addr) { $0.copyBytes(from: address.octets) }
    }
  }

  func destination(_ family: AddressFamily) -> (IPAddress, UInt16) {
    switch family {
    case .ipv4:
      return (.v4(IPv4Address(bits: UInt32(bigEndian: v4.sin_addr.s_addr))), UInt16(bigEndian: v4.sin_port))
    case .ipv6:
      let words = withUnsafeBytes(of: v6.sin6_addr) { $0.loadUnaligned(as: AddressWords.self) }
      return (.v6(words.v6), UInt16(bigEndian: v6.sin6_port))
    }
  }
}
