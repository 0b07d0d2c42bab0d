import CLibbpf
import Glibc

/// BPF_PROG_TEST_RUN with everything prepared: a call costs one system call and no allocation.
struct TestRun: ~Copyable {
  private let attributes: UnsafeMutablePointer<bpf_attr>
  /// `struct __sk_buff` or `struct xdp_md`, given to and returned by the kernel.
  let context: UnsafeMutableRawPointer
  let contextOut: UnsafeMutableRawPointer
  private let data: UnsafeMutableRawPointer
  private(set) var dataSize = 0

  /// More than any frame that the kernel lets through, encapsulation included.
  private static let dataCapacity = 16384
  static let skbSize = MemoryLayout<__sk_buff>.size
  static let xdpSize = MemoryLayout<xdp_md>.size

  init() {
    attributes = .allocate(capacity: 1)
    context = .allocate(byteCount: 256, alignment: 8)
    contextOut = .allocate(byteCount: 256, alignment: 8)
    data = .allocate(byteCount: Self.dataCapacity, alignment: 64)
    context.initializeMemory(as: UInt8.self, repeating: 0, count: 256)
    contextOut.initializeMemory(as: UInt8.self, repeating: 0, count: 256)
    data.initializeMemory(as: UInt8.self, repeating: 0, count: Self.dataCapacity)
    ciliate_test_run_prepare(attributes, 0, context, contextOut, 0, data)
  }

  deinit {
    attributes.deallocate()
    context.deallocate()
    contextOut.deallocate()
    data.deallocate()
  }

  /// Runs a program once on `frame`. Returns its return value; the frame and the context are then in `frameOut` and
  /// `contextOut`. Throws `notRun` when the kernel refuses the input itself.
  @inline(__always)
  mutating func run(
    _ program: Int32, frame: borrowing [UInt8], contextSize: Int
  ) throws(KernelError) -> UInt32 {
    attributes.pointee.test.ctx_size_in = UInt32(contextSize)
    var output = ciliate_test_run_output()
    let count = frame.count
    let result = frame.withUnsafeBytes {
      ciliate_test_run(
        attributes, program, $0.baseAddress, UInt32(truncatingIfNeeded: count), UInt32(Self.dataCapacity),
        UInt32(contextSize), &output)
    }
    guard result == 0 else { throw Self.failure(result, count) }
    dataSize = min(Int(output.data_size), Self.dataCapacity)
    return output.verdict
  }

  /// The frame as the program left it.
  var frameOut: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: data, count: dataSize) }

  private static func failure(_ result: Int32, _ count: Int) -> KernelError {
    if result == -EINVAL || result == -EMSGSIZE {
      return KernelError(
        .notRun, call: "bpf(BPF_PROG_TEST_RUN)", errno: -result, detail: "a frame of \(count) octets")
    }
    return .system("bpf(BPF_PROG_TEST_RUN)", result, "a frame of \(count) octets")
  }
}
