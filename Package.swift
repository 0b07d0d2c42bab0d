// swift-tools-version: 6.2
// Dependencies between targets point down only; docs/ARCHITECTURE.md draws them.
import PackageDescription

let settings: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

let yams: Target.Dependency = .product(name: "Yams", package: "Yams")
let arguments: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")

func module(_ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", exclude: exclude,
    swiftSettings: settings)
}

let package = Package(
  name: "ciliate",
  products: [
    .executable(name: "ciliate", targets: ["ciliate"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // System libraries and the map ABI shared with the eBPF programs.
    .systemLibrary(
      name: "CLibbpf", path: "Sources/CLibbpf", pkgConfig: "libbpf", providers: [.apt(["libbpf-dev"])]),
    .systemLibrary(
      name: "CLibelf", path: "Sources/CLibelf", pkgConfig: "libelf", providers: [.apt(["libelf-dev"])]),
    .systemLibrary(
      name: "CLibpcap", path: "Sources/CLibpcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
    .systemLibrary(name: "CDatapath", path: "bpf/abi"),

    // Octets, and the values that the maps hold.
    module("Wire"),
    module("MapABI", ["CDatapath", "Wire"]),

    // The cluster as values, and what the agent makes of it.
    module("Cluster", ["Wire"]),
    module("Manifests", ["Cluster", yams]),
    module("ControlPlane", ["Cluster", "MapABI"]),
    module("Intent", ["Cluster"]),

    // The hooks, and the world around them.
    module("Datapath", ["MapABI", "Wire"]),
    module("Simulator", ["Datapath", "ControlPlane"]),
    module("Conformance", ["Datapath"]),
    module("Capture", ["Wire", "CLibpcap"]),

    // The same hooks in the kernel.
    .target(
      name: "BPFObjects", path: "bpf", exclude: ["abi"], swiftSettings: settings,
      plugins: ["BuildBPF"]),
    .plugin(name: "BuildBPF", capability: .buildTool()),
    module("Kernel", ["Datapath", "BPFObjects", "CLibbpf", "CLibelf"]),

    // Scenario files, reports and the command line.
    module("Scenario", ["Manifests"]),
    module("Runner", ["Scenario", "Simulator", "Conformance", "Intent", "Capture"]),
    module("Report", ["Runner"]),
    .executableTarget(
      name: "ciliate", dependencies: ["Report", "Kernel", arguments], path: "Sources/ciliate",
      swiftSettings: settings),

    // Measurements, and what they are measured against.
    .target(name: "CBenchPeer", path: "Sources/CBenchPeer"),
    .executableTarget(
      name: "ciliate-bench", dependencies: ["Datapath", "CBenchPeer"], path: "Sources/ciliate-bench",
      swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["Wire"], path: "Tests/TestSupport", swiftSettings: settings),
    tests("Wire", ["Wire", "TestSupport"]),
    tests("MapABI", ["MapABI", "TestSupport"]),
    tests("Cluster", ["Cluster", "TestSupport"]),
    tests("Manifests", ["Manifests", "TestSupport"]),
    tests("ControlPlane", ["ControlPlane", "Manifests", "TestSupport"]),
    tests("Intent", ["Intent", "Manifests", "TestSupport"]),
    tests("Datapath", ["Datapath", "TestSupport"]),
    tests("Simulator", ["Simulator", "TestSupport"]),
    tests("Conformance", ["Conformance", "Kernel", "TestSupport"]),
    tests("Capture", ["Capture", "TestSupport"]),
    tests("Kernel", ["Kernel", "TestSupport"]),
    tests("Scenario", ["Scenario", "TestSupport"]),
    tests("Runner", ["Runner", "Kernel", "TestSupport"]),
    tests("Report", ["Report", "TestSupport"]),
  ]
)
