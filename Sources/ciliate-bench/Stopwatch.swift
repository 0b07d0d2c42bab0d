import Glibc

/// Time and memory of this process.
enum Stopwatch {
  /// Nanoseconds that this thread has had of a processor: others' load does not count.
  static func processorTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
  }

  /// Seconds of processor time that `body` takes.
  static func seconds<Result>(_ body: () throws -> Result) rethrows -> (Double, Result) {
    let start = processorTime()
    let result = try body()
    return ((processorTime() - start) / 1e9, result)
  }

  /// The most memory that the process has had, in MiB.
  static func peakMemory() -> Double {
    var usage = rusage()
    // RUSAGE_SELF
    getrusage(0, &usage)
    return Double(usage.ru_maxrss) / 1024
  }
}
