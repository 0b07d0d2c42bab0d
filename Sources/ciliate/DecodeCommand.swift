import ArgumentParser
import Capture

/// `ciliate decode`: who is talking in a capture of Cilium's tunnels.
struct DecodeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode", abstract: "Show the security identities in captures of Cilium's tunnels.",
    discussion: """
      Reads pcap and pcapng, plain or compressed with gzip or zstd; - is standard input. The VNI of a VXLAN or \
      Geneve packet is its sender's security identity.
      """)

  @Argument(help: "Captures to read; with --follow also a network interface.")
  var files: [String]

  @Option(help: "Count by flow, by identity, or print each packet.")
  var by: Grouping = .flow

  @Option(name: .shortAndLong, help: "Output format.")
  var output: DecodeRequest.Output = .table

  @Option(
    help:
      "Names of identities: what 'cilium-dbg identity list' or 'kubectl get ciliumidentities -o json' prints, or a scenario."
  )
  var identities: [String] = []

  @Option(help: "The mesh's maxConnectedClusters, 255 or 511: where in a VNI the cluster's number stands.")
  var maxConnectedClusters: IdentityNames.MeshLimit = .clusters255

  @Option(help: "Names of pods: what 'kubectl get ciliumendpoints -A -o json' prints, or a scenario.")
  var endpoints: [String] = []

  @Option(
    help:
      "Only packets that match a libpcap expression, outside or inside; 'outer:' or 'inner:' before it pins one."
  )
  var filter: String?

  @Option(help: "Only packets from this time on (RFC 3339, or seconds since the epoch).")
  var from: String?

  @Option(help: "Only packets up to this time.")
  var to: String?

  @Option(
    help:
      "A scenario, a capture, or the JSON of an earlier run: its identities and flows must be here, and no others."
  )
  var expect: String?

  @Option(help: "Write the selected packets to this pcapng file, with identities as comments.")
  var write: String?

  @Flag(help: "With --write: the inner packets, without their tunnel.")
  var decapsulate = false

  @Option(help: "Write decode-as and names files for Wireshark into this folder.")
  var wireshark: String?

  @Flag(help: "Wait for more, until interrupted: a growing file or a network interface.")
  var follow = false

  @Option(help: "With --follow: stop after so many seconds without anything new.")
  var idle: Double?

  @Flag(help: "With --by identity: show the identities that each one talked with.")
  var peers = false

  @Option(help: "UDP ports of VXLAN.")
  var vxlanPort: [UInt16] = [8472, 4789]

  @Option(help: "UDP ports of Geneve.")
  var genevePort: [UInt16] = [6081]

  @Option(help: "UDP port of WireGuard.")
  var wireguardPort: UInt16 = 51871

  func validate() throws {
    if follow, files.count != 1 { throw ValidationError("--follow takes one file or interface") }
    if decapsulate, write == nil { throw ValidationError("--decapsulate goes with --write") }
    if idle != nil, !follow { throw ValidationError("--idle goes with --follow") }
    for text in [from, to].compactMap({ $0 }) where Timestamp.nanoseconds(text) == nil {
      throw ValidationError("'\(text)' is no time: expected RFC 3339 or seconds since the epoch")
    }
  }

  func run() throws {
    var request = DecodeRequest()
    request.files = files
    request.by = by
    request.output = output
    request.identities = identities
    request.meshLimit = maxConnectedClusters
    request.endpoints = endpoints
    request.filter = filter
    request.from = from
    request.to = to
    request.expect = expect
    request.write = write
    request.decapsulate = decapsulate
    request.wireshark = wireshark
    request.follow = follow
    request.idle = idle
    request.peers = peers
    request.ports = DecodingPorts(vxlan: vxlanPort, geneve: genevePort, wireguard: wireguardPort)
    let code = request.run()
    if code != 0 { throw ExitCode(code) }
  }
}

extension Grouping: ExpressibleByArgument {}
extension IdentityNames.MeshLimit: ExpressibleByArgument {}
extension DecodeRequest.Output: ExpressibleByArgument {}
