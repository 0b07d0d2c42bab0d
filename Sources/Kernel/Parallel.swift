import Glibc
import Synchronization

/// Work on several threads at once, where the kernel takes its time (the verifier).
enum Parallel {
  /// Calls `body` with 0 ..< `count`, each once, on as many threads as there are processors, or `threads`. Returns
  /// when all are done.
  static func forEach(_ count: Int, threads: Int? = nil, _ body: @escaping @Sendable (Int) -> Void) {
    let workers = min(count, threads ?? Processors.possible)
    guard workers > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let queue = Queue(count: count, body: body)
    var threads: [pthread_t] = []
    for _ in 1..<workers {
      var thread = pthread_t()
      let context = Unmanaged.passRetained(queue)
      let result = pthread_create(
        &thread, nil,
        { context in
          if let context { Unmanaged<Queue>.fromOpaque(context).takeRetainedValue().work() }
          return nil
        }, context.toOpaque())
      if result == 0 { threads.append(thread) } else { context.release() }
    }
    queue.work()
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class Queue: Sendable {
    private let count: Int
    private let body: @Sendable (Int) -> Void
    private let next = Atomic<Int>(0)

    init(count: Int, body: @escaping @Sendable (Int) -> Void) {
      self.count = count
      self.body = body
    }

    func work() {
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if index >= count { return }
        body(index)
      }
    }
  }
}
