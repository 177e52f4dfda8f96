import Bytes

// The payload of an app's push (Apple, "Generating a remote notification"): a JSON dictionary with a dictionary `aps`,
// in which `alert` is shown to the user and `content-available` wakes the app unseen.

/// Looks for the keys of a push in JSON (RFC 8259), in one pass and without building a tree.
enum JSONPayload {
  /// Bytes of a payload that are read: Apple takes 4,096, for calls 5,120.
  static let maximumLength = 8192
  /// Containers inside one another.
  static let maximumDepth = 32

  /// Takes note of `aps` and what is in it. Returns whether the text was read to its end.
  static func read(_ bytes: RawSpan, into content: inout CommandContent) -> Bool {
    guard bytes.byteCount <= maximumLength else { return false }
    var at = 0, depth = 0
    var isInAPS = false
    while at < bytes.byteCount {
      switch bytes.u8(at) {
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth &+= 1
        guard depth <= maximumDepth else { return false }
        at &+= 1
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth &-= 1
        if depth < 2 { isInAPS = false }
        at &+= 1
        if depth == 0 { return true }
        guard depth > 0 else { return false }
      case UInt8(ascii: "\""):
        guard let end = endOfString(bytes, at) else { return false }
        let word = bytes.slice(at &+ 1, end &- at &- 2)
        at = end
        // A string with a colon behind it is a key.
        skipSpace(bytes, &at)
        guard bytes.holds(1, at: at), bytes.u8(at) == UInt8(ascii: ":") else { continue }
        at &+= 1
        skipSpace(bytes, &at)
        guard bytes.holds(1, at: at) else { return false }
        if depth == 1, word.isEqual("aps"), bytes.u8(at) == UInt8(ascii: "{") {
          isInAPS = true
          content.note(.aps, .dictionary(count: 0), at: .payload)
        } else if depth == 2, isInAPS {
          content.note(FieldKey(word), value(bytes, at), at: .aps)
        }
      default: at &+= 1
      }
    }
    return false
  }

  /// A number of one digit, which is all that `content-available` may be.
  private static func value(_ bytes: RawSpan, _ at: Int) -> FieldValue {
    let byte = bytes.u8(at)
    return (0x30...0x39).contains(byte)
      ? .integer(Int64(byte &- 0x30)) : byte == UInt8(ascii: "t") ? .boolean(true) : .other
  }

  /// The offset behind a string that begins at `at`; nil where it does not end.
  private static func endOfString(_ bytes: RawSpan, _ at: Int) -> Int? {
    var at = at &+ 1
    while bytes.holds(1, at: at) {
      switch bytes.u8(at) {
      case UInt8(ascii: "\""): return at &+ 1
      case UInt8(ascii: "\\"): at &+= 2
      default: at &+= 1
      }
    }
    return nil
  }

  private static func skipSpace(_ bytes: RawSpan, _ at: inout Int) {
    while bytes.holds(1, at: at), bytes.u8(at) == 0x20 || (9...13).contains(bytes.u8(at)) { at &+= 1 }
  }
}
