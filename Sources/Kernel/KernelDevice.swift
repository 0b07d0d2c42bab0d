import CLibbpf
import Glibc
import MapABI
import Wire

/// A device of a private namespace.
struct KernelDevice: Sendable, Equatable {
  /// The model's index, kept exactly.
  var ifindex: UInt32
  var mac: MACAddress
  var mtu: UInt32
  var kind: Kind

  enum Kind: String, Sendable {
    case veth, vxlan, geneve
  }

  init(ifindex: UInt32, mac: MACAddress, mtu: UInt32 = 1500, kind: Kind = .veth) {
    self.ifindex = ifindex
    self.mac = mac
    self.mtu = mtu
    self.kind = kind
  }

  /// The index of a veth's other end.
  var peerIfindex: UInt32 { 0x4000_0000 | ifindex }
}

extension NetlinkMessage {
  static func setUp(ifindex: UInt32) -> NetlinkMessage {
    var message = NetlinkMessage(type: Int(RTM_NEWLINK), flags: 0, sequence: 1)
    message.append(link(ifindex, isUp: true))
    return message
  }

  static func addLink(_ device: KernelDevice) -> NetlinkMessage {
    var message = NetlinkMessage(
      type: Int(RTM_NEWLINK), flags: Int(NLM_F_CREATE) | Int(NLM_F_EXCL), sequence: 1)
    message.append(link(device.ifindex))
    message.attribute(Int(IFLA_IFNAME), "if\(device.ifindex)")
    message.attribute(Int(IFLA_ADDRESS), device.mac.octets)
    message.attribute(Int(IFLA_MTU), device.mtu)
    message.nest(Int(IFLA_LINKINFO)) { info in
      info.attribute(Int(IFLA_INFO_KIND), device.kind.rawValue)
      info.nest(Int(IFLA_INFO_DATA)) { data in
        switch device.kind {
        case .veth:
          data.nest(VETH_INFO_PEER) { peer in
            peer.append(link(device.peerIfindex))
            peer.attribute(Int(IFLA_IFNAME), "peer\(device.ifindex)")
          }
        case .vxlan: data.attribute(IFLA_VXLAN_COLLECT_METADATA, [1])
        case .geneve: data.attribute(IFLA_GENEVE_COLLECT_METADATA, [])
        }
      }
    }
    return message
  }

  static func addAddress(_ address: IPAddress, prefixLength: Int, ifindex: UInt32) -> NetlinkMessage {
    var message = NetlinkMessage(
      type: Int(RTM_NEWADDR), flags: Int(NLM_F_CREATE) | Int(NLM_F_REPLACE), sequence: 1)
    var header = ifaddrmsg()
    header.ifa_family = family(address)
    header.ifa_prefixlen = UInt8(clamping: prefixLength)
    header.ifa_flags = UInt8(IFA_F_NODAD)
    header.ifa_index = ifindex
    message.append(header)
    message.attribute(IFA_LOCAL, octets(address))
    message.attribute(IFA_ADDRESS, octets(address))
    return message
  }

  static func addRoute(_ prefix: CIDR, gateway: IPAddress?, ifindex: UInt32) -> NetlinkMessage {
    var message = NetlinkMessage(
      type: Int(RTM_NEWROUTE), flags: Int(NLM_F_CREATE) | Int(NLM_F_REPLACE), sequence: 1)
    var header = rtmsg()
    header.rtm_family = family(prefix.network)
    header.rtm_dst_len = UInt8(clamping: prefix.prefixLength)
    header.rtm_table = UInt8(RT_TABLE_MAIN.rawValue)
    header.rtm_protocol = UInt8(RTPROT_STATIC)
    header.rtm_scope = UInt8(gateway == nil ? RT_SCOPE_LINK.rawValue : RT_SCOPE_UNIVERSE.rawValue)
    header.rtm_type = UInt8(RTN_UNICAST)
    if gateway != nil { header.rtm_flags = UInt32(RTNH_F_ONLINK) }
    message.append(header)
    message.attribute(Int(RTA_DST.rawValue), octets(prefix.network))
    if let gateway { message.attribute(Int(RTA_GATEWAY.rawValue), octets(gateway)) }
    message.attribute(Int(RTA_OIF.rawValue), ifindex)
    return message
  }

  static func addNeighbour(_ address: IPAddress, mac: MACAddress, ifindex: UInt32) -> NetlinkMessage {
    var message = NetlinkMessage(
      type: Int(RTM_NEWNEIGH), flags: Int(NLM_F_CREATE) | Int(NLM_F_REPLACE), sequence: 1)
    var header = ndmsg()
    header.ndm_family = family(address)
    header.ndm_ifindex = Int32(truncatingIfNeeded: ifindex)
    header.ndm_state = UInt16(NUD_PERMANENT)
    message.append(header)
    message.attribute(Int(NDA_DST), octets(address))
    message.attribute(Int(NDA_LLADDR), mac.octets)
    return message
  }

  private static func link(_ ifindex: UInt32, isUp: Bool = false) -> ifinfomsg {
    var header = ifinfomsg()
    header.ifi_index = Int32(truncatingIfNeeded: ifindex)
    if isUp {
      header.ifi_flags = UInt32(IFF_UP)
      header.ifi_change = UInt32(IFF_UP)
    }
    return header
  }

  private static func family(_ address: IPAddress) -> UInt8 {
    UInt8(address.family == .ipv4 ? AF_INET : AF_INET6)
  }

  private static func octets(_ address: IPAddress) -> [UInt8] {
    switch address {
    case .v4(let v4): withUnsafeBytes(of: v4.bits.bigEndian) { Array($0) }
    case .v6(let v6):
      withUnsafeBytes(of: v6.high.bigEndian) { Array($0) }
        + withUnsafeBytes(of: v6.low.bigEndian) { Array($0) }
    }
  }
}

extension KernelDevice {
  /// The device that an attachment's program runs on. One without an address gets a local one from its index.
  init(of attachment: Attachment) {
    let config = attachment.config
    let mac = config.interface_mac.mac
    var kind = Kind.veth
    if attachment.ifindex == config.encap_ifindex, config.have_encap != 0 || config.tunnel_mode != 0 {
      kind = UInt32(config.tunnel_protocol) == TUNNEL_GENEVE.rawValue ? .geneve : .vxlan
    }
    self.init(
      ifindex: attachment.ifindex,
      mac: mac.bits == 0 ? MACAddress(bits: 0x0200_0000_0000 | UInt64(attachment.ifindex)) : mac,
      mtu: config.device_mtu == 0 ? 1500 : UInt32(config.device_mtu), kind: kind)
  }
}
