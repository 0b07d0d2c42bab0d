/// Points in time as text, in UTC; no locale, no time zone of the machine.
public enum Timestamp {
  struct Civil {
    var year: Int, month: Int, day: Int, hour: Int, minute: Int, second: Int
  }

  /// The date of a count of seconds since 1970-01-01, in the proleptic Gregorian calendar.
  static func civil(_ seconds: UInt64) -> Civil {
    let (days, rest) = seconds.quotientAndRemainder(dividingBy: 86400)
    // Years that start in March put the leap day last: 400 of them are 146097 days.
    let shifted = Int(days) + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return Civil(
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month: month,
      day: dayOfYear - (153 * shiftedMonth + 2) / 5 + 1, hour: Int(rest / 3600), minute: Int(rest / 60 % 60),
      second: Int(rest % 60))
  }

  /// Seconds since 1970-01-01 of a date; nil before then, and for a month or day that does not exist.
  static func seconds(_ date: Civil) -> UInt64? {
    guard (1970...9999).contains(date.year), (1...12).contains(date.month), (1...31).contains(date.day),
      (0...23).contains(date.hour), (0...59).contains(date.minute), (0...60).contains(date.second)
    else { return nil }
    let year = date.month <= 2 ? date.year - 1 : date.year
    let shiftedMonth = date.month > 2 ? date.month - 3 : date.month + 9
    let dayOfYear = (153 * shiftedMonth + 2) / 5 + date.day - 1
    let yearOfEra = year % 400
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    let days = year / 400 * 146_097 + dayOfEra - 719_468
    let total = days * 86400 + date.hour * 3600 + date.minute * 60 + date.second
    guard total >= 0 else { return nil }
    // 31 April would come out as 1 May.
    let back = civil(UInt64(days * 86400 >= 0 ? days * 86400 : 0))
    return back.month == date.month && back.day == date.day ? UInt64(total) : nil
  }

  /// Reads a moment: seconds since the epoch with an optional fraction, or RFC 3339 (`2025-02-26T10:28:14.5Z`, with
  /// `Z` or an offset). Nanoseconds since the epoch; nil for anything else.
  public static func nanoseconds(_ text: String) -> UInt64? {
    let octets = Array(text.utf8)
    guard octets.count > 10, octets[4] == UInt8(ascii: "-") else { return decimalSeconds(octets[...]) }
    guard octets.count >= 20, octets[7] == UInt8(ascii: "-"), octets[13] == UInt8(ascii: ":"),
      octets[16] == UInt8(ascii: ":"), [UInt8(ascii: "T"), UInt8(ascii: "t"), 0x20].contains(octets[10])
    else { return nil }
    func number(_ range: Range<Int>) -> Int? { digits(octets[range]).map { Int($0) } }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      let whole = seconds(
        Civil(year: year, month: month, day: day, hour: hour, minute: minute, second: second))
    else { return nil }
    var rest = octets[19...]
    var fraction: UInt64 = 0
    if rest.first == UInt8(ascii: ".") {
      let places = rest.dropFirst().prefix { (48...57).contains($0) }
      guard let value = nanosecondsOfFraction(places) else { return nil }
      fraction = value
      rest = rest.dropFirst(1 + places.count)
    }
    guard let shift = offset(rest) else { return nil }
    let total = Int64(whole) - shift
    guard total >= 0 else { return nil }
    return UInt64(total) &* 1_000_000_000 &+ fraction
  }

  /// Seconds east of UTC.
  private static func offset(_ octets: ArraySlice<UInt8>) -> Int64? {
    guard let first = octets.first else { return nil }
    if first | 0x20 == UInt8(ascii: "z") { return octets.count == 1 ? 0 : nil }
    let text = octets.dropFirst()
    guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-"), text.count == 5,
      let hours = digits(text.prefix(2)), let minutes = digits(text.suffix(2)),
      text[text.startIndex + 2] == UInt8(ascii: ":"), hours < 24, minutes < 60
    else { return nil }
    let seconds = Int64(hours * 3600 + minutes * 60)
    return first == UInt8(ascii: "-") ? -seconds : seconds
  }

  private static func decimalSeconds(_ octets: ArraySlice<UInt8>) -> UInt64? {
    let whole = octets.prefix { $0 != UInt8(ascii: ".") }
    guard let seconds = digits(whole), seconds < 18_446_744_073 else { return nil }
    guard whole.count < octets.count else { return seconds * 1_000_000_000 }
    return nanosecondsOfFraction(octets.dropFirst(whole.count + 1)).map { seconds * 1_000_000_000 + $0 }
  }

  private static func nanosecondsOfFraction(_ octets: ArraySlice<UInt8>) -> UInt64? {
    guard octets.count <= 9, let value = digits(octets) else { return nil }
    return (octets.count..<9).reduce(value) { value, _ in value * 10 }
  }

  private static func digits(_ octets: ArraySlice<UInt8>) -> UInt64? {
    guard !octets.isEmpty, octets.count <= 18, octets.allSatisfy({ (48...57).contains($0) }) else {
      return nil
    }
    return octets.reduce(0) { $0 * 10 + UInt64($1 - 48) }
  }
}

extension TextOutput {
  /// `Feb 26 10:28:14.453`, as Hubble prints times, in UTC.
  mutating func put(stamp time: UInt64) {
    let (seconds, fraction) = time.quotientAndRemainder(dividingBy: 1_000_000_000)
    let date = Timestamp.civil(seconds)
    let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
    put(UnsafeBufferPointer(start: months.utf8Start + 3 * (date.month - 1), count: 3))
    put(date.day < 10 ? "  " : " ")
    put(UInt64(date.day))
    put(" ")
    padded(UInt64(date.hour), width: 2)
    put(":")
    padded(UInt64(date.minute), width: 2)
    put(":")
    padded(UInt64(date.second), width: 2)
    put(".")
    padded(fraction / 1_000_000, width: 3)
  }
}
