import Protocols

/// The first payload bytes of a side, at most 16, as two words that compare in one step.
struct BytePrefix: Sendable, Equatable {
  /// Bytes 0 to 7 and 8 to 15, the first byte highest; bytes that are not there are 0.
  private(set) var high: UInt64 = 0
  private(set) var low: UInt64 = 0
  /// How many bytes are there; 0 to 16.
  private(set) var count = 0

  /// The first 16 of some bytes.
  init(_ bytes: some Sequence<UInt8>) {
    for byte in bytes.prefix(16) { append(byte) }
  }

  /// The first bytes of a side.
  init(_ bytes: FirstBytes) {
    for i in 0..<min(bytes.count, 16) { append(bytes[i]) }
  }

  private mutating func append(_ byte: UInt8) {
    let shift = UInt64(7 - count % 8) * 8
    if count < 8 { high |= UInt64(byte) << shift } else { low |= UInt64(byte) << shift }
    count += 1
  }
}

/// First payload bytes with gaps: "tcp client 57 41 06 ??".
struct BytePattern: Sendable, Equatable {
  /// The side that sends the bytes; nil for either.
  let side: FlowSide?
  /// Whether they come over TCP, as opposed to UDP.
  let isTCP: Bool
  private let mask: (high: UInt64, low: UInt64)
  private let value: (high: UInt64, low: UInt64)
  private let count: Int

  /// Reads a transport, a side (`client`, `server` or `either`) and up to 16 bytes in hexadecimal, `??` for any byte.
  /// - Throws: what is wrong with it, and what to write instead.
  init(_ text: String) throws(CatalogueWording) {
    let words = text.split(separator: " ")
    var mask: [UInt8] = []
    var value: [UInt8] = []
    for word in words.dropFirst(2) {
      if word == "??" {
        mask.append(0)
        value.append(0)
      } else if word.utf8.count == 2, let byte = UInt8(word, radix: 16) {
        mask.append(0xff)
        value.append(byte)
      } else {
        mask = []
        break
      }
    }
    guard words.count > 2, (1...16).contains(mask.count), mask.contains(0xff), words[0] == "tcp" || words[0] == "udp",
      ["client", "server", "either"].contains(words[1])
    else {
      throw CatalogueWording(
        "\"\(text)\" is no first-bytes pattern: write tcp or udp, then client, server or either, then 1 to 16 bytes "
          + "as 57 41 06 ??")
    }
    isTCP = words[0] == "tcp"
    side = words[1] == "client" ? .client : words[1] == "server" ? .server : nil
    count = mask.count
    let (maskWords, valueWords) = (BytePrefix(mask), BytePrefix(value))
    self.mask = (maskWords.high, maskWords.low)
    self.value = (valueWords.high, valueWords.low)
  }

  /// Whether some first bytes begin so.
  func matches(_ bytes: BytePrefix) -> Bool {
    bytes.count >= count && bytes.high & mask.high == value.high && bytes.low & mask.low == value.low
  }

  static func == (a: BytePattern, b: BytePattern) -> Bool {
    a.side == b.side && a.isTCP == b.isTCP && a.count == b.count && a.mask == b.mask && a.value == b.value
  }
}
