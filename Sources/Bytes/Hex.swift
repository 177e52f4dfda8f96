extension RawSpan {
  /// Lower-case hexadecimal, two digits a byte.
  public var hex: String { array.hex }
}

extension Sequence<UInt8> {
  /// Lower-case hexadecimal, two digits a byte.
  public var hex: String {
    var text: [UInt8] = []
    text.reserveCapacity(underestimatedCount * 2)
    for byte in self {
      text.append(hexDigit(byte >> 4))
      text.append(hexDigit(byte & 15))
    }
    return String(decoding: text, as: UTF8.self)
  }
}

/// The ASCII digit of a value from 0 to 15.
@inlinable public func hexDigit(_ value: UInt8) -> UInt8 {
  value < 10 ? 0x30 &+ value : 0x57 &+ (value & 15)
}
