import ControlPlane
import Datapath
import MapABI
import Simulator
import Wire

extension Session where Observer: ~Copyable {
  /// Lets agents forget the names that are out of date, when they are due to look.
  mutating func collectNames() {
    while let due = controlPlane.nextNameCollection, due <= network.clock.nanoseconds {
      let updates = controlPlane.collectNames(at: network.clock.nanoseconds)
      network.carryOut(updates)
      // An agent that is down does not look.
      guard let next = controlPlane.nextNameCollection, next > due else { return }
    }
  }

  /// Tells an agent which addresses its endpoints still have connections to.
  mutating func noteConntrackPass(_ name: String, _ index: Int) {
    guard controlPlane.learntAnything.contains(name) else { return }
    let alive = network.withState(ofNode: index) { $0.maps.connectedAddresses }
    controlPlane.noteConntrackPass(on: name, alive: alive, at: network.clock.nanoseconds)
  }
}

extension NodeMaps {
  /// Who has connections with whom, either way.
  var connectedAddresses: [IPAddress: Set<IPAddress>] {
    var result: [IPAddress: Set<IPAddress>] = [:]
    func add(_ a: IPAddress, _ b: IPAddress) {
      result[a, default: []].insert(b)
      result[b, default: []].insert(a)
    }
    for table in [ct4TCP, ct4Any] {
      for key in table.keys {
        add(
          .v4(IPv4Address(bits: UInt32(bigEndian: key.saddr))),
          .v4(IPv4Address(bits: UInt32(bigEndian: key.daddr))))
      }
    }
    for table in [ct6TCP, ct6Any] {
      for key in table.keys { add(.v6(key.saddr.v6), .v6(key.daddr.v6)) }
    }
    return result
  }
}
