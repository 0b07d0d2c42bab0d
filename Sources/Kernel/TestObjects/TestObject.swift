/// An object of datapath unit tests: programs in sections `{tc|xdp}/test/NAME/{pktgen|setup|check}`.
///
/// A test makes a packet (pktgen, optional), has it run through the program under test (setup, optional) and looks at
/// what came of it (check). Reading needs no kernel. Modelled: `bpf/tests/common.h`, `bpf/tests/bpftest/bpf_test.go`.
public struct TestObject: Sendable {
  public enum Stage: String, Sendable, CaseIterable {
    case pktgen, setup, check
  }

  /// A test: which function serves which stage.
  public struct Test: Sendable {
    public var name: String
    public var isXDP: Bool
    public var functions: [Stage: String]
  }

  /// As it was given: stands in messages and reports.
  public let name: String
  /// In the order in which they run: by name.
  public let tests: [Test]
  private let image: ELFImage

  /// Throws `object` for what is no eBPF object, holds no test, or a test without check.
  public init(_ bytes: [UInt8], name: String) throws(KernelError) {
    image = try ELFImage(bytes, name: name)
    tests = try Self.tests(image)
    self.name = name
  }

  /// What the loader needs to know, and the object as it has to be.
  struct Prepared: Sendable {
    let file: ObjectFile
    let graph: CodeGraph
    /// Functions that programs of other sections call, and that were therefore copied into `.text`.
    let copiedFunctions: [String]
  }

  /// Throws `object` for one without BTF, or with calls that cannot be linked.
  func prepared() throws(KernelError) -> Prepared {
    var image = image
    let copied = try CalledFunctions.copyIntoText(&image)
    let graph = try CodeGraph(image)
    try MapInitialisers.removePrograms(&image)
    return Prepared(file: try ObjectFile(image.bytes, name: name), graph: graph, copiedFunctions: copied)
  }

  private static func tests(_ image: ELFImage) throws(KernelError) -> [Test] {
    var tests: [String: Test] = [:]
    for section in image.sections {
      guard let place = Place(section.name) else { continue }
      for symbol in image.symbols
      where symbol.isFunction && symbol.section == section.index && !symbol.name.isEmpty {
        var test = tests[place.test] ?? Test(name: place.test, isXDP: place.isXDP, functions: [:])
        guard test.functions[place.stage] == nil, test.isXDP == place.isXDP else {
          throw bad(image, "test \(place.test): a second program for \(place.stage.rawValue): \(symbol.name)")
        }
        test.functions[place.stage] = symbol.name
        tests[place.test] = test
      }
    }
    let sorted = tests.values.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    guard !sorted.isEmpty else {
      throw bad(image, "no test: no program in a section {tc|xdp}/test/NAME/check")
    }
    for test in sorted where test.functions[.check] == nil {
      let kind = test.isXDP ? "xdp" : "tc"
      throw bad(
        image, "test \(test.name) has no check: no program in section \(kind)/test/\(test.name)/check")
    }
    return sorted
  }

  private static func bad(_ image: ELFImage, _ detail: String) -> KernelError {
    KernelError(.object, call: "read test object", detail: "\(image.name): \(detail)")
  }

  /// What a section's name says.
  private struct Place {
    var isXDP: Bool
    var test: String
    var stage: Stage

    init?(_ section: String) {
      let parts = section.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count == 4, parts[1] == "test", !parts[2].isEmpty,
        let stage = Stage(rawValue: String(parts[3])),
        parts[0] == "tc" || parts[0] == "xdp"
      else { return nil }
      isXDP = parts[0] == "xdp"
      test = String(parts[2])
      self.stage = stage
    }
  }
}
