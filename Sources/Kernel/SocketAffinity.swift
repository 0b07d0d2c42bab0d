import Datapath
import MapABI
import Wire

/// Affinity of a socket belongs to its network namespace, under the number that the kernel gave that: only the first
/// namespace's is the same everywhere.
enum SocketAffinity {
  /// Throws `notRun` for a pod's socket whose service keeps clients with their backends.
  static func check(_ input: HookInput, _ state: borrowing NodeState) throws(KernelError) {
    guard case .socket(let socket) = input.subject, socket.netnsCookie != SocketRunner.hostCookie,
      isKept(socket.destination, state.maps)
    else { return }
    throw KernelError(
      .notRun, call: "connect", detail: "affinity of a network namespace that this kernel numbers otherwise")
  }

  private static func isKept(_ address: IPAddress, _ maps: borrowing NodeMaps) -> Bool {
    let words = AddressWords(address)
    switch address {
    case .v4:
      return zip(maps.services4.keys, maps.services4.values).contains { key, entry in
        key.address == words.w0 && entry.flags & UInt8(SVC_FLAG_AFFINITY.rawValue) != 0
      }
    case .v6:
      return zip(maps.services6.keys, maps.services6.values).contains { key, entry in
        let found = key.address
        return (found.w0, found.w1, found.w2, found.w3) == (words.w0, words.w1, words.w2, words.w3)
          && entry.flags & UInt8(SVC_FLAG_AFFINITY.rawValue) != 0
      }
    }
  }
}
