import Crypto

/// Names, handles and tokens of the people in the lab. Both ends know them beforehand, as devices do after a lookup.
enum Person {
  private static let domain = "@example.com"

  /// The address as iMessage writes it: a telephone number if the name is one, else a mail address.
  static func handle(_ name: String) -> String {
    name.hasPrefix("+") ? "tel:\(name)" : "mailto:\(name)\(domain)"
  }

  /// The name behind a handle; nil if it is none of the lab's.
  static func name(_ handle: String) -> String? {
    if handle.hasPrefix("tel:+") { return String(handle.dropFirst(4)) }
    guard handle.hasPrefix("mailto:"), handle.hasSuffix(domain) else { return nil }
    return String(handle.dropFirst(7).dropLast(domain.count))
  }

  /// The 32-byte push token of a person's device; device 0 is the phone.
  static func token(_ name: String, device: Int = 0) -> [UInt8] {
    digest("courier token", name, "\(device)")
  }

  /// SHA-256 of the words, as the source of everything that has to be the same in each run.
  static func digest(_ words: String...) -> [UInt8] {
    var hash = SHA256()
    for word in words {
      hash.update(data: [UInt8(truncatingIfNeeded: word.utf8.count)])
      hash.update(data: Array(word.utf8))
    }
    return Array(hash.finalize())
  }

  /// A seed for one purpose, so that what is drawn for it does not depend on what was drawn before for another.
  static func seed(_ seed: UInt64, _ words: String...) -> UInt64 {
    digest("\(seed)", words.joined(separator: "|")).prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
