import CLibbpf
import Glibc
import Wire

/// A network namespace without a name: it holds the devices that programs are told of, and vanishes with its
/// descriptors.
///
/// A thread visits it with `enter` and stays until it visits another or calls `leave`; other threads notice nothing.
struct NetworkNamespace: ~Copyable, Sendable {
  private let descriptor: Descriptor
  private let netlink: NetlinkSocket
  /// The kernel's number for this namespace, never used twice.
  let cookie: UInt64

  /// Makes one, with its loopback device up; packets are forwarded in it unless it `isPlain`.
  static func create(isPlain: Bool = false) throws(KernelError) -> NetworkNamespace {
    try leave()
    _ = try home()
    try check("unshare(CLONE_NEWNET)", ciliate_unshare(Int32(CILIATE_CLONE_NEWNET)))
    do throws(KernelError) {
      let namespace = try joined(isPlain)
      try returnHome()
      return namespace
    } catch {
      try returnHome()
      throw error
    }
  }

  /// The one that the calling thread is in.
  private static func joined(_ isPlain: Bool) throws(KernelError) -> NetworkNamespace {
    let netlink = try NetlinkSocket()
    let cookie = try cookie(of: netlink.raw)
    try netlink.request(.setUp(ifindex: 1), "lo")
    let descriptor = try Descriptor.open("/proc/thread-self/ns/net", O_RDONLY)
    if !isPlain {
      // Without forwarding `bpf_fib_lookup` answers nothing else than that it is off. A failure shows in the doctor.
      _ = TextFile.write("1", to: "/proc/sys/net/ipv4/ip_forward")
      _ = TextFile.write("1", to: "/proc/sys/net/ipv6/conf/all/forwarding")
    }
    return NetworkNamespace(descriptor: descriptor, netlink: netlink, cookie: cookie)
  }

  private init(descriptor: consuming Descriptor, netlink: consuming NetlinkSocket, cookie: UInt64) {
    self.descriptor = descriptor
    self.netlink = netlink
    self.cookie = cookie
  }

  deinit {
    if ThreadVisit.current == UInt(truncatingIfNeeded: cookie) { try? Self.leave() }
  }

  /// A descriptor of the namespace for somebody else.
  func duplicate() throws(KernelError) -> Descriptor { try Descriptor.duplicate(descriptor.raw) }

  /// Moves the calling thread here; free of charge when it is here already.
  @inline(__always)
  func enter() throws(KernelError) {
    if ThreadVisit.current != UInt(truncatingIfNeeded: cookie) { try move() }
  }

  private func move() throws(KernelError) {
    try Self.check("setns", ciliate_setns(descriptor.raw, Int32(CILIATE_CLONE_NEWNET)))
    ThreadVisit.current = UInt(truncatingIfNeeded: cookie)
  }

  /// Moves the calling thread back to where the process lives.
  static func leave() throws(KernelError) {
    if ThreadVisit.current != 0 { try returnHome() }
  }

  private static func returnHome() throws(KernelError) {
    try check("setns", ciliate_setns(home(), Int32(CILIATE_CLONE_NEWNET)))
    ThreadVisit.current = 0
  }

  /// Adds a device. Its other end, where the kind has one, gets an index that no model device has.
  func add(_ device: KernelDevice) throws(KernelError) {
    do {
      try netlink.request(.addLink(device), "device \(device.ifindex) (\(device.kind.rawValue))")
    } catch  where error.errno == EOPNOTSUPP && device.kind != .veth {
      // A kernel without that tunnel driver. A test run needs the device's index and address, never its driver.
      var standIn = device
      standIn.kind = .veth
      return try add(standIn)
    }
    // A veth can only be brought up once its peer exists.
    try netlink.request(.setUp(ifindex: device.ifindex), "device \(device.ifindex) up")
    if device.kind == .veth {
      try netlink.request(.setUp(ifindex: device.peerIfindex), "peer of device \(device.ifindex) up")
    }
  }

  /// Gives a device an address and the route of its prefix.
  func assign(_ address: IPAddress, prefixLength: Int, to ifindex: UInt32) throws(KernelError) {
    try netlink.request(
      .addAddress(address, prefixLength: prefixLength, ifindex: ifindex), "\(address) on device \(ifindex)")
  }

  /// Adds a route through a device, by way of `gateway` if there is one.
  func addRoute(to prefix: CIDR, via gateway: IPAddress?, ifindex: UInt32) throws(KernelError) {
    try netlink.request(
      .addRoute(prefix, gateway: gateway, ifindex: ifindex), "route to \(prefix) on device \(ifindex)")
  }

  /// Tells the kernel a neighbour's link address for good.
  func addNeighbour(_ address: IPAddress, _ mac: MACAddress, ifindex: UInt32) throws(KernelError) {
    try netlink.request(
      .addNeighbour(address, mac: mac, ifindex: ifindex), "neighbour \(address) on device \(ifindex)")
  }

  private static func cookie(of socket: Int32) throws(KernelError) -> UInt64 {
    var cookie: UInt64 = 0
    var length = socklen_t(MemoryLayout<UInt64>.size)
    let netnsCookie: Int32 = 71  // SO_NETNS_COOKIE, absent from older headers
    guard getsockopt(socket, SOL_SOCKET, netnsCookie, &cookie, &length) == 0 else {
      throw .system("getsockopt(SO_NETNS_COOKIE)", errno)
    }
    return cookie
  }

  private static func check(_ call: String, _ result: Int32) throws(KernelError) {
    guard result >= 0 else { throw .system(call, result) }
  }

  /// The namespace that the process lives in; found before any thread has left it.
  private static func home() throws(KernelError) -> Int32 { try homeDescriptor.get() }

  private static let homeDescriptor: Result<Int32, KernelError> = {
    let raw = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)
    return raw >= 0 ? .success(raw) : .failure(.system("open", errno, "/proc/thread-self/ns/net"))
  }()
}

/// Which private namespace the calling thread visits: its cookie, or 0 at home.
private enum ThreadVisit {
  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    pthread_key_create(&key, nil)
    return key
  }()

  static var current: UInt {
    @inline(__always) get { UInt(bitPattern: pthread_getspecific(key)) }
    set { pthread_setspecific(key, UnsafeRawPointer(bitPattern: newValue)) }
  }
}
