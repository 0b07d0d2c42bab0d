internal import Glibc

/// Memory for the index and the entries of a table, freed with the last copy of the table.
///
/// Large ones lie on huge pages where the system gives them: a look-up in a table that fits no cache would otherwise
/// wait for the page walk about as long as for the line.
@usableFromInline
final class TableMemory {
  let base: UnsafeMutableRawPointer

  private static let hugePage = 1 << 21

  /// - Parameter byteCount: at least 1.
  init(byteCount: Int) {
    guard byteCount >= Self.hugePage else {
      base = .allocate(byteCount: byteCount, alignment: 64)
      return
    }
    let rounded = (byteCount + Self.hugePage - 1) & ~(Self.hugePage - 1)
    base = .allocate(byteCount: rounded, alignment: Self.hugePage)
    _ = madvise(base, rounded, MADV_HUGEPAGE)
  }

  deinit { base.deallocate() }
}
