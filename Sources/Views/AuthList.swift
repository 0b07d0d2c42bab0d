import CDatapath
import MapABI

/// `cilium-dbg bpf auth list`. Source: `cilium-dbg/cmd/bpf_auth_list.go`, `pkg/datapath/linux/utime`.
public enum AuthList {
  /// Which identities have authenticated each other, and until when (UTC); nothing if none has.
  ///
  /// Order: the numbers of the columns, left to right.
  public static func text(_ maps: NodeMaps) -> String {
    guard maps.auth.count > 0 else { return "" }
    var table = TabWriter()
    table.row(["SRC IDENTITY", "DST IDENTITY", "REMOTE NODE ID", "AUTH TYPE", "EXPIRATION"])
    let entries = zip(maps.auth.keys, maps.auth.values).sorted {
      ($0.0.local_sec_label, $0.0.remote_sec_label, $0.0.remote_node_id, $0.0.auth_type)
        < ($1.0.local_sec_label, $1.0.remote_sec_label, $1.0.remote_node_id, $1.0.auth_type)
    }
    for (key, info) in entries {
      table.row([
        String(key.local_sec_label), String(key.remote_sec_label), String(key.remote_node_id),
        AuthTypeText.name(key.auth_type), timeText(info.expiration),
      ])
    }
    return table.text
  }

  /// A time in units of 512 ns since the epoch, as Go writes it: `2026-01-02 03:04:05.5 +0000 UTC`.
  static func timeText(_ units: UInt64) -> String {
    let unitsOfSecond: UInt64 = 1_000_000_000 >> 9
    let seconds = units / unitsOfSecond
    let nanoseconds = (units % unitsOfSecond) << 9
    let (year, month, day) = civil(days: seconds / 86_400)
    let time = seconds % 86_400
    func two(_ value: UInt64) -> String { NumberText.zeroPadded(value, width: 2) }
    var fraction = NumberText.zeroPadded(nanoseconds, width: 9)
    while fraction.hasSuffix("0") { fraction.removeLast() }
    return "\(NumberText.zeroPadded(year, width: 4))-\(two(month))-\(two(day)) "
      + "\(two(time / 3600)):\(two(time / 60 % 60)):\(two(time % 60))"
      + (fraction.isEmpty ? "" : ".\(fraction)") + " +0000 UTC"
  }

  /// The Gregorian date of a day, counted from 1970-01-01: years begin in March and are gathered in eras of 400.
  private static func civil(days: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }
}
