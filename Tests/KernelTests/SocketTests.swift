import Datapath
import MapABI
import Testing
import TwoPods
import Wire

@testable import Kernel

extension KernelSuite {
  /// Socket hooks, by a real connect().
  @Suite struct SocketTests {
    static let service = IPAddress.v4(IPv4Address(bits: 0x0a60_0010))  // 10.96.0.16

    @Test(
      "The host's connect to a service is led to its backend; a pod's is not; one without backends is refused",
      .needsKernel, .needsCilium,
      arguments: CiliumFolders.all, [UInt8(6), 17])
    func connect(_ folder: CiliumFolder, _ number: UInt8) throws {
      var image = TwoPods.image(.open, isDual: folder.isDual)
      // Under its protocol and, as 1.18 may be built to look it up, under none.
      for entry in [number, 0] { addService(&image.maps, Self.service, entry, backends: 1) }
      let empty = IPAddress.v4(IPv4Address(bits: 0x0a60_0011))
      for entry in [number, 0] { addService(&image.maps, empty, entry, backends: 0) }
      let attachment = Attachment(
        hook: .sock4Connect, ifindex: 0, device: "", config: image.attachments[0].config)
      let state = NodeState(image)
      var node = try KernelNode.make(state, objects: folder.objects(["bpf_sock.o"]))
      func run(_ to: IPAddress, netns: UInt64) throws -> HookResult {
        let address = SocketAddress(
          destination: to, port: 80, protocol: number, cookie: 1, netnsCookie: netns)
        return try node.run(
          attachment,
          on: HookInput(.socket(address), environment: Environment(ktime: 1_000_000_000_000, random: 1)),
          state: state)
      }
      let host = try run(Self.service, netns: 1)
      #expect(host.verdict == .pass)
      #expect(destination(host) == TwoPods.server)
      let pod = try run(Self.service, netns: 77)
      #expect(pod.verdict == .pass)
      #expect(destination(pod) == Self.service)
      #expect(try run(empty, netns: 1).verdict == .drop)
    }

    private func destination(_ result: HookResult) -> IPAddress? {
      if case .socket(let address) = result.subject { address.destination } else { nil }
    }

    private func addService(_ maps: inout NodeMaps, _ address: IPAddress, _ number: UInt8, backends: UInt16) {
      var key = ServiceKey4()
      key.address = AddressWords(address).w0
      key.dport = UInt16(80).bigEndian
      key.proto = number
      var frontend = ServiceEntry()
      frontend.count = backends
      frontend.rev_nat_index = UInt16(truncatingIfNeeded: key.address >> 24)
      maps.services4[key] = frontend
      guard backends > 0 else { return }
      key.backend_slot = 1
      var slot = ServiceEntry()
      slot.backend_id = 9
      maps.services4[key] = slot
      var backend = Backend4()
      backend.address = AddressWords(TwoPods.server).w0
      backend.port = UInt16(8080).bigEndian
      backend.proto = number
      maps.backends4[9] = backend
    }
  }
}
