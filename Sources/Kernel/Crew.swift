import Glibc

/// Threads that do work while more of it is being prepared, where the kernel takes its time (the verifier).
struct Crew: ~Copyable {
  private let queue = Queue()
  private let threads: [pthread_t]

  /// One thread less than there are processors: whoever made the crew joins in with `finish`.
  init() {
    var threads: [pthread_t] = []
    for _ in 1..<max(2, Processors.possible) {
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
    self.threads = threads
  }

  /// Has somebody do this, once; of what waits, the largest is taken first.
  func add(size: Int, _ body: @escaping @Sendable () -> Void) { queue.add(size, body) }

  /// Joins in, and returns when all is done.
  consuming func finish() {
    queue.close()
    queue.work()
    for thread in threads { pthread_join(thread, nil) }
  }

  private final class Queue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrival = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting: [(size: Int, body: @Sendable () -> Void)] = []
    private var isClosed = false

    init() {
      pthread_mutex_init(mutex, nil)
      pthread_cond_init(arrival, nil)
    }

    deinit {
      pthread_cond_destroy(arrival)
      pthread_mutex_destroy(mutex)
      arrival.deallocate()
      mutex.deallocate()
    }

    func add(_ size: Int, _ body: @escaping @Sendable () -> Void) {
      pthread_mutex_lock(mutex)
      waiting.insert((size, body), at: waiting.firstIndex { $0.size >= size } ?? waiting.count)
      pthread_cond_signal(arrival)
      pthread_mutex_unlock(mutex)
    }

    func close() {
      pthread_mutex_lock(mutex)
      isClosed = true
      pthread_cond_broadcast(arrival)
      pthread_mutex_unlock(mutex)
    }

    func work() {
      while let body = next() { body() }
    }

    /// Waits for work; nil when there will be none.
    private func next() -> (@Sendable () -> Void)? {
      pthread_mutex_lock(mutex)
      defer { pthread_mutex_unlock(mutex) }
      while waiting.isEmpty && !isClosed { pthread_cond_wait(arrival, mutex) }
      return waiting.popLast()?.body
    }
  }
}
