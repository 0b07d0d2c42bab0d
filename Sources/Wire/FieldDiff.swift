/// One difference between two frames: a header field by name, or a range of octets that no header describes.
///
/// Printed as `ipv4.ttl: 63 vs 64`, `inner.tcp.dport: 80 vs 8080`, `payload[3..<5]: 01 02 vs 03 04`. Ranges count
/// from the start of the layer that they name.
public struct FieldDiff: Hashable, Sendable {
  public var path: String
  public var left: String
  public var right: String

  init(_ path: String, _ left: some CustomStringConvertible, _ right: some CustomStringConvertible) {
    self.path = path
    self.left = left.description
    self.right = right.description
  }
}

extension FieldDiff: CustomStringConvertible {
  public var description: String { "\(path): \(left) vs \(right)" }
}

extension FieldDiff {
  /// What differs, from the outermost layer inwards; empty exactly when the frames are equal.
  ///
  /// Layers are compared as long as both frames have the same ones; where they part, `layers` names both
  /// sequences and, if the frames are of equal length, the octets that differ from there on follow.
  public static func between(
    _ left: [UInt8], _ right: [UInt8], as first: WireProtocol = .ethernet,
    tunnelPorts ports: TunnelPorts = .standard
  ) -> [FieldDiff] {
    guard left != right else { return [] }
    var result: [FieldDiff] = []
    if left.count != right.count { result.append(FieldDiff("frame.length", left.count, right.count)) }

    let a = Frame.dissect(left, as: first, tunnelPorts: ports).entries
    let b = Frame.dissect(right, as: first, tunnelPorts: ports).entries
    let common = zip(a, b).prefix { $0.path == $1.path }
    for (a, b) in common {
      let octets = (left[a.range], right[b.range])
      guard octets.0 != octets.1 else { continue }
      let fields = zip(a.layer.fields, b.layer.fields).filter { $0 != $1 }
      result += fields.map { FieldDiff("\(a.path).\($0.name)", $0.value, $1.value) }
      // What no field tells apart: payload, and the padding of options.
      if fields.isEmpty { result += ranges(a.path, octets.0, octets.1) }
    }

    let count = Array(common).count
    if count < max(a.count, b.count) {
      result.append(FieldDiff("layers", sequence(a), sequence(b)))
      if left.count == right.count {
        let start = min(
          count < a.count ? a[count].range.lowerBound : left.count,
          count < b.count ? b[count].range.lowerBound : right.count)
        result += ranges("frame", left[...], right[...], from: start)
      }
    }
    return result
  }

  private static func sequence(_ entries: [Dissection.Entry]) -> String {
    entries.map(\.path).joined(separator: " / ")
  }

  /// The runs of differing octets, with runs joined that less than four equal octets part.
  private static func ranges(
    _ path: String, _ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, from start: Int = 0
  ) -> [FieldDiff] {
    let (a, b) = ([UInt8](left), [UInt8](right))
    var result: [FieldDiff] = []
    if a.count != b.count { result.append(FieldDiff("\(path).length", a.count, b.count)) }
    var runs: [Range<Int>] = []
    for index in start..<max(start, min(a.count, b.count)) where a[index] != b[index] {
      if let last = runs.last, index - last.upperBound < 4 {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    return result + runs.map { FieldDiff("\(path)[\($0)]", excerpt(a[$0]), excerpt(b[$0])) }
  }

  private static func excerpt(_ octets: ArraySlice<UInt8>) -> String {
    octets.count <= 16 ? octetText(octets) : octetText(octets.prefix(16)) + " … (\(octets.count) octets)"
  }
}
