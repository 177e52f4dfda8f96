/// Why a parser stopped. "Need more" and "mine but broken" are different answers; "not mine" is a parser's `nil`.
public enum ParseError: Error, Equatable, Sendable {
  /// More bytes could help: `needed` bytes from offset `at`, where `available` are there.
  case truncated(needed: Int, available: Int, at: Int)
  /// No further byte can make it valid; `at` is the offset of the field.
  case malformed(Field, at: Int)
  /// A cap of ours was reached: the input may be valid, and we say that we stopped.
  case limit(Limit)

  /// The field that cannot be what it says.
  public enum Field: String, Sendable {
    case version, length, type, count, name, pointer, value, header, order
  }

  /// The cap that was reached.
  public enum Limit: String, Sendable {
    case handshakeLength, recordLength, nameLength, pointerJumps, listLength, headerLength, messageLength
  }
}
