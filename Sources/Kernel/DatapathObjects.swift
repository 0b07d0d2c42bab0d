import BPFObjects
public import Datapath
import MapABI

/// The object files that a node runs: ours, or a build of Cilium's. Read once, shared by all nodes.
public struct DatapathObjects: Sendable {
  public enum Origin: Sendable, Equatable {
    case builtin
    case cilium(CompiledOptions)
  }

  public let origin: Origin
  let files: [String: ObjectFile]
  let layouts: MapLayouts
  /// The version that the map layouts of foreign objects belong to; the current one for ours.
  public let profile: DatapathProfile
  /// The driver that test runs of tc programs go through.
  let driver: ObjectFile

  /// The programs that this binary carries.
  public static func builtin() throws(KernelError) -> DatapathObjects {
    var files: [String: ObjectFile] = [:]
    for object in BPFObject.embedded where !object.name.hasPrefix("driver") {
      files[object.name] = try ObjectFile(object.image, name: object.name)
    }
    return DatapathObjects(
      origin: .builtin, files: files, layouts: .native, profile: .current, driver: try tcDriver())
  }

  /// Another build of our own programs. `files` are names without ending (`from_container`) with their octets; those
  /// that are missing are this binary's.
  public static func own(_ files: [(name: String, bytes: [UInt8])]) throws(KernelError) -> DatapathObjects {
    let builtin = try builtin()
    var loaded = builtin.files
    for (name, bytes) in files where loaded[name] != nil { loaded[name] = try ObjectFile(bytes, name: name) }
    return DatapathObjects(
      origin: .builtin, files: loaded, layouts: .native, profile: builtin.profile, driver: builtin.driver)
  }

  /// Cilium's objects. `files` are file names (`bpf_lxc.o` …) with their octets; a hook whose object is missing
  /// cannot be run. Throws when a file is no eBPF object, is older than 1.18, or lays a map out in an unknown way.
  public static func cilium(
    _ files: [(name: String, bytes: [UInt8])], options: CompiledOptions
  ) throws(KernelError) -> DatapathObjects {
    var loaded: [String: ObjectFile] = [:]
    var layouts = MapLayouts.native
    var profile: DatapathProfile?
    for (name, bytes) in files {
      loaded[name] = try ObjectFile(bytes, name: name)
      let types = try BTFTypes(ELFImage(bytes, name: name))
      try layouts.adopt(types, object: name)
      profile = profile ?? recognise(types)
    }
    return DatapathObjects(
      origin: .cilium(options), files: loaded, layouts: layouts, profile: profile ?? .current,
      driver: try tcDriver())
  }

  /// The same objects, told what was compiled into them.
  public func with(_ options: CompiledOptions) -> DatapathObjects {
    guard isForeign else { return self }
    return DatapathObjects(
      origin: .cilium(options), files: files, layouts: layouts, profile: profile,
      driver: driver)
  }

  /// 1.19 made policy entries longer, 1.20 gave endpoints a routing table.
  static func recognise(_ types: BTFTypes) -> DatapathProfile? {
    if let endpoint = types.layout(of: "endpoint_info"), endpoint.field("rt_info") != nil { return .v120 }
    guard let entry = types.layout(of: "policy_entry") else { return nil }
    return entry.field("precedence") == nil ? .v118 : .v119
  }

  /// The instructions of each object file, the functions that its programs call included.
  public func sizes() throws(KernelError) -> [String: Int] {
    var sizes: [String: Int] = [:]
    for (name, file) in files {
      let functions = try ELFImage(file.bytes, name: name).symbols.filter(\.isFunction)
      sizes[name] = functions.reduce(0) { $0 + $1.size } / 8
    }
    return sizes
  }

  private static func tcDriver() throws(KernelError) -> ObjectFile {
    guard let driver = BPFObject.named("driver_tc") else {
      throw KernelError(.object, call: "find driver", detail: "driver_tc is not among the embedded objects")
    }
    return try ObjectFile(driver.image, name: driver.name)
  }

  public var isForeign: Bool { origin != .builtin }

  /// The file and the program behind a hook; nil when the hook's object was not supplied.
  func placement(of hook: Hook) -> Placement? {
    placement(file: Self.ciliumFile(of: hook), program: hook.rawValue)
  }

  /// The endpoint-policy stage.
  var policyStage: Placement? { placement(file: "bpf_lxc.o", program: "lxc_policy") }

  private func placement(file: String, program: String) -> Placement? {
    let name = isForeign ? file : program.hasPrefix("sock") ? "sock" : program
    guard let object = files[name],
      let found = object.programs.first(where: { $0.name == "cil_\(program)" || $0.name == program })
    else { return nil }
    return Placement(file: object, program: found.name)
  }

  struct Placement: Sendable {
    var file: ObjectFile
    var program: String
  }

  private static func ciliumFile(of hook: Hook) -> String {
    switch hook {
    case .fromContainer, .toContainer: "bpf_lxc.o"
    case .fromOverlay, .toOverlay: "bpf_overlay.o"
    case .fromNetdev, .toNetdev, .fromHost, .toHost: "bpf_host.o"
    case .xdpEntry: "bpf_xdp.o"
    case .sock4Connect, .sock6Connect: "bpf_sock.o"
    }
  }
}
