import Bytes

/// How the Initial packets of a family of QUIC versions are protected: a salt, and the labels of the keys.
///
/// Sources: RFC 9001, section 5.2 and its drafts; RFC 9369, section 3.3 and its draft; Chromium's
/// `quiche/quic/core/crypto/crypto_utils.cc` for Google's own versions.
public enum QUICInitialProtection: UInt8, Sendable, CaseIterable {
  /// Version 1, and drafts 33 and 34.
  case v1
  /// Version 2.
  case v2
  /// The provisional version 2 of draft-ietf-quic-v2-00.
  case v2Draft
  /// Drafts 29 to 32.
  case draft29
  /// Drafts 23 to 28.
  case draft23
  /// Drafts 21 and 22.
  case draft21
  /// Google's Q050.
  case q050
  /// Google's T050.
  case t050
  /// Google's T051.
  case t051

  /// The salt of the first secret.
  var salt: [UInt8] {
    switch self {
    case .v1: salt(0x3876_2cf7, 0xf559_34b3, 0x4d17_9ae6, 0xa4c8_0cad, 0xccbb_7f0a)
    case .v2: salt(0x0ded_e3de, 0xf700_a6db, 0x8193_81be, 0x6e26_9dcb, 0xf9bd_2ed9)
    case .v2Draft: salt(0xa707_c203, 0xa59b_4718, 0x4a1d_62ca, 0x5704_06ea, 0x7ae3_e5d3)
    case .draft29: salt(0xafbf_ec28, 0x9993_d24c, 0x9e97_86f1, 0x9c61_11e0, 0x4390_a899)
    case .draft23: salt(0xc3ee_f712, 0xc72e_bb5a, 0x11a7_d243, 0x2bb4_6365, 0xbef9_f502)
    case .draft21: salt(0x7fbc_db0e, 0x7c66_bbe9, 0x193a_96cd, 0x2151_9ebd, 0x7a02_644a)
    case .q050: salt(0x5045_74ef, 0xd066_fe2f, 0x9d94_5cfc, 0xdbd3_a7f0, 0xd3b5_6b45)
    case .t050: salt(0x7ff5_79e5, 0xacd0_7291, 0x5580_304c, 0x43a2_367c, 0x6048_8310)
    case .t051: salt(0x7a4e_def4, 0xe7cc_ee5f, 0xa450_6c19, 0x124f_c8cc, 0xda6e_033d)
    }
  }

  private func salt(_ words: UInt32...) -> [UInt8] {
    words.flatMap { word in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: word >> $0) } }
  }

  private var labelPrefix: String { self == .v2 || self == .v2Draft ? "quicv2 " : "quic " }

  /// What does not depend on the connection, prepared once.
  var constants: QUICInitialConstants { Self.allConstants[Int(rawValue)] }

  private static let allConstants = allCases.map {
    QUICInitialConstants(
      extract: HMACSHA256(key: $0.salt.rawSpan),
      key: expansion($0.labelPrefix + "key", count: 16), iv: expansion($0.labelPrefix + "iv", count: 12),
      headerProtection: expansion($0.labelPrefix + "hp", count: 16))
  }

  /// What HKDF-Expand-Label (RFC 8446, section 7.1) with an empty context hands to HMAC for its first block, which is
  /// all that up to 32 bytes of output need (RFC 5869, section 2.3).
  static func expansion(_ label: String, count: UInt8) -> [UInt8] {
    let full = Array("tls13 ".utf8) + Array(label.utf8)
    return [0, count, UInt8(truncatingIfNeeded: full.count)] + full + [0, 1]
  }
}

/// The salt and the labels in the form in which HMAC takes them.
struct QUICInitialConstants: Sendable {
  /// HMAC with the salt as its key: a copy of it spares hashing the salt for each connection.
  let extract: HMACSHA256
  let key: [UInt8]
  let iv: [UInt8]
  let headerProtection: [UInt8]
}
