import QUICKeys

//  The IANA registry "QUIC Versions", and versions that were deployed without being registered:
//
//   00000000  version negotiation        ff0000NN  draft-ietf-quic-transport-NN
//   00000001  RFC 9000                   faceb00N  Facebook's mvfst
//   6b3343cf  RFC 9369 (version 2)       abcd000N  Microsoft's MsQuic
//   ?a?a?a?a  GREASE                     "Q0NN", "T0NN"  Google's, with its own handshake or with TLS

/// A QUIC version, as on the wire.
public struct QUICVersion: RawRepresentable, Hashable, Sendable {
  /// The four bytes.
  public var rawValue: UInt32
  /// A version by its four bytes.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// What stands for a version in version negotiation (RFC 8999, section 6).
  public static let negotiation = QUICVersion(rawValue: 0)
  /// RFC 9000.
  public static let v1 = QUICVersion(rawValue: 1)
  /// RFC 9369.
  public static let v2 = QUICVersion(rawValue: 0x6b33_43cf)

  /// How packets of a version are laid out.
  enum Layout {
    /// As in RFC 9000, with the lengths of connection IDs in bytes of their own (draft 22 and later).
    case ietf
    /// Google's Q044 to Q046: lengths of connection IDs in half a byte each, Initials in clear.
    case googleLong
    /// Google's public header, before Q044.
    case googlePublic
  }

  /// How packets are laid out; nil where that is not known.
  var layout: Layout? {
    if let number = googleNumber(0x51) {
      switch number {
      case 24...43: return .googlePublic
      case 44...46: return .googleLong
      case 50: return .ietf
      default: return nil
      }
    }
    return protection(0) == nil ? nil : .ietf
  }

  /// The ways in which Initials may be protected, likely ones first: one where the version is known.
  func protection(_ index: Int) -> QUICInitialProtection? {
    if isGrease || isFacebook, knownProtection == nil {
      switch index {
      case 0: return .v1
      case 1: return .draft29
      case 2: return .draft23
      default: return nil
      }
    }
    return index == 0 ? knownProtection : nil
  }

  private var knownProtection: QUICInitialProtection? {
    switch rawValue {
    case 1: .v1
    case 0x6b33_43cf: .v2
    case 0x709a_50c4, 0xff02_0000: .v2Draft
    case 0xff00_0021...0xff00_0022: .v1
    case 0xff00_001d...0xff00_0020, 0xabcd_0000...0xabcd_000f: .draft29
    case 0xff00_0017...0xff00_001c, 0xfaceb002, 0xfaceb00e: .draft23
    case 0xff00_0016, 0xfaceb001: .draft21
    case 0x5130_3530: .q050
    case 0x5430_3530: .t050
    case 0x5430_3531: .t051
    default: nil
    }
  }

  /// Whether it is kept free to exercise version negotiation (RFC 9000, section 15).
  var isGrease: Bool { rawValue & 0x0f0f_0f0f == 0x0a0a_0a0a }

  private var isFacebook: Bool { rawValue >> 8 == 0xfaceb0 }

  /// Whether frames are Google's (before the IETF's, in versions 050 and 051).
  var hasGoogleFrames: Bool { googleNumber(0x51) != nil || googleNumber(0x54) != nil }

  /// Whether the types of long headers are numbered as in version 2 (RFC 9369, section 3.2).
  var hasSecondTypes: Bool { self == .v2 || knownProtection == .v2Draft }

  /// NN of a version "Q0NN" or "T0NN".
  private func googleNumber(_ letter: UInt32) -> Int? {
    let tens = rawValue >> 8 & 0xff
    let ones = rawValue & 0xff
    guard rawValue >> 24 == letter, rawValue >> 16 & 0xff == 0x30, (0x30...0x39).contains(tens),
      (0x30...0x39).contains(ones)
    else { return nil }
    return Int(tens &- 0x30) &* 10 &+ Int(ones &- 0x30)
  }
}

extension QUICVersion: CustomStringConvertible {
  /// "1", "2", "draft-29", "Q046"; hexadecimal where there is no such name.
  public var description: String {
    switch rawValue {
    case 1: "1"
    case 0x6b33_43cf: "2"
    case 0xff00_0001...0xff00_00ff: "draft-\(rawValue & 0xff)"
    default:
      hasGoogleFrames
        ? String(decoding: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: rawValue >> $0) }, as: UTF8.self)
        : "0x" + String(repeating: "0", count: rawValue.leadingZeroBitCount / 4) + String(rawValue, radix: 16)
    }
  }
}
