import Bytes

//  RFC 7296, section 3.1 (IKEv1: RFC 2408, section 3.1, has the same layout)
//
//                        1                   2                   3
//    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |                       IKE SA Initiator's SPI                  |
//   |                                                               |
//   |                       IKE SA Responder's SPI                  |
//   |                                                               |
//   |  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
//   |                          Message ID                           |
//   |                            Length                             |
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
//  RFC 3948, section 2: on port 4500 four zero bytes stand before IKE, and without them a datagram is ESP, or a single
//  byte ff that keeps a NAT's binding alive.

/// The header of an IKE message.
struct IKEHeader: Equatable {
  /// The length of the header.
  static let headerLength = 28
  /// The ports of IKE, and of IKE and ESP behind a NAT.
  static let port: UInt16 = 500, portBehindNAT: UInt16 = 4500

  /// The initiator's SPI, never 0.
  let initiator: UInt64
  /// The responder's SPI; 0 in the first message.
  let responder: UInt64
  /// 1 or 2.
  let majorVersion: UInt8
  /// The exchange type.
  let exchange: UInt8
  /// The length of the message, as it says itself.
  let length: UInt32

  /// Reads a header, behind the four zero bytes of a NAT's port where they are there. Allocates nothing.
  /// - Throws: `malformed` for what is no IKE: no initiator, another version, an exchange type that it has not, or a
  ///   length that is not the datagram's; `truncated` where the header is not whole.
  init(parsing datagram: borrowing RawSpan) throws(ParseError) {
    var reader = ByteReader(copy datagram)
    if datagram.byteCount >= 4, datagram.u32(0) == 0 { try reader.skip(4) }
    let available = reader.remaining
    initiator = try reader.u64()
    responder = try reader.u64()
    guard initiator != 0 else { throw .malformed(.value, at: reader.offset) }
    try reader.skip(1)
    let version = try reader.u8()
    majorVersion = version >> 4
    exchange = try reader.u8()
    let flags = try reader.u8()
    try reader.skip(4)
    length = try reader.u32()
    switch (majorVersion, exchange) {
    // Base, identity protection, authentication only, aggressive, informational, transaction; quick and new group mode.
    case (1, 1...6), (1, 32...34): guard flags & 0xf8 == 0 else { throw .malformed(.value, at: 19) }
    // IKE_SA_INIT to IKE_FOLLOWUP_KE (IANA, "IKEv2 Exchange Types").
    case (2, 34...44): guard flags & 0xc7 == 0 else { throw .malformed(.value, at: 19) }
    default: throw .malformed(.version, at: 17)
    }
    guard version & 15 <= 1, length == UInt32(clamping: available) else { throw .malformed(.length, at: 24) }
  }

  /// Whether a datagram is a message of IKE. Allocates nothing.
  static func canBegin(_ datagram: borrowing RawSpan) -> Bool {
    datagram.byteCount >= headerLength && (try? IKEHeader(parsing: datagram)) != nil
  }
}
