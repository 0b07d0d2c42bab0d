public import MapABI

/// One run of the program attached at a device, all its tail calls included.
public struct Hop: Sendable {
  public var time: Instant
  /// The node's name.
  public var node: String
  public var attachment: Attachment
  public var input: HookInput
  public var result: HookResult
  /// Where in the node's log of changes the state before this hop stands.
  public var position: Int

  public init(
    time: Instant, node: String, attachment: Attachment, input: HookInput, result: HookResult, position: Int
  ) {
    self.time = time
    self.node = node
    self.attachment = attachment
    self.input = input
    self.result = result
    self.position = position
  }

  public var hook: Hook { attachment.hook }
  public var device: String { attachment.device }
}

/// Sees every hop while the state is still what the hop saw: before its changes are carried out.
public protocol HopObserver: ~Copyable {
  mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState)

  /// A conversation (a probe, a frame that was put in, a span of time) is over: told for each node, with the state
  /// that it has come to, and then once by ``conversationEnded()``.
  mutating func conversationEnded(on state: borrowing NodeState)

  /// Every node's state has been shown.
  mutating func conversationEnded()
}

extension HopObserver where Self: ~Copyable {
  public mutating func conversationEnded(on state: borrowing NodeState) {}
  public mutating func conversationEnded() {}
}
