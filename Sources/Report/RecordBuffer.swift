public import Bytes

/// Bytes of a record under construction, in one reused buffer. Numbers, times and addresses are written digit by
/// digit: a record makes no intermediate text.
public struct RecordBuffer: Sendable {
  /// What was written since the last `removeAll`.
  public private(set) var bytes: [UInt8] = []

  /// An empty buffer.
  public init() { bytes.reserveCapacity(4_096) }

  /// Forgets what was written and keeps the memory.
  public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

  /// Appends a byte as it is.
  public mutating func append(_ byte: UInt8) { bytes.append(byte) }

  /// Appends text as it is.
  public mutating func append(_ text: String) {
    // Safe: the storage is lent for the closure only. One copy instead of a byte at a time.
    let copied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe bytes.append(contentsOf: $0) }
    if copied == nil { bytes.append(contentsOf: text.utf8) }
  }

  /// Appends a literal as it is.
  mutating func append(_ text: StaticString) {
    // Safe: the literal lives as long as the program.
    text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
  }

  /// Appends bytes as they are.
  public mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }

  /// Appends a character in UTF-8.
  public mutating func append(_ scalar: Unicode.Scalar) {
    for unit in scalar.utf8 { bytes.append(unit) }
  }

  /// Appends the last `count` bytes of a scratch pad.
  private mutating func append(last count: Int, of pad: [32 of UInt8]) {
    let span = pad.span
    // Safe: the pointer is used only inside the closure.
    unsafe span.extracting(last: count).withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
  }

  /// Takes back what was written from byte `count` on.
  mutating func truncate(to count: Int) { bytes.removeLast(max(bytes.count - count, 0)) }

  /// Appends a decimal number.
  public mutating func append<Number: FixedWidthInteger>(decimal number: Number) {
    if number < 0 { bytes.append(UInt8(ascii: "-")) }
    appendDigits(UInt64(clamping: number.magnitude), atLeast: 1)
  }

  /// Appends a number of lower-case hexadecimal digits.
  public mutating func append(hex number: UInt64, digits: Int) {
    for digit in stride(from: digits - 1, through: 0, by: -1) {
      bytes.append(hexDigit(UInt8(truncatingIfNeeded: number >> UInt64(digit * 4) & 15)))
    }
  }

  /// Appends a number with up to `places` decimals and no trailing zeros; 0 for one that is not finite.
  public mutating func append(_ number: Double, places: Int) {
    var scale: UInt64 = 1
    for _ in 0..<min(max(places, 0), 9) { scale *= 10 }
    guard let scaled = Int64(exactly: (number * Double(scale)).rounded()) else {
      bytes.append(UInt8(ascii: "0"))
      return
    }
    if scaled < 0 { bytes.append(UInt8(ascii: "-")) }
    append(fraction: scaled.magnitude, of: scale)
  }

  /// Appends `count / scale`, exactly; `scale` is a power of ten.
  mutating func append(fraction count: UInt64, of scale: UInt64) {
    appendDigits(count / scale, atLeast: 1)
    var rest = count % scale
    guard rest != 0 else { return }
    bytes.append(UInt8(ascii: "."))
    var unit = scale / 10
    while rest != 0 {
      bytes.append(0x30 &+ UInt8(truncatingIfNeeded: rest / unit))
      rest %= unit
      unit = max(unit / 10, 1)
    }
  }

  /// Appends nanoseconds as seconds with up to nine decimals.
  public mutating func append(seconds nanoseconds: UInt64) { append(fraction: nanoseconds, of: 1_000_000_000) }

  private mutating func appendDigits(_ number: UInt64, atLeast width: Int) {
    if number < 10 && width <= 1 {
      bytes.append(0x30 &+ UInt8(truncatingIfNeeded: number))
      return
    }
    var pad = [32 of UInt8](repeating: 0x30)
    append(last: max(Self.write(number, into: &pad, before: 32), min(width, 32)), of: pad)
  }

  /// Writes a number's digits so that they end before a place, and says how many there are.
  @inline(__always)
  private static func write(_ number: UInt64, into pad: inout [32 of UInt8], before end: Int) -> Int {
    var at = end
    var rest = number
    repeat {
      at &-= 1
      pad[at] = 0x30 &+ UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    } while rest != 0 && at > 0
    return end &- at
  }

  /// Appends nanoseconds since 1970 as "2025-12-04T10:11:12.123456789Z" (RFC 3339, UTC).
  public mutating func append(time nanoseconds: Int64) {
    let time = CivilTime(nanoseconds)
    var pad = [32 of UInt8](repeating: 0x30)
    // The pad's last 30 bytes: four digits of the year, then pairs behind their separators, then the fraction.
    _ = Self.write(UInt64(clamping: time.year), into: &pad, before: 6)
    pad[6] = UInt8(ascii: "-")
    _ = Self.write(UInt64(clamping: time.month), into: &pad, before: 9)
    pad[9] = UInt8(ascii: "-")
    _ = Self.write(UInt64(clamping: time.day), into: &pad, before: 12)
    pad[12] = UInt8(ascii: "T")
    _ = Self.write(UInt64(clamping: time.hour), into: &pad, before: 15)
    pad[15] = UInt8(ascii: ":")
    _ = Self.write(UInt64(clamping: time.minute), into: &pad, before: 18)
    pad[18] = UInt8(ascii: ":")
    _ = Self.write(UInt64(clamping: time.second), into: &pad, before: 21)
    pad[21] = UInt8(ascii: ".")
    _ = Self.write(UInt64(clamping: time.nanosecond), into: &pad, before: 31)
    pad[31] = UInt8(ascii: "Z")
    append(last: 30, of: pad)
  }

  /// Appends an address as `IPAddress.description` gives it (RFC 5952).
  public mutating func append(_ address: IPAddress) {
    guard address.isV4 else {
      append(address.description)
      return
    }
    var pad = [32 of UInt8](repeating: 0)
    var at = 32
    var rest = address.v4
    for octet in 0..<4 {
      at &-= Self.write(UInt64(rest & 255), into: &pad, before: at)
      rest >>= 8
      guard octet < 3 else { break }
      at &-= 1
      pad[at] = UInt8(ascii: ".")
    }
    append(last: 32 - at, of: pad)
  }
}

/// A time of the proleptic Gregorian calendar in UTC.
struct CivilTime {
  /// Years from 1677 to 2262: what 64 bits of nanoseconds hold.
  var year, month, day, hour, minute, second, nanosecond: Int

  /// The time of a number of nanoseconds since 1970.
  init(_ nanoseconds: Int64) {
    // Remainders of times before 1970 are negative; each borrows from the next larger unit.
    var (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if fraction < 0 { (seconds, fraction) = (seconds - 1, fraction + 1_000_000_000) }
    var (days, ofDay) = Int(seconds).quotientAndRemainder(dividingBy: 86_400)
    if ofDay < 0 { (days, ofDay) = (days - 1, ofDay + 86_400) }
    nanosecond = Int(fraction)
    (hour, minute, second) = (ofDay / 3_600, ofDay / 60 % 60, ofDay % 60)
    // Days are counted from 1 March of year 0, so that a leap day ends its year; 146,097 days are 400 years.
    let (era, ofEra) = (days + 719_468).quotientAndRemainder(dividingBy: 146_097)
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * ofYear + 2) / 153
    day = ofYear - (153 * shiftedMonth + 2) / 5 + 1
    month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}
