/// A cluster with traffic, as a fuzzer draws it: a value from which parts can be taken away.
///
/// Parts are kept as the text that stands in the files, so that what is written for a finding is what was run.
public struct Case: Equatable, Sendable {
  public var name: String
  /// Where the simulation's choices come from.
  public var seed: UInt64
  public var nodes: Int
  public var settings: [Setting]
  /// Objects that exist before the first step.
  public var documents: [Document]
  public var steps: [Step]

  public init(
    name: String, seed: UInt64, nodes: Int, settings: [Setting] = [], documents: [Document] = [],
    steps: [Step] = []
  ) {
    self.name = name
    self.seed = seed
    self.nodes = nodes
    self.settings = settings
    self.documents = documents
    self.steps = steps
  }

  /// Helm values that belong together, as a map in flow style: `{ipv6: {enabled: true}}`.
  public struct Setting: Equatable, Sendable {
    public var text: String

    public init(_ text: String) { self.text = text }
  }

  public enum Step: Equatable, Sendable {
    case apply(Document)
    case delete(Document)
    /// Any other step, as flow-style YAML: `probe: {from: a, to: b, port: 80/TCP}`.
    case other(String)
  }
}

/// A manifest: what must stand in it, and lists whose entries, and whose entries' fields, may be missing.
public struct Document: Equatable, Sendable {
  /// Lines before the lists.
  public var head: [String]
  public var lists: [List]

  public init(head: [String], lists: [List] = []) {
    self.head = head
    self.lists = lists
  }

  /// A list under `spec`, such as a policy's `ingress`.
  public struct List: Equatable, Sendable {
    public var name: String
    /// Each entry's fields in flow style: `fromEntities: [world]`.
    public var entries: [[String]]

    public init(_ name: String, _ entries: [[String]]) {
      self.name = name
      self.entries = entries
    }
  }
}
