import Bytes
import Protocols

/// Reads the handshake messages of a side out of its records, each cut where it likes (RFC 8446, section 5.1).
struct HandshakeMessages: Sendable {
  /// The longest message that is kept: hellos and key updates alone are, and a hello is some thousand bytes long.
  static let maximumLength = 1 << 16
  /// The longest message that is believed: a chain of certificates is far shorter.
  static let maximumClaim = 1 << 20

  /// The body of the message that `next` gave, if it is one of those that are kept.
  private(set) var body: [UInt8] = []
  private var header: UInt32 = 0
  private var headerCount = 0
  private var left = 0
  private var isInMessage = false
  private var isKept = false

  /// Bytes that are kept.
  var bufferedBytes: Int { body.count }

  private var type: TLSHandshakeType { TLSHandshakeType(rawValue: UInt8(truncatingIfNeeded: header >> 24)) }

  /// Reads on in a record.
  /// - Parameters:
  ///   - fragment: the record's content.
  ///   - offset: where to go on; moved to what is still to be read.
  /// - Returns: the kind of the message that ends there; nil at the end of the fragment.
  mutating func next(_ fragment: borrowing RawSpan, _ offset: inout Int) -> TLSHandshakeType? {
    while true {
      if !isInMessage {
        while headerCount < 4, offset < fragment.byteCount {
          header = header << 8 | UInt32(fragment.u8(offset))
          headerCount &+= 1
          offset &+= 1
        }
        guard headerCount == 4 else { return nil }
        headerCount = 0
        left = Int(header & 0xff_ffff)
        guard left <= Self.maximumClaim else {
          // Encrypted bytes, or those of a message whose beginning is missing.
          drop()
          offset = fragment.byteCount
          return nil
        }
        isInMessage = true
        isKept = (type == .clientHello || type == .serverHello || type == .keyUpdate) && left <= Self.maximumLength
        body.removeAll(keepingCapacity: true)
      }
      let step = min(left, fragment.byteCount &- offset)
      if isKept { body.append(fragment.slice(offset, step)) }
      offset &+= step
      left &-= step
      guard left == 0 else { return nil }
      isInMessage = false
      return type
    }
  }

  /// Forgets a message that lost bytes belonged to.
  mutating func drop() { self = HandshakeMessages() }
}

extension TLSHandshakeType {
  /// end_of_early_data (RFC 8446, section 4.5).
  static let endOfEarlyData = TLSHandshakeType(rawValue: 5)
  /// finished (RFC 8446, section 4.4.4).
  static let finished = TLSHandshakeType(rawValue: 20)
  /// key_update (RFC 8446, section 4.6.3).
  static let keyUpdate = TLSHandshakeType(rawValue: 24)
}
