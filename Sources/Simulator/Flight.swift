import Datapath
import MapABI
import Wire

/// A packet on its way: where it is, and what the kernel has attached to it.
struct Flight {
  var buffer: SocketBuffer
  /// Index of the node whose network namespace the packet is in; nil outside the nodes.
  var node: Int?
  var place: Place
  /// Index into the network's journeys.
  var journey: Int
}

/// Where a packet is about to be handled.
enum Place {
  /// Received on a device: its ingress hook is next.
  case ingress(UInt32)
  /// Handed to a device for sending: its egress hook is next.
  case egress(UInt32)
  /// In the node's IP stack, received on a device.
  case stack(UInt32)
  /// In the node's IP stack, made there.
  case output
  /// At a pod's device, by the pod's index.
  case pod(Int)
  /// At the underlay's router, on its way out of the segment or to another one.
  case router
  /// At an outside host, by its index.
  case external(Int)
}
