/// A vendor's mark in STUN: an attribute type, or a message type.
struct STUNSign: Sendable, Hashable, CustomStringConvertible {
  /// Whether it is a message type, as opposed to an attribute type.
  let isMessageType: Bool
  /// The type, as on the wire.
  let type: UInt16

  /// Reads `attr 0x4000` or `type 0x0800`.
  /// - Throws: what is wrong with it, and what to write instead.
  init(_ text: String) throws(CatalogueWording) {
    let words = text.split(separator: " ")
    guard words.count == 2, words[0] == "attr" || words[0] == "type", words[1].hasPrefix("0x"),
      let type = UInt16(words[1].dropFirst(2), radix: 16)
    else { throw CatalogueWording("\"\(text)\" is no mark of STUN: write attr 0x4000 or type 0x0800") }
    isMessageType = words[0] == "type"
    self.type = type
  }

  /// As it is written in the catalogue: "attr 0x4000".
  var description: String {
    let digits = String(type, radix: 16)
    return (isMessageType ? "type 0x" : "attr 0x") + String(repeating: "0", count: 4 - digits.count) + digits
  }

  /// The mark as one number.
  var key: UInt32 { Self.key(type, isMessageType: isMessageType) }

  /// A type as one number.
  static func key(_ type: UInt16, isMessageType: Bool) -> UInt32 { UInt32(type) | (isMessageType ? 1 << 16 : 0) }
}
