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

func module(
  _ name: String, path: String? = nil, _ dependencies: [Target.Dependency] = [], also: [SwiftSetting] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, path: path ?? "Sources/\(name)", swiftSettings: settings + also)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests", exclude: exclude,
    swiftSettings: settings)
}

let package = Package(
  name: "ciliate",
  products: [
    .executable(name: "ciliate", targets: ["ciliate"]),
    // For programs of others: docs/DECODE.md has an example.
    .library(name: "Capture", targets: ["Capture"]),
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
    // Headers only: the library is loaded when it is needed (see PcapLibrary in Capture).
    .systemLibrary(name: "CLibpcap", path: "Sources/CLibpcap", providers: [.apt(["libpcap-dev"])]),
    .systemLibrary(
      name: "CZlib", path: "Sources/CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CZstd", path: "Sources/CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CLinuxFiles", path: "Sources/CLinuxFiles"),
    .systemLibrary(name: "CDatapath", path: "bpf/abi"),
    .systemLibrary(name: "CPrefetch", path: "Sources/CPrefetch"),

    // Octets, and the values that the maps hold.
    // Views borrow the frame (`RawSpan`, no reference counting); declaring them needs lifetime annotations,
    // using them does not.
    module("Wire", also: [.enableExperimentalFeature("Lifetimes")]),
    module("MapABI", ["CDatapath", "CPrefetch", "Wire"]),
    module("Views", ["MapABI", "CDatapath", "Wire"]),

    // The cluster as values, and what the agent makes of it.
    module("Cluster", ["Wire"]),
    module("RegularExpressions"),
    module("Manifests", ["Cluster", yams]),
    module("ControlPlane", ["Cluster", "MapABI", "RegularExpressions", "Wire"]),
    module("Intent", ["Cluster", "RegularExpressions", "Wire"]),
    module("Lint", ["Manifests", "Intent", "Cluster", "Wire"]),

    // The hooks, and the world around them.
    module("Datapath", ["MapABI", "Wire"]),
    module("Simulator", ["Datapath", "ControlPlane", "RegularExpressions"]),
    module("Conformance", ["Datapath"]),
    module("Capture", ["Wire", "CLibpcap", "CLinuxFiles", "CZlib", "CZstd"]),

    // The same hooks in the kernel.
    .target(
      name: "BPFObjects", path: "bpf", sources: ["BPFObject.swift"], swiftSettings: settings,
      plugins: ["BuildBPF"]),
    .plugin(name: "BuildBPF", capability: .buildTool()),
    module("Kernel", ["Datapath", "BPFObjects", "CLibbpf", "CLibelf"]),

    // Scenario files, reports and the command line.
    module("Scenario", ["Manifests"]),
    module(
      "Runner",
      ["Scenario", "Simulator", "ControlPlane", "Conformance", "Intent", "Lint", "Capture", "Views"]),
    module("Report", ["Runner"]),
    // Random clusters and traffic, what differs in them, and the smallest case that shows it.
    module("Explore", ["Runner", "Manifests", "Report", "ControlPlane", "Conformance", "Kernel"]),
    module("TestObjects", ["Kernel", "Report", "Capture", "Wire"]),
    .executableTarget(
      name: "ciliate",
      dependencies: ["Report", "Explore", "Kernel", "TestObjects", "Capture", "Lint", "Views", arguments],
      path: "Sources/ciliate", swiftSettings: settings),

    // The policy suites that others wrote, against every oracle.
    module("Cyclonus", ["Intent", "Manifests", "Simulator"]),
    .executableTarget(
      name: "ciliate-conformance", dependencies: ["Cyclonus", "Conformance", "Kernel"],
      path: "Sources/ciliate-conformance", swiftSettings: settings),

    // Measurements, and what they are measured against.
    .target(name: "CBenchPeer", path: "Sources/CBenchPeer"),
    .executableTarget(
      name: "ciliate-bench",
      dependencies: [
        "Kernel", "Datapath", "ControlPlane", "Intent", "Manifests", "CBenchPeer", "Explore", "TwoPods",
      ],
      path: "Sources/ciliate-bench",
      swiftSettings: settings),

    .target(
      name: "TestSupport", dependencies: ["Wire"], path: "Tests/TestSupport", swiftSettings: settings),
    // A node with two pods, written by hand: for the tests of the kernel, and for its benchmarks.
    .target(
      name: "TwoPods", dependencies: ["Datapath", "MapABI", "Wire"], path: "Tests/TwoPods",
      swiftSettings: settings),
    tests("Wire", ["Wire", "TestSupport"]),
    tests("MapABI", ["MapABI", "TestSupport"]),
    tests("Views", ["Views", "MapABI", "CDatapath", "Wire", "TestSupport"]),
    tests("Cluster", ["Cluster", "TestSupport"]),
    tests("RegularExpressions", ["RegularExpressions", "TestSupport"]),
    tests("Manifests", ["Manifests", "TestSupport"]),
    tests("ControlPlane", ["Cluster", "ControlPlane", "Manifests", "MapABI", "TestSupport", "Wire"]),
    tests("Intent", ["Intent", "Manifests", "TestSupport"]),
    tests("Lint", ["Lint", "Manifests", "TestSupport"]),
    tests("Datapath", ["Datapath", "TestSupport"]),
    tests("Simulator", ["Simulator", "Cluster", "TestSupport"]),
    tests("Conformance", ["Conformance", "Kernel", "Datapath", "MapABI", "TestSupport"]),
    tests("Capture", ["Capture", "TestSupport"]),
    tests("Kernel", ["Kernel", "Conformance", "Explore", "TwoPods", "Simulator", "TestSupport"]),
    tests("Scenario", ["Scenario", "TestSupport"]),
    tests("Runner", ["Runner", "Report", "Kernel", "BPFObjects", "TestSupport"]),
    tests("Report", ["Report", "Runner", "TestSupport"]),
    tests("Explore", ["Explore", "Kernel", "TestSupport"]),
    // The built binary, from outside.
    tests("Command", ["ciliate", "BPFObjects", "TestSupport"]),
    tests("Cyclonus", ["Cyclonus", "Conformance", "Kernel", "TestSupport"]),
    tests("TestObjects", ["TestObjects", "Kernel", "Capture", "Wire", "TestSupport"]),
  ]
)
