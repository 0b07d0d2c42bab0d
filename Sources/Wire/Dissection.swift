/// A frame taken apart into layers, from the outermost to the payload.
///
/// Every octet of the frame is in exactly one layer, in order: emitting the layers as they stand gives the frame.
public struct Dissection: Hashable, Sendable {
  /// One layer and where it stands.
  public struct Entry: Hashable, Sendable {
    public var layer: Layer
    /// Octets from the start of the frame.
    public var range: Range<Int>
    /// 0 for the frame itself, one more for each tunnel or ICMP quotation around the layer.
    public var depth: Int
    /// The number of `inner.` before the name in messages is the depth.
    public var path: String { String(repeating: "inner.", count: depth) + layer.name.rawValue }
  }

  public var entries: [Entry]
  /// Why the octets of the payload could not be read as the layer that was announced; nil when all could, and
  /// for the cut end of a packet quoted in an ICMP error.
  public var error: WireError?

  public var layers: [Layer] { entries.map(\.layer) }
}

/// A frame as layers: taken apart by `dissect`, put together by `build`.
public enum Frame {
  /// Takes a frame apart. Never fails: what cannot be read becomes payload, and `error` says why.
  ///
  /// - Parameters:
  ///   - first: the layer at the start; `ipv4` or `ipv6` for devices without link layer.
  ///   - ports: the UDP ports that are tunnels.
  public static func dissect(
    _ bytes: [UInt8], as first: WireProtocol = .ethernet, tunnelPorts ports: TunnelPorts = .standard
  ) -> Dissection {
    dissect(bytes.span.bytes, as: first, tunnelPorts: ports)
  }

  /// Takes a frame apart. Never fails: what cannot be read becomes payload, and `error` says why.
  public static func dissect(
    _ bytes: RawSpan, as first: WireProtocol = .ethernet, tunnelPorts ports: TunnelPorts = .standard
  ) -> Dissection {
    var result = Dissection(entries: [], error: nil)
    var trailers: [Dissection.Entry] = []
    var name = first
    var (start, end, depth, quoted) = (0, bytes.byteCount, 0, false)

    while name != .payload, name != .trailer {
      let layer: Layer
      do throws(WireError) {
        layer = try Layer(name, parsing: bytes.window(start..<end))
      } catch {
        if !quoted {
          result.error = error
        } else if name == .tcp || name == .sctp {
          // The cut end of a quotation: the ports, at least.
          name = .ports
          continue
        }
        break
      }
      result.entries.append(
        Dissection.Entry(layer: layer, range: start..<start + layer.byteCount, depth: depth))
      start += layer.byteCount
      if let declared = layer.declaredPayloadLength, declared < end - start {
        let rest = start + declared..<end
        trailers.append(
          Dissection.Entry(layer: .trailer(bytes.window(rest).array), range: rest, depth: depth))
        end = rest.lowerBound
      }
      name = layer.next(ports)
      if layer.opensInner(name) { depth += 1 }
      if layer.quotesPacket { quoted = true }
    }
    if start < end {
      result.entries.append(
        Dissection.Entry(
          layer: .payload(bytes.window(from: start, to: end).array), range: start..<end, depth: depth))
    }
    result.entries += trailers.reversed()
    return result
  }
}
