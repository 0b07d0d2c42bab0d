import Kernel
import Manifests

/// `ciliate-datapath.yaml`: what a developer's build was compiled with, in place of the agent's headers.
///
///     node: {ENABLE_IPV4: 1, TUNNEL_MODE: 1, ENCAP_IFINDEX: 5}
///     endpoint: {ENABLE_ROUTING: 1, MONITOR_AGGREGATION: 3}
///     device: {MONITOR_AGGREGATION: 3}
///
/// The three stand for `node_config.h`, `ep_config.h` and `netdev_config.h`. A switch that is not named is off.
enum DatapathFile {
  static let name = "ciliate-datapath.yaml"

  private static let sections = [
    ("node", "node_config.h"), ("endpoint", "ep_config.h"), ("device", "netdev_config.h"),
  ]

  /// The headers that the file stands for, as text.
  static func headers(_ path: String) throws -> [(name: String, text: String)] {
    var headers = sections.map { (name: $0.1, text: "") }
    for document in try YAMLReader(file: path).documents(try readText(path)) {
      guard case .mapping(let members) = document.content else {
        throw FileError(path: path, message: "a mapping with node, endpoint and device was expected")
      }
      for member in members {
        guard let index = sections.firstIndex(where: { $0.0 == member.key }) else {
          throw FileError(
            path: "\(member.keyLocation)", message: "\(member.key): node, endpoint or device was expected")
        }
        headers[index].text += try macros(member.value, of: sections[index].1, path)
      }
    }
    return headers
  }

  private static func macros(_ value: YAMLValue, of header: String, _ path: String) throws -> String {
    guard case .mapping(let members) = value.content else {
      throw FileError(path: path, message: "macros with their values were expected for \(header)")
    }
    let known = CompiledOptions.knownMacros.filter { $0.header == header || header == "ep_config.h" }
      .flatMap(\.names)
    var text = ""
    for member in members {
      guard known.contains(member.key) else {
        throw FileError(
          path: "\(member.keyLocation)", message: "\(member.key): no compile-time option that is known here")
      }
      switch member.value.content {
      case .integer(let number) where number >= 0: text += "#define \(member.key) \(number)\n"
      case .bool(let isOn): text += "#define \(member.key) \(isOn ? 1 : 0)\n"
      default:
        throw FileError(path: "\(member.keyLocation)", message: "\(member.key): a number was expected")
      }
    }
    return text
  }
}

/// Objects that nobody says the options of.
struct UnknownOptions: Error, CustomStringConvertible {
  var folder: String
  var options: [String]

  var description: String {
    "\(folder): neither node_config.h nor \(DatapathFile.name) beside the objects; compiled in, and not known: "
      + options.joined(separator: ", ")
  }
}
