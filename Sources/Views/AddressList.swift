import Wire

/// An entry of the agent's own table of addresses.
public struct AddressRow: Hashable, Sendable {
  public var prefix: CIDR
  public var identity: UInt32
  /// Who told: `k8s`, `custom-resource`, `local`, `kube-apiserver`, `generated` …
  public var source: String
  /// The node that has it.
  public var host: IPAddress?
  public var encryptKey: UInt8

  public init(
    prefix: CIDR, identity: UInt32, source: String, host: IPAddress? = nil, encryptKey: UInt8 = 0
  ) {
    self.prefix = prefix
    self.identity = identity
    self.source = source
    self.host = host
    self.encryptKey = encryptKey
  }
}

/// `cilium-dbg ip list`. Source: `cilium-dbg/cmd/ip_list.go`, `pkg/ipcache/types`.
public enum AddressList {
  /// The prefixes, shortest first, then by address; each label of the identity on a line of its own.
  ///
  /// `numeric` shows the identity's number, `verbose` the node and the key's index besides.
  public static func text(
    _ rows: [AddressRow], names: IdentityNames = IdentityNames(), numeric: Bool = false, verbose: Bool = false
  ) -> String {
    var table = TabWriter()
    table.row(["IP", "IDENTITY", "SOURCE"] + (verbose ? ["HOST", "ENCRYPT_KEY"] : []))
    for row in rows.sorted(by: precedes) {
      let number = String(row.identity)
      let labels = numeric ? [number] : names.printable(row.identity) ?? [number]
      for (index, label) in labels.enumerated() {
        if index == 0 {
          let more = verbose ? [row.host?.description ?? "", String(row.encryptKey)] : []
          table.row([row.prefix.description, label, row.source] + more)
        } else {
          table.row(["", label, ""])
        }
      }
    }
    return table.text
  }

  private static func precedes(_ a: AddressRow, _ b: AddressRow) -> Bool {
    (a.prefix.prefixLength, a.prefix.network, a.identity) < (
      b.prefix.prefixLength, b.prefix.network, b.identity
    )
  }
}
