import Cluster
import Foundation
import Testing

@testable import Manifests

/// A published book's manifests, where they lie beside the repository: what a user would bring.
enum Book {
  static let root: String? = {
    var folder = URL(filePath: #filePath)
    for _ in 0..<5 {
      folder.deleteLastPathComponent()
      let candidate = folder.appending(path: "shared/manifests").path
      if FileManager.default.fileExists(atPath: candidate) { return candidate }
    }
    return nil
  }()

  static var files: [String] {
    guard let root, let walk = FileManager.default.enumerator(atPath: root) else { return [] }
    return walk.compactMap { $0 as? String }.filter { $0.hasSuffix(".yaml") }.sorted()
  }

  static func isValues(_ file: String) -> Bool {
    let name = file.split(separator: "/").last ?? ""
    return name.contains("values") || name.hasPrefix("cilium-ipam") || name.hasPrefix("cilium-native")
      || name == "cilium.yaml"
  }
}

@Suite("A book's manifests", .enabled(if: Book.root != nil))
struct BookTests {
  @Test func everyManifestIsRead() throws {
    var refused: [String] = []
    var unmodelled: [String] = []
    var objects = 0
    for file in Book.files where !Book.isValues(file) {
      let result = ManifestReader().read(try readText("\(Book.root ?? "")/\(file)"), file: file)
      objects += result.objects.count + result.kindConfigurations.count
      refused += result.findings.filter { $0.severity == .error }.map(\.description)
      unmodelled += result.findings.filter { $0.severity == .unmodelled }.map(\.message)
    }
    #expect(
      refused == [
        "chapter12/invalid-policy.yaml:10:7: error: CiliumNetworkPolicy default/invalid-policy: toEndpoints and"
          + " toEntities cannot be combined in one rule; write two rules (refused by the Cilium agent) [combined-peers]"
      ])
    #expect(objects > 70)
    let kinds = Set(unmodelled.map { $0.prefix { $0 != " " } })
    #expect(
      kinds.sorted() == [
        "CiliumBGPAdvertisement", "CiliumBGPClusterConfig", "CiliumBGPPeerConfig", "CiliumLoadBalancerIPPool",
        "CiliumLocalRedirectPolicy", "CiliumPodIPPool",
      ])
  }

  @Test func everyValuesFileIsRead() throws {
    var findings: [String] = []
    let files = Book.files.filter(Book.isValues)
    #expect(files.count > 12)
    for file in files {
      let documents = try YAMLReader(file: file).documents(try readText("\(Book.root ?? "")/\(file)"))
      findings += HelmValues().settings(documents).findings.map(\.description)
    }
    #expect(!findings.contains { $0.contains(": error:") }, "\(findings)")
    let paths = Set(findings.compactMap { $0.split(separator: " ").dropFirst(2).first })
    #expect(
      paths.sorted() == [
        "aksbyocni.enabled:", "bgpControlPlane.enabled:", "eni.awsEnablePrefixDelegation:", "eni.enabled:",
        "ipam.mode:", "ipam.operator.autoCreateCiliumPodIPPools:",
      ])
  }
}

/// The policies of the Cyclonus generator, as a cluster takes them.
@Suite("Cyclonus' policies", .enabled(if: Book.root != nil))
struct CyclonusTests {
  private struct Suite: Decodable {
    struct Case: Decodable {
      struct Step: Decodable {
        enum CodingKeys: String, CodingKey { case policies = "policies_yaml" }
        var policies: String
      }
      var id: String
      var steps: [Step]
    }
    var cases: [Case]
  }

  @Test func everyPolicyIsRead() throws {
    let path = "\(Book.root ?? "")/../conformance/cyclonus.json"
    let data = try #require(FileManager.default.contents(atPath: path))
    let suite = try JSONDecoder().decode(Suite.self, from: data)
    var policies = 0
    for entry in suite.cases {
      for step in entry.steps {
        let result = ManifestReader().read(step.policies, file: entry.id)
        #expect(result.findings == [])
        policies += result.objects.count
      }
    }
    #expect(policies > 240)
  }
}
