import Foundation
import PackagePlugin

/// Compiles every `bpf/*.bpf.c` (and the drivers under `bpf/test/`) and emits one Swift file that carries the
/// objects inside the binary. All clang flags stand in `scripts/compile-bpf.sh`.
@main
struct BuildBPF: BuildToolPlugin {
  func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
    guard let target = target as? SourceModuleTarget else { return [] }
    let root = context.package.directoryURL
    let sources = target.directoryURL
    let script = root.appending(path: "scripts/compile-bpf.sh")
    let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedObjects.swift")
    var inputs = [script]
    let names = try FileManager.default.subpathsOfDirectory(atPath: sources.path).sorted()
    for name in names where name.hasSuffix(".c") || name.hasSuffix(".h") {
      inputs.append(sources.appending(path: name))
    }
    return [
      .buildCommand(
        displayName: "Compiling eBPF programs",
        executable: URL(filePath: "/bin/sh"),
        arguments: [script.path, "--swift", output.path, sources.path],
        inputFiles: inputs, outputFiles: [output])
    ]
  }
}
