public import Cluster
import ControlPlane
public import Datapath
public import Intent
import MapABI
import Simulator
import Wire

/// Looks at nothing.
public struct Unobserved: HopObserver {
  public init() {}
  public mutating func observe(_ hop: borrowing Hop, state: borrowing NodeState) {}
}

/// Answers probes with packets: the first one of a conversation, at the source's program and, on another node, at
/// the tunnel's. What a whole conversation would add says nothing of policy.
///
/// The maps come from the control plane, which is told of one step after the other, as a cluster would be. What a
/// hop would change is not kept, so that each probe finds the maps as the agents rendered them.
public struct PacketOracle<Observer: HopObserver & ~Copyable>: ~Copyable {
  public private(set) var observer: Observer
  private var plane: ControlPlane
  private var nodes: [String: NodeBox] = [:]
  private var frames: [FrameKey: [UInt8]] = [:]
  /// Another one for each set of policies, so that no probe is a connection that programs in the kernel may know.
  private var sourcePort: UInt16 = 40_000
  private let model = Model()

  /// A node's state, which cannot be copied, and its programs.
  private final class NodeBox {
    var state: NodeState
    var fromContainer: [UInt32: Attachment] = [:]
    var fromOverlay: Attachment?
    let address: IPAddress?
    let tunnelMAC: MACAddress?

    init(_ state: consuming NodeState, address: IPAddress?, tunnelMAC: MACAddress?) {
      self.state = state
      self.address = address
      self.tunnelMAC = tunnelMAC
    }

    func index() {
      fromContainer = [:]
      for attachment in state.image.attachments {
        switch attachment.hook {
        case .fromContainer: fromContainer[attachment.ifindex] = attachment
        case .fromOverlay: fromOverlay = attachment
        default: break
        }
      }
    }
  }

  private struct FrameKey: Hashable {
    let source: IPAddress
    let destination: IPAddress
    let transport: Transport
    let mac: MACAddress
  }

  /// What became of a packet.
  public enum Answer: Equatable {
    case allowed
    /// By policy, with this drop reason.
    case denied(UInt8)
    /// Something else than policy decided, or the model has no answer.
    case lost(String)
  }

  public init(settings: Settings, network: ClusterNetwork, observer: consuming Observer) {
    self.observer = observer
    plane = ControlPlane(settings: settings, network: network)
  }

  /// Lets controllers and agents react to the objects as they now are.
  public mutating func apply(_ cluster: ClusterState) {
    sourcePort = sourcePort < 60_000 ? sourcePort + 1 : 40_000
    frames.removeAll(keepingCapacity: true)
    for update in plane.reconcile(cluster) {
      if update.isRemoved {
        nodes[update.node] = nil
      } else if let box = nodes[update.node] {
        box.state.reconfigure(
          attachments: update.attachments, endpointConfigs: update.endpointConfigs, changes: update.changes)
        if update.attachments != nil { box.index() }
      } else if let image = plane.image(of: update.node) {
        let info = plane.node(update.node)
        let box = NodeBox(
          NodeState(image), address: info?.addresses.first,
          tunnelMAC: info?.devices.first { $0.ifindex == Overlay.ifindex }?.mac)
        box.index()
        nodes[update.node] = box
      }
    }
  }

  /// Sends the first packet of a conversation between two pods.
  public mutating func answer(
    from source: NamespacedName, to destination: NamespacedName, _ transport: Transport
  ) -> Answer {
    guard let from = plane.endpoint(of: source), let to = plane.endpoint(of: destination),
      let box = nodes[from.node], let attachment = box.fromContainer[from.device.ifindex],
      let frame = frame(from, to, transport)
    else { return .lost("there is no such pod") }
    let ifindex = from.device.ifindex
    let sent = run(
      attachment, SocketBuffer(frame: frame, ifindex: ifindex, ingressIfindex: ifindex), box, from.node)
    guard case .success(let result) = sent else { return .lost("the model has no answer") }
    if result.verdict == .drop { return Self.dropped(result) }
    guard from.node != to.node else { return arrival(result, to) }
    guard case .skb(let buffer) = result.subject, let key = buffer.tunnelKey, case .redirect = result.verdict,
      let other = nodes[to.node], let overlay = other.fromOverlay, let address = box.address
    else { return .lost("it did not take the tunnel") }
    let isHost = Self.destinationMAC(buffer.frame) == other.tunnelMAC
    let received = run(
      overlay,
      SocketBuffer(
        frame: buffer.frame, ifindex: overlay.ifindex, ingressIfindex: overlay.ifindex,
        tunnelKey: TunnelKey(id: key.id, remote: address), packetType: isHost ? .host : .otherHost),
      other, to.node)
    guard case .success(let result) = received else { return .lost("the model has no answer") }
    return result.verdict == .drop ? Self.dropped(result) : arrival(result, to)
  }

  private func arrival(_ result: HookResult, _ to: Endpoint) -> Answer {
    guard case .redirect(let target?) = result.verdict, target.ifindex == to.device.ifindex else {
      return .lost("it went elsewhere: \(result.verdict)")
    }
    return .allowed
  }

  private static func dropped(_ result: HookResult) -> Answer {
    guard let reason = result.drop?.rawValue else { return .lost("dropped without a reason") }
    return PolicyDrop(rawValue: reason) != nil ? .denied(reason) : .lost("drop \(reason)")
  }

  private mutating func run(
    _ attachment: Attachment, _ buffer: SocketBuffer, _ box: NodeBox, _ node: String
  ) -> Result<HookResult, InterpreterError> {
    let time = Instant(nanoseconds: 0)
    let input = HookInput(
      .skb(buffer), environment: Environment(ktime: time.ktime, random: 1))
    do throws(InterpreterError) {
      let result = try model.run(attachment, on: input, state: box.state)
      let hop = Hop(
        time: time, node: node, attachment: attachment, input: input, result: result,
        position: box.state.position)
      observer.observe(hop, state: box.state)
      return .success(result)
    } catch {
      return .failure(error)
    }
  }

  // MARK: Frames

  private mutating func frame(_ from: Endpoint, _ to: Endpoint, _ transport: Transport) -> [UInt8]? {
    guard let source = from.addresses.first, let destination = to.address(source.family) else { return nil }
    let key = FrameKey(
      source: source, destination: destination, transport: transport, mac: from.containerMAC)
    if let frame = frames[key] { return frame }
    let port = sourcePort
    let body: Packet.Body
    switch transport {
    case .tcp(let number):
      body = .tcp(TCPHeader(sourcePort: port, destinationPort: number, flags: .syn, sequence: 1), [])
    case .udp(let number): body = .udp(source: port, destination: number, Array("probe".utf8))
    case .sctp(let number):
      body = .sctp(
        SCTPHeader(sourcePort: port, destinationPort: number, verificationTag: 0), Self.initiation)
    case .icmp, .other: body = .echo(request: true, identifier: 1, sequence: 1, Array("probe".utf8))
    }
    let frame = Packet(from: source, to: destination, body).frame(
      from: from.containerMAC, to: from.device.mac)
    frames[key] = frame
    return frame
  }

  /// An SCTP INIT chunk: tag 1, window 106496, ten streams each way. RFC 9260, section 3.3.2.
  private static var initiation: [UInt8] {
    [1, 0, 0, 20, 0, 0, 0, 1, 0, 1, 0xa0, 0, 0, 10, 0, 10, 0, 0, 0, 1]
  }

  private static func destinationMAC(_ frame: [UInt8]) -> MACAddress? {
    guard frame.count >= 6 else { return nil }
    return MACAddress(bits: frame[0..<6].reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }
}

extension PolicySuite {
  /// How Cilium is set up for a suite: as on kind, with SCTP, which is off by default.
  public static var settings: Settings {
    var settings = Settings()
    settings.ipam.mode = .kubernetes
    settings.ipv6Enabled = false
    settings.features.sctp = true
    return settings
  }

  /// Sends the first packet of every probe, and compares with what Cilium does.
  public func judge<Observer: HopObserver & ~Copyable>(
    packets oracle: inout PacketOracle<Observer>
  ) -> SuiteResult {
    var result = SuiteResult()
    for entry in cases {
      result.cases += 1
      for step in entry.steps {
        oracle.apply(step.cluster)
        for table in step.tables {
          for (row, source) in step.pods.enumerated() {
            for (column, destination) in step.pods.enumerated() where table.cilium[row][column] != "s" {
              let wanted = table.cilium[row][column]
              switch oracle.answer(from: source, to: destination, table.transport) {
              case .allowed: result.count(".", wanted, step, row, column, table.transport)
              case .denied: result.count("X", wanted, step, row, column, table.transport)
              case .lost(let reason):
                result.count("?", wanted, step, row, column, table.transport, because: ": \(reason)")
              }
            }
          }
        }
      }
    }
    return result
  }
}
