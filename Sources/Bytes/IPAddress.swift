/// An IPv4 or IPv6 address. IPv4 is held as its IPv4-mapped IPv6 address (RFC 4291, section 2.5.5.2).
@frozen public struct IPAddress: Hashable, Sendable {
  /// The first eight bytes.
  public var high: UInt64
  /// The last eight bytes.
  public var low: UInt64

  /// An IPv6 address from its two halves.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// An IPv4 address.
  @inlinable public init(v4: UInt32) {
    high = 0
    low = 0xffff_0000_0000 | UInt64(v4)
  }

  /// Whether it is an IPv4 address.
  @inlinable public var isV4: Bool { high == 0 && low >> 32 == 0xffff }

  /// The 32 bits of an IPv4 address; the last 32 bits of another.
  @inlinable public var v4: UInt32 { UInt32(truncatingIfNeeded: low) }

  /// The order of addresses in a direction-free key.
  @inlinable public static func precedes(_ a: IPAddress, _ b: IPAddress) -> Bool {
    a.high != b.high ? a.high < b.high : a.low < b.low
  }
}

extension IPAddress: CustomStringConvertible {
  /// Dotted decimal, or the canonical text of RFC 5952.
  public var description: String {
    if isV4 { return dotted }
    let groups = (0..<8).map { i in
      UInt16(truncatingIfNeeded: (i < 4 ? high : low) >> UInt64((3 - i % 4) * 16))
    }
    let gap = Self.longestZeros(groups)
    var text = ""
    var i = 0
    while i < 8 {
      if let gap, i == gap.lowerBound {
        text += "::"
        i = gap.upperBound
        continue
      }
      if !text.isEmpty && !text.hasSuffix(":") { text += ":" }
      text += String(groups[i], radix: 16)
      i += 1
    }
    return text
  }

  private var dotted: String {
    "\(v4 >> 24).\(v4 >> 16 & 255).\(v4 >> 8 & 255).\(v4 & 255)"
  }

  /// The first longest run of at least two zero groups (RFC 5952, section 4.2).
  private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
    var best: Range<Int>?
    var start = 0
    while start < groups.count {
      var end = start
      while end < groups.count, groups[end] == 0 { end += 1 }
      if end - start >= 2, end - start > best?.count ?? 0 { best = start..<end }
      start = max(end, start + 1)
    }
    return best
  }
}

extension IPAddress: LosslessStringConvertible {
  /// Reads dotted decimal or any text form of RFC 4291, section 2.2; `nil` for anything else.
  public init?(_ text: String) {
    let text = Array(text.utf8)
    guard text.contains(UInt8(ascii: ":")) else {
      guard let v4 = Self.dotted(text[...]) else { return nil }
      self.init(v4: v4)
      return
    }
    guard let groups = Self.groups(text) else { return nil }
    func half(_ part: ArraySlice<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
    self.init(high: half(groups[..<4]), low: half(groups[4...]))
  }

  private static func dotted(_ text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var value: UInt32 = 0
    for part in parts {
      // A leading zero means octal to some readers and nothing to others.
      guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0"),
        part.allSatisfy({ (0x30...0x39).contains($0) }),
        let octet = UInt8(String(decoding: part, as: UTF8.self))
      else { return nil }
      value = value << 8 | UInt32(octet)
    }
    return value
  }

  private static func groups(_ text: [UInt8]) -> [UInt16]? {
    var head: [UInt16] = []
    var tail: [UInt16] = []
    var gap = false
    var rest = text[...]
    if rest.starts(with: "::".utf8) {
      gap = true
      rest = rest.dropFirst(2)
    }
    while !rest.isEmpty {
      let part = rest.prefix { $0 != UInt8(ascii: ":") }
      rest = rest.dropFirst(part.count)
      if part.contains(UInt8(ascii: ".")) {
        guard rest.isEmpty, let v4 = dotted(part) else { return nil }
        let words = [UInt16(truncatingIfNeeded: v4 >> 16), UInt16(truncatingIfNeeded: v4)]
        if gap { tail += words } else { head += words }
        break
      }
      guard (1...4).contains(part.count), let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16),
        part.first != UInt8(ascii: "+")
      else { return nil }
      if gap { tail.append(group) } else { head.append(group) }
      guard !rest.isEmpty else { break }
      rest = rest.dropFirst()
      if rest.first == UInt8(ascii: ":") {
        guard !gap else { return nil }
        gap = true
        rest = rest.dropFirst()
      } else if rest.isEmpty {
        return nil
      }
    }
    let count = head.count + tail.count
    guard gap ? count < 8 : count == 8 else { return nil }
    return head + [UInt16](repeating: 0, count: 8 - count) + tail
  }
}
