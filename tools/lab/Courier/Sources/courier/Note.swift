/// What the lab writes into a modelled ciphertext: the kind and length that a receiver would learn by decrypting it.
///
/// A ciphertext of the model is random bytes of the right length. Both of its shapes (`pair`, `pair-ec`) begin with
/// more than 16 bytes that are random in a real one too; three of those stand for what is inside.
struct Note {
  /// Where the note begins in the ciphertext: behind any protobuf key and length.
  private static let offset = 8

  let kind: MessageKind
  let characters: Int

  init(kind: MessageKind, characters: Int) {
    self.kind = kind
    self.characters = min(max(characters, 0), 0xFFFF)
  }

  /// Reads the note of a ciphertext; nil if there is no ciphertext, or one too short to be the lab's.
  init?(_ ciphertext: [UInt8]?) {
    guard let ciphertext, ciphertext.count >= Self.offset + 3 else { return nil }
    kind = MessageKind(code: ciphertext[Self.offset])
    characters = Int(ciphertext[Self.offset + 1]) << 8 | Int(ciphertext[Self.offset + 2])
  }

  /// The ciphertext with this note in it; its length does not change.
  func written(into ciphertext: [UInt8]) -> [UInt8] {
    guard ciphertext.count >= Self.offset + 3 else { return ciphertext }
    var bytes = ciphertext
    bytes[Self.offset] = kind.code
    bytes[Self.offset + 1] = UInt8(truncatingIfNeeded: characters >> 8)
    bytes[Self.offset + 2] = UInt8(truncatingIfNeeded: characters)
    return bytes
  }
}
