import Bytes
import Protocols

/// First payload bytes with gaps: "tcp client 57 41 06 ??", "udp client len 74 00 01 00 46".
struct BytePattern: Sendable, Equatable {
  /// The side that sends the bytes; nil for either.
  let side: FlowSide?
  /// Whether they come over TCP, as opposed to UDP.
  let isTCP: Bool
  /// Payload bytes that the first datagram or segment of the side must have; nil for any number.
  let length: ClosedRange<Int>?
  /// Ones where a bit counts.
  private let mask: FirstBytes
  private let value: FirstBytes

  /// Reads a transport, a side (`client`, `server` or `either`), perhaps `len` and a length or a range of lengths,
  /// perhaps `at` and an offset, and bytes in hexadecimal, `?` for any half of a byte; offset and bytes end within 16.
  /// - Throws: what is wrong with it, and what to write instead.
  init(_ text: String) throws(CatalogueWording) {
    let refusal = CatalogueWording(
      "\"\(text)\" is no first-bytes pattern: write tcp or udp, then client, server or either, then 1 to 16 bytes "
        + "as 57 41 06 ??, with len 74 or at 4 before them where needed")
    var words = text.split(separator: " ")[...]
    guard let transport = words.popFirst(), ["tcp", "udp"].contains(transport), let sender = words.popFirst(),
      ["client", "server", "either"].contains(sender)
    else { throw refusal }
    if words.first == "len" {
      let bounds =
        words.dropFirst().first?.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) } ?? []
      guard (1...2).contains(bounds.count), let low = bounds[0], let high = bounds[bounds.count - 1], low > 0,
        low <= high, high <= Int(UInt16.max)
      else { throw refusal }
      length = low...high
      words = words.dropFirst(2)
    } else {
      length = nil
    }
    var mask: [UInt8] = []
    var value: [UInt8] = []
    if words.first == "at" {
      guard let offset = words.dropFirst().first.flatMap({ Int($0) }), (0..<FirstBytes.maximumCount).contains(offset)
      else { throw refusal }
      mask = [UInt8](repeating: 0, count: offset)
      value = mask
      words = words.dropFirst(2)
    }
    for word in words {
      guard let byte = Self.byte(word) else { throw refusal }
      mask.append(byte.mask)
      value.append(byte.value)
    }
    guard (1...FirstBytes.maximumCount).contains(mask.count), !words.isEmpty, mask.contains(where: { $0 != 0 }) else {
      throw refusal
    }
    isTCP = transport == "tcp"
    side = sender == "client" ? .client : sender == "server" ? .server : nil
    self.mask = FirstBytes(mask.rawSpan)
    self.value = FirstBytes(value.rawSpan)
  }

  private static func byte(_ word: Substring) -> (mask: UInt8, value: UInt8)? {
    guard word.utf8.count == 2 else { return nil }
    var mask: UInt8 = 0
    var value: UInt8 = 0
    for digit in word {
      (mask, value) = (mask << 4, value << 4)
      if digit == "?" { continue }
      guard let half = digit.isASCII ? digit.hexDigitValue : nil else { return nil }
      mask |= 15
      value |= UInt8(half)
    }
    return (mask, value)
  }

  /// Whether some first bytes begin so, which came in a datagram or segment of so many.
  func matches(_ bytes: FirstBytes, length seenLength: Int? = nil) -> Bool {
    let (seen, mask, value) = (bytes.words, mask.words, value.words)
    guard bytes.count >= self.mask.count, seen.high & mask.high == value.high, seen.low & mask.low == value.low else {
      return false
    }
    guard let length else { return true }
    return seenLength.map(length.contains) ?? false
  }
}
