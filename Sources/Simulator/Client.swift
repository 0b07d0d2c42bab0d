import Datapath
import Wire

/// A probe on its way.
struct Client {
  enum Phase: Equatable {
    case resolving(candidates: [String], type: DNSMessage.RecordType)
    case connecting
    case awaitingResponse
    case closing
    case held
    case done
  }

  var request: ProbeRequest
  var phase = Phase.connecting
  var result = ProbeResult(outcome: .timeout)
  /// The client's own end, once it has one.
  var pair: SocketPair?
  var deadline: Instant
  /// Counts what makes earlier timers void.
  var generation = 0
  var backoff = Instant.Span.seconds(1)
  /// What is sent again when no answer comes.
  var unanswered: Packet?
  var received: [UInt8] = []
  /// For a proxy's own client: what it works for.
  var upstream: UpstreamLink?

  /// Whether nobody answers what it sends: any message of ICMP but an echo request.
  var isOneWay: Bool {
    guard case .icmp(let type?, _) = request.traffic else { return false }
    return type != 8 && type != 128
  }
}
