import ArgumentParser
import Capture
import Kernel
import Report

/// `ciliate inspect`: what an object file holds.
struct InspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "What an eBPF object holds: programs, maps, layouts, configuration, profile.",
    discussion:
      "Loads nothing and needs no rights. Exit codes: 0 read, 2 a file is no object that could be loaded.")

  enum Output: String, ExpressibleByArgument, CaseIterable { case text, json }

  @Argument(help: "Object files.")
  var objects: [String]

  @Option(name: .shortAndLong, help: "Output format.")
  var output: Output = .text

  func run() throws {
    var described: [ObjectDescription] = []
    var isBad = false
    for path in objects {
      do {
        described.append(try ObjectDescription(try readWholeFile(path), name: path))
      } catch {
        complain("\(error)")
        isBad = true
      }
    }
    var text = ""
    switch output {
    case .text: text = described.map(Self.text).joined(separator: "\n")
    case .json:
      JSONValue.members(
        ("schema", .string("ciliate.inspect/v1")), ("objects", .array(described.map(Self.document)))
      ).write(into: &text)
      text += "\n"
    }
    var out = TextOutput(descriptor: 1)
    out.put(text: text)
    out.flush()
    if isBad { throw ExitCode(2) }
  }

  private static func text(_ object: ObjectDescription) -> String {
    var lines = [object.name]
    lines.append("  profile  \(profile(object))")
    lines.append("  licence  \(object.licence ?? "none")")
    lines.append("programs")
    for program in object.programs {
      var line = "  \(program.name)  \(program.section)  \(program.instructions) instructions"
      if let slot = program.slot { line += "  slot \(slot)" }
      switch program.calls {
      case nil: line += "  tail-calls slots that its code does not name"
      case let calls? where !calls.isEmpty:
        line += "  tail-calls \(calls.map { "\($0)" }.joined(separator: " "))"
      default: break
      }
      lines.append(line)
    }
    lines.append("maps")
    for map in object.maps {
      lines.append(
        "  \(map.name)  \(map.typeName)  \(map.maxEntries.map { "\($0) entries" } ?? "size set later")")
      if let key = map.key { lines.append("    key    \(layout(key))") }
      if let value = map.value { lines.append("    value  \(layout(value))") }
    }
    lines.append("variables")
    for variable in object.variables {
      lines.append(
        "  \(variable.section)  \(variable.name)  \(value(variable.initial))"
          + (variable.isUnknown ? "  unknown to the model" : ""))
    }
    lines.append("sections")
    lines += object.sections.map { "  \($0.name)  \($0.size) octets" }
    if !object.unknown.isEmpty { lines += ["unknown"] + object.unknown.map { "  \($0)" } }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func profile(_ object: ObjectDescription) -> String {
    switch object.profile {
    case "ciliate"?: "Ciliate's own"
    case let version?: "Cilium \(version)"
    case nil: "not recognised"
    }
  }

  private static func layout(_ layout: StructLayout) -> String {
    layout.fields.count == 1 && layout.fields[0].name.isEmpty
      ? "\(layout.name.isEmpty ? "unnamed" : layout.name) (\(layout.size) octets)" : "\(layout)"
  }

  /// A number of up to eight octets in decimal; else octets.
  private static func value(_ octets: [UInt8]) -> String {
    guard octets.count > 8 || octets.isEmpty else {
      return "\(octets.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })  (\(octets.count) octets)"
    }
    return octets.allSatisfy { $0 == 0 } ? "zero  (\(octets.count) octets)" : hexadecimal(octets)
  }

  private static func hexadecimal(_ octets: [UInt8]) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func document(_ object: ObjectDescription) -> JSONValue {
    .members(
      ("file", .string(object.name)), ("profile", .text(object.profile)), ("licence", .text(object.licence)),
      ("programs", .array(object.programs.map(document))), ("maps", .array(object.maps.map(document))),
      (
        "variables",
        .array(
          object.variables.map { variable in
            .members(
              ("name", .string(variable.name)), ("section", .string(variable.section)),
              ("size", .integer(variable.initial.count)), ("default", .string(hexadecimal(variable.initial))),
              ("known", .bool(!variable.isUnknown)))
          })
      ),
      (
        "sections",
        .array(object.sections.map { .members(("name", .string($0.name)), ("size", .integer($0.size))) })
      ), ("unknown", .array(object.unknown.map(JSONValue.string))))
  }

  private static func document(_ program: ObjectDescription.Program) -> JSONValue {
    .members(
      ("name", .string(program.name)), ("section", .string(program.section)),
      ("instructions", .integer(program.instructions)), ("slot", .integer(program.slot)),
      ("tailCalls", program.calls.map { .array($0.map { .integer($0) }) } ?? .null),
      ("maps", .array(program.maps.map(JSONValue.string))))
  }

  private static func document(_ map: ObjectDescription.Map) -> JSONValue {
    .members(
      ("name", .string(map.name)), ("type", .string(map.typeName)), ("maxEntries", .integer(map.maxEntries)),
      ("key", map.key.map(document) ?? .null), ("value", map.value.map(document) ?? .null))
  }

  private static func document(_ layout: StructLayout) -> JSONValue {
    .members(
      ("type", .string(layout.name)), ("size", .integer(layout.size)),
      (
        "fields",
        .array(
          layout.fields.map { field in
            .members(
              ("name", .string(field.name)), ("bitOffset", .integer(field.bitOffset)),
              ("bits", .integer(field.bits)))
          })
      ))
  }
}
