import Bytes

//  RFC 9000, section 18: the extension quic_transport_parameters of TLS
//
//   +---------------+-------------+-------+
//   | i: identifier | i: length   | value |  ..
//   +---------------+-------------+-------+
//
//  before draft 27:   | 2: length of all | (2: identifier | 2: length | value) .. |

/// What the client's transport parameters say.
struct QUICTransportParameters {
  /// The most parameters that are read.
  static let maximumCount = 64
  /// The longest user agent that is kept, in bytes.
  static let maximumUserAgentLength = 256

  /// Identifiers in the order in which they were sent, without GREASE.
  var identifiers: [UInt64] { (0..<count).map { found[$0] } }
  private var found = InlineArray<64, UInt64>(repeating: 0)
  private var count = 0
  private(set) var maximumIdleTimeout: UInt64?
  private(set) var maximumDatagramFrameSize: UInt64?
  private(set) var userAgent: String?

  /// Reads the extension's value as far as it is whole.
  init(_ value: borrowing RawSpan) {
    let isEarly = Self.isEarly(value)
    var reader = ByteReader(isEarly ? value.slice(2, value.byteCount) : copy value)
    do throws(ParseError) {
      while !reader.isAtEnd, count < Self.maximumCount {
        let identifier = isEarly ? UInt64(try reader.u16()) : try reader.quicInteger()
        let length = isEarly ? Int(try reader.u16()) : try reader.quicLength()
        take(identifier, try reader.take(length))
      }
    } catch {
      // Those before it stay.
    }
  }

  /// Whether the lists fit as they did before draft 27, in every byte.
  private static func isEarly(_ value: borrowing RawSpan) -> Bool {
    guard value.byteCount >= 2, Int(value.u16(0)) == value.byteCount &- 2 else { return false }
    var offset = 2
    while value.holds(4, at: offset) { offset &+= 4 &+ Int(value.u16(offset &+ 2)) }
    return offset == value.byteCount
  }

  private mutating func take(_ identifier: UInt64, _ value: borrowing RawSpan) {
    // RFC 9000, section 18.1: 31 * N + 27 says nothing.
    if identifier % 31 == 27 { return }
    found[count] = identifier
    count &+= 1
    switch identifier {
    case 0x01: maximumIdleTimeout = Self.integer(value)
    case 0x20: maximumDatagramFrameSize = Self.integer(value)
    case 0x3129 where value.byteCount > 0: userAgent = visibleText(value.slice(0, Self.maximumUserAgentLength))
    default: break
    }
  }

  private static func integer(_ value: borrowing RawSpan) -> UInt64? {
    var reader = ByteReader(copy value)
    return try? reader.quicInteger()
  }
}

extension ClientHello {
  /// The value of the extension quic_transport_parameters (57, and 0xffa5 in the drafts); empty where it is missing.
  var quicTransportParameters: RawSpan {
    @_lifetime(copy self) get {
      var reader = ByteReader(extensions)
      while let type = try? reader.u16(), let length = try? reader.u16(), let value = try? reader.take(Int(length)) {
        if type == 57 || type == 0xffa5 { return value }
      }
      return RawSpan()
    }
  }
}
