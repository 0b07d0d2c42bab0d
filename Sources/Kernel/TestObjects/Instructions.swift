/// The eBPF instructions of one function, eight octets each (RFC 9669 section 3), at their offsets in the section.
struct Instructions {
  struct Instruction {
    var code: UInt8
    var registers: UInt8
    var offset: Int16
    var immediate: Int32

    var destination: UInt8 { registers & 0x0f }
    /// A call of a function of the object.
    var isLocalCall: Bool { code == 0x85 && registers >> 4 == 1 }
    /// bpf_tail_call.
    var isTailCall: Bool { code == 0x85 && registers >> 4 == 0 && immediate == 12 }
    /// The load of a 64-bit constant or an address: two instructions long.
    var isWideLoad: Bool { code == 0x18 }
    var isConstantMove: Bool { code == 0xb7 || code == 0xb4 }
    /// Jumps with an offset of 16 bits; calls and exits are none.
    var isJump: Bool {
      let isJumpClass = code & 0x07 == 0x05 || code & 0x07 == 0x06
      return isJumpClass && code & 0xf0 != 0x80 && code & 0xf0 != 0x90
    }
    /// Whether the instruction puts a value into its destination register.
    var writesDestination: Bool {
      switch code & 0x07 {
      case 0x00, 0x01, 0x04, 0x07: true
      default: false
      }
    }
  }

  private let section: ArraySlice<UInt8>
  let offsets: StrideTo<Int>
  private let range: Range<Int>
  /// Where jumps of the function lead.
  private let targets: Set<Int>

  /// `range` counts from the section's start.
  init(_ section: ArraySlice<UInt8>, _ range: Range<Int>) {
    self.section = section
    self.range = range.clamped(to: 0..<section.count)
    offsets = stride(from: self.range.lowerBound, to: self.range.upperBound, by: 8)
    targets = offsets.reduce(into: []) { targets, offset in
      if let jump = Self.read(section, offset), jump.isJump {
        targets.insert(offset + 8 + Int(jump.offset) * 8)
      }
    }
  }

  subscript(offset: Int) -> Instruction? {
    range.contains(offset) ? Self.read(section, offset) : nil
  }

  private static func read(_ section: ArraySlice<UInt8>, _ offset: Int) -> Instruction? {
    guard offset >= 0, section.count - offset >= 8 else { return nil }
    let start = section.startIndex + offset
    func octet(_ index: Int) -> UInt32 { UInt32(section[start + index]) }
    return Instruction(
      code: section[start], registers: section[start + 1],
      offset: Int16(truncatingIfNeeded: octet(2) | octet(3) << 8),
      immediate: Int32(truncatingIfNeeded: octet(4) | octet(5) << 8 | octet(6) << 16 | octet(7) << 24))
  }

  /// The slots of the tail call that an array's address, loaded at `offset`, is for: none if it is for something else.
  ///
  /// The slot is the constant that r3 last received, as long as no jump leads between that and the call.
  func tailCalls(after offset: Int) -> [UInt32?] {
    var call = offset + 16
    while let instruction = self[call], !instruction.isTailCall {
      guard call - offset < 8 * 16, instruction.code != 0x85, instruction.code != 0x95 else { return [] }
      // A jump forward to a call that several paths share.
      if instruction.isJump { return [nil] }
      call += instruction.isWideLoad ? 16 : 8
    }
    guard self[call]?.isTailCall == true else { return [] }
    var position = call - 8
    while position >= range.lowerBound, call - position <= 8 * 16 {
      if targets.contains(position + 8) { return [nil] }
      guard let instruction = self[position] else { return [nil] }
      let isSecondHalf = self[position - 8]?.isWideLoad == true
      if !isSecondHalf, instruction.destination == 3, instruction.writesDestination {
        return [instruction.isConstantMove ? UInt32(bitPattern: instruction.immediate) : nil]
      }
      if !isSecondHalf, instruction.code == 0x85 || instruction.isJump { return [nil] }
      position -= 8
    }
    return [nil]
  }
}
