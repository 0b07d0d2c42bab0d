/// A dumped map: texts of keys, each with the texts of its values; printed as a table of two columns.
///
/// cilium-dbg prints these in the random order of a Go map. Here, rows stand in the order in which their keys were
/// first added, and each view adds in ascending order of what the key means: IPv4 before IPv6, then address, port,
/// protocol, scope, slot, number. Two keys with the same text share a row group, as they do there.
/// Source: `TablePrinter` in cilium-dbg.
struct MapDump {
  private(set) var rows: [(key: String, values: [String])] = []
  private var places: [String: Int] = [:]

  mutating func add(_ key: String, _ value: String) {
    if let place = places[key] {
      rows[place].values.append(value)
    } else {
      places[key] = rows.count
      rows.append((key, [value]))
    }
  }

  func table(_ firstTitle: String, _ secondTitle: String) -> String {
    var table = TabWriter()
    table.row([firstTitle, secondTitle])
    for row in rows {
      for (index, value) in row.values.enumerated() {
        table.row([index == 0 ? row.key : "", value], closed: true)
      }
    }
    return table.text
  }
}
