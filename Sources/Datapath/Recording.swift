/// How much of a run is kept. The choice is a type, so that what is not kept costs nothing.
protocol Recording {
  /// Whether steps, events and changes are wanted, or the verdict alone.
  static var isFull: Bool { get }
}

enum FullRecord: Recording {
  @inline(__always) static var isFull: Bool { true }
}

enum VerdictOnly: Recording {
  @inline(__always) static var isFull: Bool { false }
}
