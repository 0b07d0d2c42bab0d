import Capture
import Report

/// The results of a campaign, or of a shard of it: `ciliate.fuzz/v1`.
public struct CampaignRecord: Equatable, Sendable {
  /// Seeds that are done, as ranges `a..b` in order.
  public var seeds: [ClosedRange<UInt64>] = []
  /// What was run, so that only like is merged with like: datapath, rounds.
  public var setup: String
  public var cases = 0
  public var hops = 0
  public var compared = 0
  public var notRun: [String: Int] = [:]
  public var reached: Set<String> = []
  public var findings: [Entry] = []

  /// A difference, where it was first seen, and how often.
  public struct Entry: Equatable, Sendable {
    public var difference: Difference
    public var seed: UInt64
    public var count: Int
    public var lines: [String]
    /// The folder of the smallest case, beside the results.
    public var folder: String?
  }

  public init(setup: String) { self.setup = setup }

  public func isDone(_ seed: UInt64) -> Bool { seeds.contains { $0.contains(seed) } }

  /// Takes in a seed's result; `folder` names where a difference's smallest case was put.
  public mutating func add(_ result: SeedResult, folder: (Difference) -> String?) {
    addSeeds(result.seed...result.seed)
    cases += result.cases
    hops += result.hops
    compared += result.compared
    notRun.merge(result.notRun, uniquingKeysWith: +)
    reached.formUnion(result.reached)
    for found in result.discoveries {
      if let index = findings.firstIndex(where: { $0.difference == found.difference }) {
        findings[index].count += 1
      } else {
        findings.append(
          Entry(
            difference: found.difference, seed: result.seed, count: 1, lines: found.lines,
            folder: folder(found.difference)))
      }
    }
  }

  /// Joins the results of another shard.
  public mutating func merge(_ other: CampaignRecord) throws(CampaignError) {
    guard setup == other.setup else {
      throw CampaignError("results of different campaigns: \(setup), and \(other.setup)")
    }
    for range in other.seeds {
      for mine in seeds where mine.overlaps(range) {
        let seed = max(mine.lowerBound, range.lowerBound)
        throw CampaignError("seed \(seed) is in two of the results: merged, it would count twice")
      }
    }
    for range in other.seeds { addSeeds(range) }
    cases += other.cases
    hops += other.hops
    compared += other.compared
    notRun.merge(other.notRun, uniquingKeysWith: +)
    reached.formUnion(other.reached)
    for entry in other.findings {
      if let index = findings.firstIndex(where: { $0.difference == entry.difference }) {
        let count = findings[index].count + entry.count
        if entry.seed < findings[index].seed { findings[index] = entry }
        findings[index].count = count
      } else {
        findings.append(entry)
      }
    }
  }

  private mutating func addSeeds(_ range: ClosedRange<UInt64>) {
    seeds.append(range)
    seeds.sort { $0.lowerBound < $1.lowerBound }
    var joined: [ClosedRange<UInt64>] = []
    for range in seeds {
      if let last = joined.last, last.upperBound != .max, range.lowerBound <= last.upperBound + 1 {
        joined[joined.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        joined.append(range)
      }
    }
    seeds = joined
  }
}

/// Why results cannot be read or joined.
public struct CampaignError: Error, CustomStringConvertible {
  public var description: String
  public init(_ description: String) { self.description = description }
}

extension CampaignRecord {
  /// The document, with everything in an order that does not depend on the run.
  public var json: String {
    var text = ""
    document.write(into: &text)
    return text + "\n"
  }

  private var document: JSONValue {
    .members(
      ("schema", .string("ciliate.fuzz/v1")), ("setup", .string(setup)),
      ("seeds", .array(seeds.map { .string("\($0.lowerBound)..\($0.upperBound)") })),
      ("cases", .integer(cases)), ("hops", .integer(hops)), ("compared", .integer(compared)),
      (
        "notRun",
        .object(notRun.sorted { $0.key < $1.key }.map { .init(name: $0.key, value: .integer($0.value)) })
      ),
      (
        "findings",
        .array(
          findings.sorted { ($0.difference, $0.seed) < ($1.difference, $1.seed) }.map { entry in
            .members(
              ("kind", .string(entry.difference.kind.rawValue)),
              ("signature", .string(entry.difference.signature)), ("seed", .integer(entry.seed)),
              ("count", .integer(entry.count)), ("lines", .array(entry.lines.map(JSONValue.string))),
              ("folder", .text(entry.folder)))
          })
      ),
      ("reached", .array(reached.sorted().map(JSONValue.string))))
  }

  /// Reads a document.
  public init(json octets: [UInt8], file: String) throws(CampaignError) {
    let document: JSONValue
    do { document = try JSONValue(parsing: octets) } catch {
      throw CampaignError("\(file): octet \(error.offset): \(error.reason)")
    }
    func problem(_ what: String) -> CampaignError { CampaignError("\(file): \(what)") }
    guard document["schema"]?.text == "ciliate.fuzz/v1" else {
      throw problem("not a document of schema ciliate.fuzz/v1")
    }
    guard let setup = document["setup"]?.text, let seeds = document["seeds"]?.list,
      let cases = document["cases"]?.count, let hops = document["hops"]?.count,
      let compared = document["compared"]?.count, let findings = document["findings"]?.list,
      let reached = document["reached"]?.list, case .object(let reasons)? = document["notRun"]
    else { throw problem("a member of the document is missing or of the wrong kind") }
    self.init(setup: setup)
    (self.cases, self.hops, self.compared) = (cases, hops, compared)
    for seed in seeds {
      let ends = (seed.text ?? "").split(separator: ".").compactMap { UInt64($0) }
      guard ends.count == 2, ends[0] <= ends[1] else { throw problem("a range of seeds is no range") }
      addSeeds(ends[0]...ends[1])
    }
    for reason in reasons { notRun[reason.name] = reason.value.count ?? 0 }
    self.reached = Set(reached.compactMap(\.text))
    for finding in findings {
      guard let kind = finding["kind"]?.text.flatMap(Difference.Kind.init), let seed = finding["seed"]?.count,
        let signature = finding["signature"]?.text, let count = finding["count"]?.count
      else { throw problem("a finding lacks kind, signature, seed or count") }
      self.findings.append(
        Entry(
          difference: Difference(kind, signature), seed: UInt64(clamping: seed), count: count,
          lines: finding["lines"]?.list?.compactMap(\.text) ?? [], folder: finding["folder"]?.text))
    }
  }
}

extension JSONValue {
  fileprivate subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.name == name }?.value
  }
  fileprivate var text: String? { if case .string(let text) = self { text } else { nil } }
  fileprivate var list: [JSONValue]? { if case .array(let list) = self { list } else { nil } }
  fileprivate var count: Int? { if case .number(let digits) = self { Int(digits) } else { nil } }
}
