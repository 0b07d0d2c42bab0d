import Cluster

/// A port that a container's process is bound to.
public struct ListeningPort: Hashable, Sendable, Comparable {
  public var transport: TransportProtocol
  public var number: UInt16

  public init(_ number: UInt16, _ transport: TransportProtocol) {
    self.transport = transport
    self.number = number
  }

  public static func < (a: Self, b: Self) -> Bool {
    (a.transport, a.number) < (b.transport, b.number)
  }
}

extension ListeningPort: CustomStringConvertible {
  public var description: String { "\(number)/\(transport.rawValue)" }
}

/// What the processes of known images are bound to, whatever the manifest declares.
public enum KnownImage {
  /// By the last part of the image's name, without registry, tag and digest.
  public static let ports: [String: [ListeningPort]] = [
    "nginx": [ListeningPort(80, .tcp)],
    "nginx-unprivileged": [ListeningPort(8080, .tcp)],
    "httpd": [ListeningPort(80, .tcp)],
    "caddy": [ListeningPort(80, .tcp), ListeningPort(443, .tcp)],
    "traefik": [ListeningPort(80, .tcp)],
    "whoami": [ListeningPort(80, .tcp)],
    "httpbin": [ListeningPort(80, .tcp)],
    "go-httpbin": [ListeningPort(8080, .tcp)],
    "http-echo": [ListeningPort(5678, .tcp)],
    "json-mock": [ListeningPort(8080, .tcp)],
    "starwars": [ListeningPort(80, .tcp)],
    "redis": [ListeningPort(6379, .tcp)],
    "memcached": [ListeningPort(11_211, .tcp)],
    "postgres": [ListeningPort(5432, .tcp)],
    "mysql": [ListeningPort(3306, .tcp)],
    "mariadb": [ListeningPort(3306, .tcp)],
    "mongo": [ListeningPort(27_017, .tcp)],
    "rabbitmq": [ListeningPort(5672, .tcp), ListeningPort(15_672, .tcp)],
    "prometheus": [ListeningPort(9090, .tcp)],
    "grafana": [ListeningPort(3000, .tcp)],
    "coredns": [
      ListeningPort(53, .tcp), ListeningPort(8080, .tcp), ListeningPort(8181, .tcp),
      ListeningPort(9153, .tcp), ListeningPort(53, .udp),
    ],
  ]

  /// The last part of an image's name: `nginx` of `docker.io/library/nginx:1.27@sha256:…`.
  static func name(_ image: String) -> String {
    let withoutDigest = image.split(separator: "@", maxSplits: 1).first ?? ""
    let last = withoutDigest.split(separator: "/").last ?? ""
    return String(last.split(separator: ":", maxSplits: 1).first ?? "")
  }
}

extension ListeningPort {
  public static let annotation = "ciliate.dev/listen"

  /// What a pod listens on: the annotation's ports where there is one (`80/TCP,53/UDP`; TCP when left out), else
  /// for each container those of its image if it is known, else the ports that it declares.
  static func ports(of pod: Pod, _ findings: inout [Finding]) -> [ListeningPort] {
    if let text = pod.annotations[annotation] {
      var ports: [ListeningPort] = []
      for word in text.split(whereSeparator: { $0 == "," || $0 == " " }) {
        if let port = parse(word) {
          ports.append(port)
        } else {
          findings.append(
            Finding(
              "listen-annotation", .error,
              "annotation \(annotation): found \"\(word)\", expected PORT or PORT/PROTOCOL",
              object: pod.reference, at: pod.location))
        }
      }
      return sorted(ports)
    }
    var ports: [ListeningPort] = []
    for container in pod.spec.containers + pod.spec.sidecars {
      if let known = KnownImage.ports[KnownImage.name(container.image)] {
        ports += known
      } else {
        ports += container.ports.map { ListeningPort($0.number, $0.transport) }
      }
    }
    return sorted(ports)
  }

  private static func parse(_ word: Substring) -> ListeningPort? {
    let parts = word.split(separator: "/", omittingEmptySubsequences: false)
    guard let first = parts.first, let number = UInt16(first), number > 0 else { return nil }
    switch parts.count {
    case 1: return ListeningPort(number, .tcp)
    case 2: return TransportProtocol(rawValue: parts[1].uppercased()).map { ListeningPort(number, $0) }
    default: return nil
    }
  }

  private static func sorted(_ ports: [ListeningPort]) -> [ListeningPort] { Array(Set(ports)).sorted() }
}
