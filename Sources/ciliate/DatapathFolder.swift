import Capture
import Kernel
import MapABI
import Runner
import Scenario

/// Builds of Cilium's objects that a user brought along: one folder of objects, or a folder of such folders.
struct DatapathBuilds {
  struct Build {
    var folder: String
    var objects: DatapathObjects
    /// Nodes that a scenario is done with, for the next one.
    let pool = KernelNodePool()
  }

  /// In order of their folders' names.
  let builds: [Build]

  static let names = ["bpf_lxc.o", "bpf_host.o", "bpf_overlay.o", "bpf_xdp.o", "bpf_sock.o"]
  /// What an agent writes beside its objects, or a build's `config` folder holds.
  static let headers = ["node_config.h", "ep_config.h", "netdev_config.h", "filter_config.h"]

  /// The programs of this binary.
  static func builtin() throws -> DatapathBuilds {
    DatapathBuilds(builds: [Build(folder: "builtin", objects: try .builtin())])
  }

  static func load(_ folder: String) throws -> DatapathBuilds {
    if let build = try build(folder) { return DatapathBuilds(builds: [build]) }
    var builds: [Build] = []
    for name in Folder.names(in: folder) {
      if let build = try build("\(folder)/\(name)") { builds.append(build) }
    }
    guard !builds.isEmpty else {
      throw CaptureError(
        file: folder, reason: "neither it nor a folder in it holds any of \(names.joined(separator: ", "))")
    }
    return DatapathBuilds(builds: builds)
  }

  /// The objects of a folder, with what its headers say; nil when there are none.
  private static func build(_ folder: String) throws -> Build? {
    if let own = try ownBuild(folder) { return own }
    var files: [(name: String, bytes: [UInt8])] = []
    for name in names where Folder.isFile("\(folder)/\(name)") {
      files.append((name, try readWholeFile("\(folder)/\(name)")))
    }
    guard !files.isEmpty else { return nil }
    let objects = try DatapathObjects.cilium(files, options: CompiledOptions())
    var found: [(name: String, text: String)] = []
    for name in headers {
      guard let path = [folder, "\(folder)/config"].map({ "\($0)/\(name)" }).first(where: Folder.isFile)
      else {
        continue
      }
      found.append((name, String(decoding: try readWholeFile(path), as: UTF8.self)))
    }
    if !found.contains(where: { $0.name == "node_config.h" }) {
      guard Folder.isFile("\(folder)/\(DatapathFile.name)") else {
        throw UnknownOptions(folder: folder, options: CompiledOptions.unknown(objects))
      }
      found = try DatapathFile.headers("\(folder)/\(DatapathFile.name)")
    }
    return Build(
      folder: folder,
      objects: objects.with(CompiledOptions(headers: found)))
  }

  /// A build of bpf/ (`scripts/compile-bpf.sh --folder`): programs under the names that ours have.
  private static func ownBuild(_ folder: String) throws -> Build? {
    guard Folder.isFile("\(folder)/from_container.o") else { return nil }
    var files: [(name: String, bytes: [UInt8])] = []
    for name in Folder.names(in: folder) where name.hasSuffix(".o") {
      files.append((String(name.dropLast(2)), try readWholeFile("\(folder)/\(name)")))
    }
    return Build(folder: folder, objects: try .own(files))
  }

  /// The first build that was compiled for everything that a scenario asks for; if there is none, the one that
  /// lacks the fewest options.
  func fitting(_ scenario: LoadedScenario) throws(KernelError) -> Build? {
    guard builds.count > 1 else { return builds.first }
    let images = ScenarioRunner.images(scenario)
    var best: (build: Build, lacking: Int)?
    for build in builds {
      var lacking = 0
      for image in images { lacking += try build.objects.refusals(of: image).count }
      if lacking < best?.lacking ?? Int.max { best = (build, lacking) }
    }
    return best?.build
  }
}
