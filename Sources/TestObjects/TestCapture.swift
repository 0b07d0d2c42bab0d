import Capture
import Kernel

/// The packets of an object's tests as pcapng: an interface for each test, and on it the packet before and after the
/// program under test.
///
/// That is what setup got and made of it; the check's, when there is no setup. Times are invented, a second for each
/// test, so that the same tests give the same file.
public enum TestCapture {
  /// Nil when no test of the object has a packet.
  public static func pcapng(_ object: TestReport.Object) -> [UInt8]? {
    var writer = PcapngWriter(comment: "tests of \(object.name)")
    for (index, test) in object.tests.enumerated() {
      // A check alone has no packet: it got zeros.
      guard let run = test.stages.first(where: { $0.stage == .setup }) ?? test.stages.last,
        test.stages.count > 1 || run.stage == .setup
      else { continue }
      let interface = writer.addInterface(name: test.name, description: test.isXDP ? "xdp" : "tc")
      let time = UInt64(index) * 1_000_000_000
      writer.write(
        time: time, interface: interface, bytes: run.before,
        comment: "\(test.name): before \(run.stage.rawValue)")
      writer.write(
        time: time + 1_000_000, interface: interface, bytes: run.after,
        comment: "\(test.name): after \(run.stage.rawValue), which returned \(meaning(run, test.isXDP))")
    }
    return writer.interfaceCount > 0 ? writer.bytes : nil
  }

  private static func meaning(_ run: StageRun, _ isXDP: Bool) -> String {
    let tc: [UInt32: String] = [
      0: "TC_ACT_OK", 2: "TC_ACT_SHOT", 7: "TC_ACT_REDIRECT", .max: "TC_ACT_UNSPEC",
    ]
    let xdp: [UInt32: String] = [
      0: "XDP_ABORTED", 1: "XDP_DROP", 2: "XDP_PASS", 3: "XDP_TX", 4: "XDP_REDIRECT",
    ]
    guard run.stage == .setup, let name = (isXDP ? xdp : tc)[run.returned] else { return "\(run.returned)" }
    return "\(run.returned) (\(name))"
  }
}
