import Cluster
import Foundation
import Lint
import Manifests
import TestSupport
import Testing

/// Every id that the linter knows has a manifest that shows it, and one beside it that does not.
@Suite struct SampleTests {
  /// Pods, a service and a group that the samples speak of.
  private static let around = """
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: web, labels: {app: web}}, spec: {containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}, status: {podIP: 10.244.0.10}}
    ---
    {apiVersion: v1, kind: Pod, metadata: {name: client, labels: {app: client}}, spec: {containers: [{name: c}]}, status: {podIP: 10.244.0.11}}
    ---
    {apiVersion: v1, kind: Service, metadata: {name: there}, spec: {selector: {app: web}, ports: [{port: 80}]}}
    ---
    {apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: there}, spec: {externalCIDRs: [192.0.2.0/24]}}

    """

  private func findings(_ text: String) -> [Finding] {
    var all = ManifestReader().read(Self.around, file: "around.yaml")
    all.append(ManifestReader().read(text, file: "sample.yaml"))
    return Linter.findings(in: all)
  }

  @Test(arguments: Sample.all.map(\.id))
  func isFound(_ id: String) throws {
    let sample = try #require(Sample.all.first { $0.id == id })
    let entry = try #require(LintCatalogue[id])
    let bad = findings(sample.bad)
    let hit = try #require(bad.first { $0.id == id }, "\(bad.map(\.description))")
    #expect(hit.severity == entry.severity)
    #expect(hit.location.file == "sample.yaml" && hit.location.line >= 1 && hit.location.column >= 1)
    if let authority = hit.authority {
      #expect(entry.refusedBy.contains(authority), "\(hit)")
    } else {
      #expect(entry.refusedBy.isEmpty, "\(hit)")
    }
    let good = findings(sample.good)
    #expect(!good.contains { $0.id == id }, "\(good.map(\.description))")
    #expect(!good.contains { $0.severity == .error }, "\(good.map(\.description))")
  }

  /// These come from other places than manifests: Helm values, and options.
  private static let elsewhere: Set<String> = ["unknown-value", "unmodelled-value", "l7-disabled"]

  @Test func everyIdHasItsSample() {
    let sampled = Sample.all.map(\.id)
    #expect(Set(sampled).count == sampled.count)
    #expect(Set(sampled).union(Self.elsewhere) == Set(LintCatalogue.entries.map(\.id)))
  }

  @Test func idsOfHelmValues() throws {
    func ids(_ values: String) throws -> [String] {
      HelmValues().settings(try YAMLReader(file: "v.yaml").documents(values)).findings.map(\.id)
    }
    #expect(try ids("tunelProtocol: vxlan") == ["unknown-value"])
    #expect(try ids("encryption: {enabled: true}") == ["unmodelled-value"])
    #expect(try ids("tunnelProtocol: vxlan").isEmpty)
  }

  /// No id is given anywhere in `Manifests` that the catalogue does not know.
  @Test func idsOfTheSources() throws {
    let folder = "\(PackageFolder.path)/Sources/Manifests"
    let given = /(?:report|refuse|Finding|finding|error|warn)\w*\(\s*(?:id:\s*)?"([a-z0-9]+(?:-[a-z0-9]+)*)"/
    var found: Set<String> = []
    for name in try FileManager.default.contentsOfDirectory(atPath: folder) where name.hasSuffix(".swift") {
      let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
      for match in text.matches(of: given) { found.insert(String(match.1)) }
    }
    // A file that cannot be read is bad input of the command, and no finding of its own.
    found.remove("unreadable-file")
    #expect(found.count > 30)
    #expect(found.subtracting(LintCatalogue.entries.map(\.id)).sorted() == [])
  }

  @Test func theDocumentShowsTheCatalogue() throws {
    let text = try String(contentsOfFile: "\(PackageFolder.path)/docs/LINTS.md", encoding: .utf8)
    #expect(text.contains(LintCatalogue.table), "write it anew with: ciliate lint --list")
  }

  @Test func idsAreKebabCaseAndSummariesAreSentences() {
    for entry in LintCatalogue.entries {
      #expect(entry.id.allSatisfy { $0.isLowercase || $0.isNumber || $0 == "-" })
      #expect(!entry.summary.isEmpty && !entry.summary.hasSuffix("."))
    }
  }

  /// Who refuses what, where the two differ: the schema bounds the lists of allow rules alone.
  @Test func tooManyPortsOfADenyRule() {
    let ports = (1...41).map { "{port: '\($0)'}" }.joined(separator: ", ")
    func authority(_ section: String) -> Finding.Authority? {
      findings(
        "{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {name: p}, spec: {endpointSelector: {}, "
          + "\(section): [{toPorts: [{ports: [\(ports)]}]}]}}"
      ).first { $0.id == "too-many" }?.authority
    }
    #expect(authority("ingress") == .apiServer)
    #expect(authority("ingressDeny") == .agent)
  }
}
