public import Bytes

//  RFC 6347, section 4.1: DTLS 1.0 and 1.2, and the records in clear of DTLS 1.3
//
//   +--------+-----------------+-----------------+--------------------------------+-----------------+---------
//   |  type  |     version     |      epoch      |  sequence number, 6 bytes      |     length      | fragment
//   +--------+-----------------+-----------------+--------------------------------+-----------------+---------
//
//  RFC 9146, section 4: type 25 has the connection ID between sequence number and length.
//
//  RFC 9147, section 4: encrypted records of DTLS 1.3
//
//   0 1 2 3 4 5 6 7
//   +-+-+-+-+-+-+-+-+
//   |0|0|1|C|S|L|E E|  connection ID (C), sequence number of 1 or 2 bytes (S), length (L), encrypted record
//   +-+-+-+-+-+-+-+-+

/// A DTLS record's header in the form of DTLS 1.2.
public struct DTLSRecordHeader: Sendable, Equatable {
  /// Bytes of a header without connection ID.
  public static let byteCount = 13

  /// What the record holds.
  public var type: TLSContentType
  /// The version that the record claims; 0xfefd in DTLS 1.3 too.
  public var version: TLSVersion
  /// How often the keys have changed; 0 is in clear.
  public var epoch: UInt16
  /// The record's number in its epoch, 48 bits.
  public var sequence: UInt64
  /// Bytes of the fragment; 0 where a connection ID hides the length.
  public var length: Int

  /// Reads a header; one that no endpoint sends is malformed.
  /// - Throws: `truncated` below 13 bytes; `malformed` for an unknown type, another version, or a length above that
  ///   of TLS.
  public init(parsing reader: inout ByteReader) throws(ParseError) {
    let start = reader.offset
    let kind = try reader.u8()
    version = TLSVersion(rawValue: try reader.u16())
    epoch = try reader.u16()
    sequence = UInt64(try reader.u16()) << 32 | UInt64(try reader.u32())
    type = TLSContentType(rawValue: kind)
    let last = Int(try reader.u16())
    length = type == .connectionID ? 0 : last
    guard (20...26).contains(kind) else { throw .malformed(.type, at: start) }
    guard Self.versions.contains(version) else { throw .malformed(.version, at: start &+ 1) }
    guard length <= TLSRecordHeader.maximumLength else { throw .malformed(.length, at: start &+ 11) }
  }

  private static let versions: [TLSVersion] = [.dtls10, .dtls12, .dtlsBad]

  /// Whether a byte begins an encrypted record of DTLS 1.3.
  static func isUnified(_ byte: UInt8) -> Bool { byte >> 5 == 1 }
}

extension TLSContentType {
  /// tls12_cid (RFC 9146).
  public static let connectionID = TLSContentType(rawValue: 25)
  /// ACK of DTLS 1.3 (RFC 9147).
  public static let acknowledgment = TLSContentType(rawValue: 26)
}

//  RFC 6347, section 4.2.2: a handshake message, cut into fragments; each fragment repeats this header
//
//   +--------+-----------------+-----------------+-------------------+-------------------+---------
//   |  type  |  length (3)     | message_seq (2) | fragment_offset(3)| fragment_length(3)| body
//   +--------+-----------------+-----------------+-------------------+-------------------+---------

/// The header of a fragment of a handshake message.
struct DTLSFragmentHeader: Equatable {
  static let byteCount = 12

  /// The message's kind.
  var type: TLSHandshakeType
  /// Bytes of the whole message's body.
  var length: Int
  /// The message's number.
  var sequence: UInt16
  /// Where the fragment lies in the body.
  var offset: Int
  /// Bytes of the fragment.
  var count: Int

  /// Reads a header.
  /// - Throws: `truncated` below 12 bytes; `malformed` for a type that is not in use, or a fragment that reaches out
  ///   of its message.
  init(parsing reader: inout ByteReader) throws(ParseError) {
    let start = reader.offset
    type = TLSHandshakeType(rawValue: try reader.u8())
    length = try reader.u24()
    sequence = try reader.u16()
    offset = try reader.u24()
    count = try reader.u24()
    guard type.rawValue <= 25 || type.rawValue == 67 else { throw .malformed(.type, at: start) }
    guard offset &+ count <= length else { throw .malformed(.length, at: start &+ 6) }
  }
}
