public import MapABI
public enum InterpreterError: Error { case unmodelled(String) }
public struct Model: HookInterpreter {
  public init() {}
  public mutating func run(_ attachment: Attachment, on input: HookInput, state: borrowing NodeState) throws(InterpreterError) -> HookResult { throw .unmodelled("") }
}
