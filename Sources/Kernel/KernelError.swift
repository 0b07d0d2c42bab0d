public import Datapath

/// What went wrong between us and the kernel: the call, its error number, and the verifier's words.
public struct KernelError: Error, Sendable, Equatable {
  public enum Kind: Sendable, Equatable {
    /// A system call failed.
    case system
    /// The kernel does not let us.
    case notPermitted
    /// The kernel refused a program; `verifierLog` says why.
    case rejected
    /// The object file cannot be used: not an ELF, no BTF, legacy maps, an unknown layout.
    case object
    /// The node has no such program, or its program cannot be run in this way.
    case unavailable
    /// The kernel refuses to run a program on this input at all (a frame too short or too long, for example).
    case notRun
  }

  public var kind: Kind
  /// What was attempted: `bpf(BPF_MAP_CREATE)`, `setns`.
  public var call: String
  /// The error number; 0 when the failure is not a system call's.
  public var errno: Int32
  /// What it was attempted on, or what was found and what was expected.
  public var detail: String
  public var verifierLog: String?

  public init(
    _ kind: Kind, call: String, errno: Int32 = 0, detail: String = "", verifierLog: String? = nil
  ) {
    self.kind = kind
    self.call = call
    self.errno = errno
    self.detail = detail
    self.verifierLog = verifierLog
  }

  /// A failed system call; `result` is an error number, negated or not. EPERM and EACCES become `notPermitted`.
  static func system(_ call: String, _ result: Int32, _ detail: String = "") -> KernelError {
    let number = result < 0 ? -result : result
    return KernelError(
      number == 1 || number == 13 ? .notPermitted : .system, call: call, errno: number, detail: detail)
  }
}

extension KernelError: CustomStringConvertible {
  public var description: String {
    var text = call
    if !detail.isEmpty { text += " (\(detail))" }
    if errno != 0 { text += ": \(ErrorName.text(errno))" }
    if let verifierLog { text += "\n" + verifierLog }
    return text
  }
}

extension KernelError: DecliningError {
  public var isDeclined: Bool { kind == .unavailable || kind == .notRun }
}
