import Datapath
import MapABI
import Wire

/// The program that test runs of tc hooks go through: it sets what the context cannot carry, calls the unmodified
/// hook, and notes what the kernel does not return (`bpf/test/driver_tc.bpf.c`).
struct Driver: ~Copyable {
  let program: LoadedProgram
  /// The program's descriptor.
  let descriptor: Int32
  /// The hooks that it can call, by slot.
  let hooks: BPFMap
  private let input: MappedArray
  private let output: MappedArray

  private static let slots: UInt32 = 4096

  static func load(_ file: ObjectFile) throws(KernelError) -> Driver {
    var made: [BPFMap] = []
    let plan = ObjectInstance.Plan(
      entries: file.programs.map(\.name), sectionContents: { _, _ in nil },
      map: { name, shape in name == "ciliate_hooks" ? .shared(slots) : .shared(shape.maxEntries) },
      share: { made.append($0) })
    let instance = try ObjectInstance.load(file, plan)
    guard let program = instance.programs.values.first,
      let hooks = made.first(where: { $0.name == "ciliate_hooks" }),
      let input = made.first(where: { $0.name == "ciliate_driver_in" }),
      let output = made.first(where: { $0.name == "ciliate_driver_out" })
    else { throw KernelError(.object, call: "load driver", detail: "\(file.name): maps are missing") }
    return Driver(
      program: program, descriptor: program.raw, hooks: hooks,
      input: try MappedArray(input, size: MemoryLayout<DriverInput>.size),
      output: try MappedArray(output, size: MemoryLayout<DriverOutput>.size))
  }

  /// Prepares a run of the hook in `slot`. `cutTo` shortens the frame inside the kernel.
  @inline(__always)
  func prepare(slot: UInt32, _ buffer: SocketBuffer, cutTo length: Int?) {
    var input = DriverInput()
    input.slot = slot
    input.tc_index = UInt32(buffer.tcIndex)
    if let key = buffer.tunnelKey {
      input.tunnel = key.remote.family == .ipv4 ? DRIVER_TUNNEL_IPV4.rawValue : DRIVER_TUNNEL_IPV6.rawValue
      input.tunnel_id = key.id
      input.tunnel_source = AddressWords(key.remote)
      input.tunnel_tos = key.tos
      input.tunnel_ttl = key.ttl
    }
    if let length {
      input.cut = 1
      input.length = UInt16(clamping: length)
    }
    self.input.store(input)
  }

  /// What the driver noted after the run.
  var noted: DriverOutput { output.load(as: DriverOutput.self) }
}

extension SocketBuffer {
  /// Takes over what the driver noted.
  mutating func adopt(_ noted: DriverOutput) {
    tcIndex = UInt16(truncatingIfNeeded: noted.tc_index)
    // TEST_RUN makes the type from the frame; only a change of it is the hook's doing.
    if noted.packet_type != noted.packet_type_before {
      packetType = PacketType(rawValue: noted.packet_type) ?? packetType
    }
    guard noted.tunnel != DRIVER_TUNNEL_NONE.rawValue else {
      tunnelKey = nil
      return
    }
    // A key that the hook set names the other node as destination; one that came with the packet as source.
    let family: AddressFamily = noted.tunnel == DRIVER_TUNNEL_IPV4.rawValue ? .ipv4 : .ipv6
    let destination = noted.tunnel_destination
    let isSent = destination.w0 | destination.w1 | destination.w2 | destination.w3 != 0
    tunnelKey = TunnelKey(
      id: noted.tunnel_id, remote: (isSent ? destination : noted.tunnel_source).address(family),
      tos: noted.tunnel_tos, ttl: noted.tunnel_ttl, options: isSent ? [] : tunnelKey?.options ?? [])
  }
}

/// Frames that TEST_RUN refuses, made acceptable: padded, to be cut again inside the kernel.
enum ShortFrame {
  /// The frame with zeros behind it, if its network header is cut off; nil when it can be run as it is.
  static func padded(_ frame: [UInt8]) -> [UInt8]? {
    guard frame.count >= 14, frame.count < 54 else { return nil }
    let needed: Int
    switch (frame[12], frame[13]) {
    case (0x08, 0x00): needed = 34
    case (0x86, 0xdd): needed = 54
    default: needed = 15  // the kernel refuses a frame without anything behind the Ethernet header
    }
    return frame.count < needed ? frame + [UInt8](repeating: 0, count: needed - frame.count) : nil
  }
}
