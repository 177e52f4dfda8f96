import Bytes

/// The hellos that open TURN on TCP port 443 so that it passes for TLS, and after which nothing is TLS: those of
/// [MS-TURN], section 2.1.2, and of Google's "ssltcp" (WebRTC's rtc_base/socket_adapters.cc).
enum PseudoTLS {
  /// What first bytes show.
  enum Start: Equatable {
    /// A whole hello of so many bytes.
    case hello(Int)
    case needMore
    case notMine
  }

  /// Whether a side begins with such a hello.
  static func recognize(_ bytes: borrowing RawSpan) -> Start {
    var needsMore = false
    for pattern in [googleClient, googleServer, microsoftClient, microsoftServer] {
      switch pattern.matches(bytes) {
      case true: return .hello(pattern.length)
      case false: continue
      case nil: needsMore = true
      }
    }
    return needsMore ? .needMore : .notMine
  }

  /// A hello of fixed form: some bytes are fixed, the others random.
  private struct Pattern: Sendable {
    var length: Int
    var fixed: [(offset: Int, bytes: [UInt8])]

    /// Whether bytes begin with it; `nil` where they may.
    func matches(_ bytes: borrowing RawSpan) -> Bool? {
      for part in fixed {
        for (i, byte) in part.bytes.enumerated() {
          guard bytes.holds(1, at: part.offset &+ i) else { return nil }
          if bytes.u8(part.offset &+ i) != byte { return false }
        }
      }
      return bytes.byteCount >= length ? true : nil
    }
  }

  /// An SSL 2.0 hello with 15 cipher specs and always the same challenge.
  private static let googleClient = Pattern(
    length: 72,
    fixed: [
      (0, [0x80, 0x46, 0x01, 0x03, 0x01, 0x00, 0x2d, 0x00, 0x00, 0x00, 0x10]),
      (
        56,
        [0x1f, 0x17, 0x0c, 0xa6, 0x2f, 0x00, 0x78, 0xfc, 0x46, 0x55, 0x2e, 0xb1, 0x83, 0x39, 0xf1, 0xea]
      ),
    ])
  /// A ServerHello with always the same random, and no certificate after it.
  private static let googleServer = Pattern(
    length: 79,
    fixed: [
      (0, [0x16, 0x03, 0x01, 0x00, 0x4a, 0x02, 0x00, 0x00, 0x46, 0x03, 0x01]),
      (11, [0x42, 0x85, 0x45, 0xa7, 0x27, 0xa9, 0x5d, 0xa0, 0xb3, 0xc5, 0xe7, 0x53, 0xda, 0x48, 0x2b, 0x3f]),
    ])
  /// A hello of TLS 1.0 that offers one anonymous suite, TLS_DH_anon_WITH_RC4_128_MD5, and nothing else.
  private static let microsoftClient = Pattern(
    length: 50,
    fixed: [
      (0, [0x16, 0x03, 0x01, 0x00, 0x2d, 0x01, 0x00, 0x00, 0x29, 0x03, 0x01]),
      (43, [0x00, 0x00, 0x02, 0x00, 0x18, 0x01, 0x00]),
    ])
  /// The ServerHello that takes it, with a ServerHelloDone in the same record and no certificate between them.
  private static let microsoftServer = Pattern(
    length: 83,
    fixed: [
      (0, [0x16, 0x03, 0x01, 0x00, 0x4e, 0x02, 0x00, 0x00, 0x46, 0x03, 0x01]),
      (43, [0x20]),
      (76, [0x00, 0x18, 0x00, 0x0e, 0x00, 0x00, 0x00]),
    ])
}
