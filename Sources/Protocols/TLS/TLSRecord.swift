public import Bytes

//  RFC 8446, section 5.1
//
//    0                   1                   2                   3                   4
//   +--------+--------+--------+--------+--------+---------------------------------
//   |  type  | legacy_version  |     length      | fragment, length bytes ...
//   +--------+--------+--------+--------+--------+---------------------------------

/// A TLS record's header.
public struct TLSRecordHeader: Sendable, Equatable {
  /// Bytes of a record header.
  public static let byteCount = 5
  /// The longest fragment: 2^14 bytes and what TLS 1.2 allows encryption to add (RFC 5246, section 6.2.3).
  public static let maximumLength = 1 << 14 + 2048

  /// What the record holds.
  public var type: TLSContentType
  /// The version that the record claims; 0x0301 or 0x0303 in all versions of today.
  public var version: TLSVersion
  /// Bytes of the fragment.
  public var length: Int

  /// Reads five bytes; a header that no TLS or SSL 3.0 endpoint sends is malformed.
  /// - Throws: `truncated` below five bytes; `malformed` for an unknown type, another version or a length above
  ///   `maximumLength`.
  public init(parsing reader: inout ByteReader) throws(ParseError) {
    let start = reader.offset
    guard let header = TLSRecordHeader(packed: UInt64(try reader.u32()) << 8 | UInt64(try reader.u8())) else {
      throw .malformed(.header, at: start)
    }
    self = header
  }

  /// A header from its five bytes, big-endian in the low 40 bits; `nil` where they cannot be a header.
  init?(packed: UInt64) {
    let kind = UInt8(truncatingIfNeeded: packed >> 32)
    let version = UInt16(truncatingIfNeeded: packed >> 16)
    let length = Int(packed & 0xffff)
    guard kind >= 20, kind <= 24, version >> 8 == 3, version & 0xff <= 4, length <= Self.maximumLength else {
      return nil
    }
    type = TLSContentType(rawValue: kind)
    self.version = TLSVersion(rawValue: version)
    self.length = length
  }

  /// Whether `bytes`, as far as they go, can be the start of a record header.
  static func canBegin(_ bytes: borrowing RawSpan) -> Bool {
    let count = bytes.byteCount
    if count >= 1, !(20...24).contains(bytes.u8(0)) { return false }
    if count >= 2, bytes.u8(1) != 3 { return false }
    if count >= 3, bytes.u8(2) > 4 { return false }
    if count >= 5, Int(bytes.u16(3)) > maximumLength { return false }
    return true
  }
}
