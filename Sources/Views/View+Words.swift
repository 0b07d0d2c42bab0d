import Wire

/// Words that name no view, and what to write instead.
public struct UnknownView: Error, Hashable, Sendable, CustomStringConvertible {
  /// The words as given.
  public var asked: String
  /// One sentence with the right spelling.
  public var hint: String

  public var description: String { "no view \"\(asked)\": \(hint)" }
}

extension View {
  /// The view that these words name: a command of cilium-dbg with its aliases, options and arguments.
  ///
  /// `cilium` or `cilium-dbg` may stand in front. Errors say what is wrong and which spelling is nearest.
  public static func resolve(_ words: [String]) throws(UnknownView) -> View {
    let asked = words.joined(separator: " ")
    func fail(_ hint: String) -> UnknownView { UnknownView(asked: asked, hint: hint) }
    var plain = words.filter { !$0.hasPrefix("-") || $0 == "-" }
    if let first = plain.first, first == "cilium" || first == "cilium-dbg" { plain.removeFirst() }
    guard
      let command = ViewCommand.allCases.first(where: { $0.isNamed(by: plain, shortNames: $0.hasShortName) })
    else { throw fail(ViewHints.hint(for: plain)) }
    var options: Set<String> = []
    for word in words where word.hasPrefix("-") && word != "-" {
      guard let names = command.optionNames(word) else {
        throw fail(ViewHints.option(word, of: command))
      }
      options.formUnion(names)
    }
    let arguments = Array(plain.dropFirst(command.words.count))
    return try view(command, options, arguments, fail)
  }

  /// The view that these words name; nil if none. `resolve` says why.
  public init?(_ words: [String]) {
    guard let view = try? View.resolve(words) else { return nil }
    self = view
  }

  /// The view that this text names, its words separated by spaces.
  public init?(_ text: String) { self.init(text.split(whereSeparator: \.isWhitespace).map { String($0) }) }

  private static func view(
    _ command: ViewCommand, _ options: Set<String>, _ arguments: [String], _ fail: (String) -> UnknownView
  ) throws(UnknownView) -> View {
    let numeric = options.contains("numeric")
    switch command {
    case .bpfPolicyGet:
      if options.contains("all") { return .bpfPolicyList(numeric: numeric) }
      guard arguments.count == 1, let id = UInt16(arguments[0]) else {
        throw fail("bpf policy get needs the id of an endpoint (see endpoint list), or --all")
      }
      return .bpfPolicyGet(endpoint: id, numeric: numeric)
    case .bpfIPCacheGet:
      guard arguments.count == 1, let address = IPAddress(arguments[0]) else {
        throw fail("bpf ipcache get needs an IP address")
      }
      return .bpfIPCacheGet(address)
    case .bpfConntrackList where arguments == ["global"]: break
    default:
      guard arguments.isEmpty else {
        throw fail("\(command.rawValue) takes no argument, found \"\(arguments.joined(separator: " "))\"")
      }
    }
    return view(command, options)
  }

  private static func view(_ command: ViewCommand, _ options: Set<String>) -> View {
    switch command {
    case .identityList: .identityList(endpointsOnly: options.contains("endpoints"))
    case .endpointList: .endpointList(headers: !options.contains("no-headers"))
    case .serviceList: .serviceList(meshAffinity: options.contains("clustermesh-affinity"))
    case .nodeList: .nodeList
    case .nodeIDList: .nodeIDList
    case .addressList:
      .addressList(numeric: options.contains("numeric"), verbose: options.contains("verbose"))
    case .mapList: .mapList
    case .bpfLoadBalancerList: .bpfLoadBalancerList(part(options))
    case .bpfConntrackList: .bpfConntrackList(timeDifference: options.contains("time-diff"))
    case .bpfPolicyGet, .bpfPolicyList: .bpfPolicyList()
    case .bpfIPCacheList, .bpfIPCacheGet: .bpfIPCacheList
    case .bpfEndpointList: .bpfEndpointList
    case .bpfNATList: .bpfNATList
    case .bpfMetricsList: .bpfMetricsList
    case .bpfAuthList: .bpfAuthList
    case .bpfNodeIDList: .bpfNodeIDList
    case .bpfTunnelList: .bpfTunnelList
    }
  }

  /// Of several, cilium-dbg heeds the first in this order.
  private static func part(_ options: Set<String>) -> LoadBalancerList.Part {
    if options.contains("revnat") { return .reverseNAT }
    if options.contains("frontends") { return .frontends }
    return options.contains("backends") ? .backends : .services
  }
}

extension ViewCommand {
  /// The options that a word stands for: `--numeric`, or letters as in `-nv`; nil if there is an unknown one.
  fileprivate func optionNames(_ word: String) -> [String]? {
    if word.hasPrefix("--") {
      let name = String(word.dropFirst(2))
      return options.contains { $0.name == name } ? [name] : nil
    }
    var names: [String] = []
    for letter in word.dropFirst() {
      guard let option = options.first(where: { $0.letter == letter }) else { return nil }
      names.append(option.name)
    }
    return names
  }
}
