// Messages under construction: numbers in network byte order, vectors behind their length.

extension [UInt8] {
  mutating func put8(_ value: Int) { append(UInt8(truncatingIfNeeded: value)) }

  mutating func put16(_ value: Int) {
    put8(value >> 8)
    put8(value)
  }

  mutating func put24(_ value: Int) {
    put8(value >> 16)
    put16(value)
  }

  mutating func put32(_ value: Int) {
    put16(value >> 16)
    put16(value)
  }

  mutating func put64(_ value: UInt64) {
    put32(Int(truncatingIfNeeded: value >> 32))
    put32(Int(truncatingIfNeeded: value))
  }

  mutating func put(_ text: String) { append(contentsOf: text.utf8) }

  mutating func put(_ values: [UInt16]) { for value in values { put16(Int(value)) } }

  mutating func put(_ random: inout Random, count: Int) {
    var left = count
    while left > 0 {
      var word = random.next()
      for _ in 0..<Swift.min(8, left) {
        append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
      left -= 8
    }
  }

  /// What `body` appends, behind its length in `width` bytes.
  mutating func vector(_ width: Int, _ body: (inout [UInt8]) -> Void) {
    let start = count
    for _ in 0..<width { append(0) }
    body(&self)
    let length = count - start - width
    for i in 0..<width { self[start + i] = UInt8(truncatingIfNeeded: length >> (8 * (width - 1 - i))) }
  }
}
