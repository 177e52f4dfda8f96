/// The text of a name while it is read: on the stack, where it has no more escapes than names that are used have.
struct DNSNameText {
  private static let room = 256

  private var bytes = [256 of UInt8](repeating: 0)
  private var count = 0
  /// What does not fit: every byte of a name may take four characters.
  private var more: [UInt8] = []

  var isEmpty: Bool { count == 0 }

  mutating func append(_ byte: UInt8) {
    if count < Self.room {
      bytes[count] = byte
      count &+= 1
    } else {
      more.append(byte)
    }
  }

  /// The text; "." for the root.
  var string: String {
    if isEmpty { return "." }
    guard more.isEmpty, let text = try? UTF8Span(validating: bytes.span.extracting(first: count)) else {
      return String(decoding: (0..<count).map { bytes[$0] } + more, as: UTF8.self)
    }
    return String(copying: text)
  }

  /// Whether a text is this one.
  func isEqual(to text: String) -> Bool {
    guard more.isEmpty, !isEmpty else { return text == string }
    let other = text.utf8Span.span
    guard other.count == count else { return false }
    for i in 0..<count where other[i] != bytes[i] { return false }
    return true
  }
}
