import Bytes

/// A connection ID of up to 20 bytes (RFC 9000, section 5.1), without memory of its own.
public struct QUICConnectionID: Hashable, Sendable {
  /// The longest one of the versions that are read (RFC 9000, section 17.2).
  public static let maximumLength = 20
  /// The shortest one that a client may choose for the server in its first packet (RFC 9000, section 7.2).
  static let shortestInitial = 8

  /// Bytes that it has.
  public let count: Int
  private let high: UInt64
  private let middle: UInt64
  private let low: UInt32

  /// A connection ID of all of `bytes`; nil where they are too many.
  public init?(_ bytes: borrowing RawSpan) {
    guard bytes.byteCount <= Self.maximumLength else { return nil }
    count = bytes.byteCount
    var words: (UInt64, UInt64, UInt64) = (0, 0, 0)
    for i in 0..<bytes.byteCount {
      let byte = UInt64(bytes.u8(i)) << UInt64(56 &- 8 &* (i & 7))
      switch i >> 3 {
      case 0: words.0 |= byte
      case 1: words.1 |= byte
      default: words.2 |= byte
      }
    }
    (high, middle, low) = (words.0, words.1, UInt32(truncatingIfNeeded: words.2 >> 32))
  }

  /// The connection ID that a packet with a short header would carry, were it of `length` bytes (RFC 9000, section
  /// 17.3); nil where the datagram has no short header or ends too early to be one.
  public init?(ofShortHeader datagram: borrowing RawSpan, length: Int) {
    guard let id = QUICPacket.destination(ofShortHeader: datagram, length: length) else { return nil }
    self = id
  }

  /// The connection ID of no bytes.
  public init() { (count, high, middle, low) = (0, 0, 0, 0) }

  /// A number to find the ID by: equal for equal IDs; with a secret seed nobody can make many meet.
  public func hash(seed: UInt64) -> UInt64 {
    var hash = (seed ^ high) &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ hash >> 32 ^ middle) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ hash >> 32 ^ UInt64(low) << 8 ^ UInt64(count)) &* 0x94d0_49bb_1331_11eb
    return hash ^ hash >> 32
  }

  /// The byte at `index`, 0 where there is none.
  public subscript(index: Int) -> UInt8 {
    guard (0..<count).contains(index) else { return 0 }
    let word = index < 8 ? high : index < 16 ? middle : UInt64(low) << 32
    return UInt8(truncatingIfNeeded: word >> UInt64(56 &- 8 &* (index & 7)))
  }

  /// Its bytes, and 0 in the places behind them.
  var padded: InlineArray<20, UInt8> { InlineArray { self[$0] } }

  /// A copy of its bytes.
  public var bytes: [UInt8] { (0..<count).map { self[$0] } }
}

extension QUICConnectionID: CustomStringConvertible {
  /// Hexadecimal.
  public var description: String { bytes.hex }
}

/// The connection IDs that the two sides chose for themselves: each stands in the packets to its side.
public struct QUICConnectionIDs: Hashable, Sendable {
  /// The client's, which the server writes to.
  public var client: QUICConnectionID?
  /// The server's, which the client writes to.
  public var server: QUICConnectionID?
  /// None yet.
  public init() {}
}
