import Glibc

/// Memory shared with the kernel: an array map's values, or a perf ring. Unmapped when it goes out of scope.
struct SharedMapping: ~Copyable {
  let base: UnsafeMutableRawPointer
  let count: Int

  init(_ descriptor: Int32, count: Int, of what: String) throws(KernelError) {
    let address = mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let address, address != MAP_FAILED else { throw .system("mmap", errno, what) }
    base = address
    self.count = count
  }

  /// The page size of this machine.
  static var pageSize: Int { Int(sysconf(Int32(_SC_PAGESIZE))) }

  /// `count` rounded up to whole pages.
  static func pages(_ count: Int) -> Int { (count + pageSize - 1) / pageSize * pageSize }

  deinit { munmap(base, count) }
}
