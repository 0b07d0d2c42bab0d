import CLibpcap
import Glibc

/// libpcap, loaded when a filter or an interface asks for it.
///
/// Linked in, it would be loaded by every run of the program, and D-Bus, systemd and libgcrypt with it: a quarter of
/// the time that reading a small capture takes.
struct PcapLibrary {
  typealias OpenDead = @convention(c) (Int32, Int32) -> OpaquePointer?
  typealias OpenLive =
    @convention(c) (UnsafePointer<CChar>, Int32, Int32, Int32, UnsafeMutablePointer<CChar>) -> OpaquePointer?
  typealias Close = @convention(c) (OpaquePointer) -> Void
  typealias ErrorText = @convention(c) (OpaquePointer) -> UnsafeMutablePointer<CChar>?
  typealias Compile =
    @convention(c) (
      OpaquePointer, UnsafeMutablePointer<bpf_program>, UnsafePointer<CChar>, Int32, UInt32
    ) -> Int32
  typealias FreeCode = @convention(c) (UnsafeMutablePointer<bpf_program>) -> Void
  typealias OfflineFilter =
    @convention(c) (UnsafePointer<bpf_program>, UnsafePointer<pcap_pkthdr>, UnsafePointer<UInt8>) -> Int32
  typealias DataLink = @convention(c) (OpaquePointer) -> Int32
  typealias Next =
    @convention(c) (
      OpaquePointer, UnsafeMutablePointer<UnsafeMutablePointer<pcap_pkthdr>?>,
      UnsafeMutablePointer<UnsafePointer<UInt8>?>
    ) -> Int32

  let openDead: OpenDead
  let openLive: OpenLive
  let close: Close
  let errorText: ErrorText
  let compile: Compile
  let freeCode: FreeCode
  let offlineFilter: OfflineFilter
  let dataLink: DataLink
  let next: Next

  /// Loads the library, which then stays until the process ends.
  init() throws(CaptureError) {
    // The name on Debian, and the one elsewhere.
    guard let library = dlopen("libpcap.so.0.8", RTLD_NOW) ?? dlopen("libpcap.so.1", RTLD_NOW) else {
      throw CaptureError(file: "libpcap", reason: "not found; filters and interfaces need it")
    }
    openDead = try Self.symbol(library, "pcap_open_dead")
    openLive = try Self.symbol(library, "pcap_open_live")
    close = try Self.symbol(library, "pcap_close")
    errorText = try Self.symbol(library, "pcap_geterr")
    compile = try Self.symbol(library, "pcap_compile")
    freeCode = try Self.symbol(library, "pcap_freecode")
    offlineFilter = try Self.symbol(library, "pcap_offline_filter")
    dataLink = try Self.symbol(library, "pcap_datalink")
    next = try Self.symbol(library, "pcap_next_ex")
  }

  /// A function of the library; the type is the one that its header declares.
  private static func symbol<Function>(
    _ library: UnsafeMutableRawPointer, _ name: String
  ) throws(CaptureError) -> Function {
    guard let address = dlsym(library, name) else {
      throw CaptureError(file: "libpcap", reason: "has no \(name)")
    }
    return unsafeBitCast(address, to: Function.self)
  }

  /// The reason of the last failure on a handle.
  func reason(_ handle: OpaquePointer) -> String {
    errorText(handle).map { String(cString: $0) } ?? "unknown"
  }
}
