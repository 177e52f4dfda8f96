@testable import Protocols

/// Messages of Google's QUIC built by hand (synthetic).
enum QUICSample {
  /// Synthetic: a CHLO with values for tags of four characters.
  static func chlo(_ values: [(tag: String, value: [UInt8])]) -> [UInt8] {
    var end = 0
    var entries: [UInt8] = []
    for (tag, value) in values {
      end += value.count
      entries += Array(tag.utf8) + [0, 8, 16, 24].map { UInt8(end >> $0 & 255) }
    }
    return Array("CHLO".utf8) + [UInt8(values.count), 0, 0, 0] + entries + values.flatMap(\.value)
  }

  /// Synthetic: a CHLO as Chromium's, with a name and a user agent.
  static let chlo = chlo([
    ("PAD\0", [UInt8](repeating: 0x2d, count: 600)), ("SNI\0", Array("g.example".utf8)), ("VER\0", Array("Q046".utf8)),
    ("UAID", Array("Chrome/1 Test".utf8)),
  ])
}
