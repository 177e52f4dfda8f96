import Bytes

//  "QUIC Wire Layout Specification" (Google, 2016-2018) and Chromium's quiche/quic/core/quic_framer.cc
//
//  Q024 to Q043, the public header:
//   | 0 0 P P C D R V | 8: connection ID | 4: version | 1...6: packet number | 12: hash | frames
//     P: length of the packet number, C: a connection ID is there, D: a nonce, R: reset, V: a version is there
//  Q044 to Q046: a long header (QUICPacket.swift), then   | 1...4: packet number | 12: hash | frames
//
//  Frames, also of 050 and 051 behind the IETF's header:
//   1fdooSSs  STREAM   f: fin, d: 2 bytes of length, ooS: bytes of offset, ss: bytes of stream ID, less one
//   01ntllmm  ACK      08  CRYPTO: i: offset | i: length | data      06  STOP_WAITING      07  PING      00  PADDING
//
//  The client's first handshake message, on stream 1 or in CRYPTO; numbers in it are little-endian:
//   | "CHLO" | 2: entries | 2: 0 | entries x (4: tag | 4: end of its value) | values

/// Google's public header with a version, as only a client sends it before the server has answered.
struct GooglePublicHeader {
  /// Bytes of the hash that stands for authentication before there are keys.
  static let hashLength = 12

  let version: QUICVersion
  let connectionID: QUICConnectionID
  /// Where the frames begin, were the packet not encrypted.
  let frames: Int
  /// Bytes of the packet number.
  let numberLength: Int

  /// Reads a header; nil where it is none, or one without a known version.
  init?(parsing datagram: borrowing RawSpan) {
    guard datagram.holds(13, at: 0) else { return nil }
    let flags = datagram.u8(0)
    // A version, a connection ID, no reset, nothing in the reserved bits.
    guard flags & 0xcb == 0x09 else { return nil }
    version = QUICVersion(rawValue: datagram.u32(9))
    guard version.layout == .googlePublic, let id = QUICConnectionID(datagram.slice(1, 8)) else { return nil }
    connectionID = id
    numberLength = [1, 2, 4, 6][Int(flags >> 4 & 3)]
    // Versions before Q034 have a byte of private flags before the frames.
    let hasPrivateFlags = version.rawValue < 0x5130_3334
    frames = 13 &+ numberLength &+ Self.hashLength &+ (hasPrivateFlags ? 1 : 0)
    guard datagram.byteCount > frames else { return nil }
  }
}

/// Walks Google's frames up to the handshake's data.
struct GoogleFrames: ~Escapable {
  private var reader: ByteReader
  private let version: QUICVersion
  private let numberLength: Int

  @_lifetime(copy payload)
  init(_ payload: RawSpan, version: QUICVersion, numberLength: Int) {
    reader = ByteReader(payload)
    self.version = version
    self.numberLength = numberLength
  }

  /// The next piece of the handshake; nil at the end.
  /// - Throws: `truncated` where a frame ends behind the payload; `malformed` for one that is not read.
  @_lifetime(copy self)
  mutating func next() throws(ParseError) -> QUICFrame? {
    while !reader.isAtEnd {
      let type = try reader.u8()
      if type & 0x80 != 0 {
        let stream = try number(bytes: Int(type & 3) &+ 1)
        let offsetBytes = Int(type >> 2 & 7)
        let offset = offsetBytes == 0 ? 0 : try number(bytes: offsetBytes &+ 1)
        let data = type & 0x20 != 0 ? try reader.take(Int(number(bytes: 2))) : reader.rest()
        if stream == 1 { return .crypto(offset: Int(clamping: offset), data: data) }
      } else if type & 0x40 != 0 {
        try skipAcknowledgment(type)
      } else if type == 0x08 {
        let offset = try reader.quicLength()
        return .crypto(offset: offset, data: try reader.take(reader.quicLength()))
      } else if type == 0x06 {
        try reader.skip(numberLength)
      } else if type != 0x00, type != 0x07 {
        throw .malformed(.type, at: reader.offset &- 1)
      }
    }
    return nil
  }

  /// A number of up to 8 bytes: little-endian before Q039.
  @_lifetime(self: copy self)
  private mutating func number(bytes count: Int) throws(ParseError) -> UInt64 {
    let isLittle = version.rawValue >> 24 == 0x51 && version.rawValue < 0x5130_3339
    var value: UInt64 = 0
    for i in 0..<count {
      let byte = UInt64(try reader.u8())
      value = isLittle ? value | byte << UInt64(8 &* (i & 7)) : value << 8 | byte
    }
    return value
  }

  @_lifetime(self: copy self)
  private mutating func skipAcknowledgment(_ type: UInt8) throws(ParseError) {
    let lengths = [1, 2, 4, 6]
    let blockLength = lengths[Int(type & 3)]
    try reader.skip(lengths[Int(type >> 2 & 3)] &+ 2)
    let blocks = type & 0x20 != 0 ? Int(try reader.u8()) : 0
    try reader.skip(blockLength &+ blocks &* (1 &+ blockLength))
    let stamps = Int(try reader.u8())
    if stamps > 0 { try reader.skip(5 &+ 3 &* (stamps &- 1)) }
  }
}

/// A CHLO, lent.
struct GoogleClientHello: ~Escapable {
  /// The most entries that are read; Chromium sends some 30.
  static let maximumEntries = 128

  /// The server name, empty where none was sent.
  let serverName: RawSpan
  /// The user agent, empty where none was sent.
  let userAgent: RawSpan

  /// Whether bytes may be the begin of one.
  static func canBegin(_ bytes: borrowing RawSpan) -> Bool { bytes.byteCount >= 4 && bytes.u32(0) == 0x4348_4c4f }

  /// How long it is; nil where too little of it is there to know.
  static func length(_ bytes: borrowing RawSpan) -> Int? {
    guard bytes.holds(8, at: 0) else { return nil }
    let entries = Int(bytes.u16(4).byteSwapped)
    let values = 8 &+ 8 &* entries
    guard entries > 0 else { return values }
    guard bytes.holds(values, at: 0) else { return nil }
    return values &+ Int(bytes.u32(values &- 4).byteSwapped)
  }

  /// Reads a whole CHLO.
  /// - Throws: `truncated` where a value ends behind the bytes, `malformed` where values overlap or it is none.
  @_lifetime(copy bytes)
  init(parsing bytes: RawSpan) throws(ParseError) {
    var reader = ByteReader(bytes)
    guard try reader.u32() == 0x4348_4c4f else { throw .malformed(.type, at: 0) }
    let entries = Int(try reader.u16().byteSwapped)
    guard entries <= Self.maximumEntries else { throw .limit(.listLength) }
    try reader.skip(2)
    var values = ByteReader(bytes)
    try values.skip(8 &+ 8 &* entries)
    var name = RawSpan()
    var agent = RawSpan()
    var end = 0
    for _ in 0..<entries {
      let tag = try reader.u32()
      let next = Int(try reader.u32().byteSwapped)
      guard next >= end else { throw .malformed(.order, at: reader.offset &- 4) }
      let value = try values.take(next &- end)
      end = next
      switch tag {
      case 0x534e_4900: name = value
      case 0x5541_4944: agent = value
      default: break
      }
    }
    serverName = name
    userAgent = agent
  }
}
