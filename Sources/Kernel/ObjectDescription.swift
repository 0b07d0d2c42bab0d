import CLibbpf
import Datapath
import MapABI

/// What an object file holds, for people: `ciliate inspect`. Nothing is loaded; no kernel is needed.
public struct ObjectDescription: Sendable {
  public struct Section: Sendable {
    public var name: String
    /// Octets in the file.
    public var size: Int
  }

  public struct Program: Sendable {
    public var name: String
    public var section: String
    /// Instructions of eight octets.
    public var instructions: Int
    /// The slot of the tail-call map that it stands in.
    public var slot: UInt32?
    /// The slots that it tail-calls; nil when the code does not tell.
    public var calls: [UInt32]?
    public var maps: [String]
  }

  public struct Map: Sendable {
    public var name: String
    /// The kernel's number of the map type, and its name.
    public var type: UInt32?
    public var typeName: String
    public var maxEntries: UInt32?
    public var key: StructLayout?
    public var value: StructLayout?
  }

  public struct Variable: Sendable {
    public var name: String
    public var section: String
    /// The octets that it has before anybody sets it.
    public var initial: [UInt8]
    /// Whether it is configuration that the model has no field for.
    public var isUnknown: Bool
  }

  public let name: String
  public let sections: [Section]
  public let programs: [Program]
  public let maps: [Map]
  public let variables: [Variable]
  /// Programs under the GPL may call every helper.
  public let licence: String?
  /// The version of Cilium whose layouts the object has (`1.20`), `ciliate` for our own; nil when it is neither.
  public let profile: String?
  /// What is not known here: map layouts and configuration variables, one line each.
  public let unknown: [String]

  /// Throws `object` for what is no eBPF object of this machine's kind, has no BTF or has legacy maps.
  public init(_ bytes: [UInt8], name: String) throws(KernelError) {
    let image = try ELFImage(bytes, name: name)
    let file = try ObjectFile(bytes, name: name)
    let types = try BTFTypes(image)
    self.name = name
    sections = image.sections.filter { !$0.name.isEmpty && !$0.range.isEmpty }
      .map { Section(name: $0.name, size: $0.range.count) }
    programs = file.programs.map { program in
      let symbol = image.symbols.first { $0.name == program.name && $0.isFunction }
      return Program(
        name: program.name, section: program.section, instructions: (symbol?.size ?? 0) / 8,
        slot: program.slot,
        calls: program.calls?.sorted(), maps: program.maps.sorted())
    }
    maps = Self.maps(image, types)
    variables = Self.variables(image, file)
    licence = image.section("license").map {
      String(decoding: image.contents($0).prefix { $0 != 0 }, as: UTF8.self)
    }
    let isOurs = file.variables.contains { $0.name == "config" && $0.section == ".rodata" }
    profile = isOurs ? "ciliate" : DatapathObjects.recognise(types)?.description
    unknown = Self.unknown(file, types, isOurs: isOurs)
  }

  private static func maps(_ image: ELFImage, _ types: BTFTypes) -> [Map] {
    image.symbols.filter { symbol in
      !symbol.name.isEmpty && image.sections.indices.contains(symbol.section)
        && image.sections[symbol.section].name == ".maps"
    }.map { symbol in
      let type = types.mapNumber(symbol.name, "type")
      return Map(
        name: symbol.name, type: type, typeName: type.map(typeName) ?? "unknown",
        maxEntries: types.mapNumber(symbol.name, "max_entries"), key: types.mapSide(symbol.name, "key"),
        value: types.mapSide(symbol.name, "value"))
    }.sorted { $0.name < $1.name }
  }

  private static func typeName(_ type: UInt32) -> String {
    guard let name = libbpf_bpf_map_type_str(bpf_map_type(rawValue: type)) else { return "type \(type)" }
    return String(cString: name)
  }

  private static func variables(_ image: ELFImage, _ file: ObjectFile) -> [Variable] {
    let unknown = ConfigVariables.unknown(file.variables)
    return file.variables.map { variable in
      let section = image.section(variable.section)
      let contents = section.map { Array(image.contents($0)) } ?? []
      let end = variable.offset &+ variable.size
      let isInside = variable.offset >= 0 && end >= variable.offset && end <= contents.count
      let isConfig = variable.name.hasPrefix(ConfigVariables.prefix)
      let name = isConfig ? String(variable.name.dropFirst(ConfigVariables.prefix.count)) : variable.name
      return Variable(
        name: name, section: variable.section,
        initial: isInside ? Array(contents[variable.offset..<end]) : [],
        isUnknown: isConfig && unknown.contains(name))
    }.sorted { ($0.section, $0.name) < ($1.section, $1.name) }
  }

  private static func unknown(_ file: ObjectFile, _ types: BTFTypes, isOurs: Bool) -> [String] {
    guard !isOurs else { return [] }
    var lines = ConfigVariables.unknown(file.variables).map { "configuration variable \($0)" }
    var layouts = MapLayouts.native
    do throws(KernelError) { try layouts.adopt(types, object: file.name) } catch {
      lines.append(error.detail)
    }
    return lines
  }
}
