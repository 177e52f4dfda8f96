import Bytes
import Protocols

/// First payload bytes with gaps: "tcp client 57 41 06 ??".
struct BytePattern: Sendable, Equatable {
  /// The side that sends the bytes; nil for either.
  let side: FlowSide?
  /// Whether they come over TCP, as opposed to UDP.
  let isTCP: Bool
  /// Ones where a byte counts.
  private let mask: FirstBytes
  private let value: FirstBytes

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
    self.mask = FirstBytes(mask.rawSpan)
    self.value = FirstBytes(value.rawSpan)
  }

  /// Whether some first bytes begin so.
  func matches(_ bytes: FirstBytes) -> Bool {
    let (seen, mask, value) = (bytes.words, mask.words, value.words)
    return bytes.count >= self.mask.count && seen.high & mask.high == value.high && seen.low & mask.low == value.low
  }
}
