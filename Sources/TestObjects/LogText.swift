/// A format of the kernel's printk with its arguments, as text.
///
/// `%d %i %u %x %p`, with `l` or `ll` for 64 bits (32 without), a width, and `0` for leading zeros; `%%` is a per cent
/// sign. `%s` and the like would need the program's memory: their argument is shown as a number. Source: bpf-helpers(7),
/// bpf_trace_printk.
enum LogText {
  static func format(_ format: String, _ arguments: [UInt64]) -> String {
    var text = ""
    var rest = Substring(format)
    var next = arguments.makeIterator()
    while let character = rest.popFirst() {
      guard character == "%" else {
        if character != "\0" { text.append(character) }
        continue
      }
      if rest.first == "%" {
        rest.removeFirst()
        text.append("%")
        continue
      }
      let directive = Directive(&rest)
      if let argument = next.next() { text += directive.text(argument) } else { text += "(no argument)" }
    }
    return text
  }

  private struct Directive {
    var isZeroPadded = false
    var width = 0
    var isLong = false
    var conversion: Character = "u"

    init(_ rest: inout Substring) {
      while let flag = rest.first, "0-+ #".contains(flag) {
        if flag == "0" { isZeroPadded = true }
        rest.removeFirst()
      }
      while let digit = rest.first?.wholeNumberValue, rest.first?.isASCII == true {
        width = min(width * 10 + digit, 64)
        rest.removeFirst()
      }
      while let modifier = rest.first, "lhz".contains(modifier) {
        if modifier != "h" { isLong = true }
        rest.removeFirst()
      }
      conversion = rest.popFirst() ?? "u"
    }

    func text(_ argument: UInt64) -> String {
      let short = UInt32(truncatingIfNeeded: argument)
      let digits =
        switch conversion {
        case "d", "i": isLong ? "\(Int64(bitPattern: argument))" : "\(Int32(bitPattern: short))"
        case "x": String(isLong ? argument : UInt64(short), radix: 16)
        case "X": String(isLong ? argument : UInt64(short), radix: 16, uppercase: true)
        case "p", "s": "0x" + String(argument, radix: 16)
        default: "\(isLong ? argument : UInt64(short))"
        }
      let padding = String(repeating: isZeroPadded ? "0" : " ", count: max(0, width - digits.count))
      return digits.hasPrefix("-") && isZeroPadded ? "-" + padding + digits.dropFirst() : padding + digits
    }
  }
}
