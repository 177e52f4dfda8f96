public import Bytes

//  RFC 9460, section 2.2
//
//   +--------+--------+----------------+  +-----+--------+-----------+
//   | priority        | target name    |  | key | length | value ... |  keys in strictly rising order
//   +--------+--------+----------------+  +-----+--------+-----------+

/// An SVCB or HTTPS record.
public struct ServiceBinding: Sendable, Equatable {
  /// 0 for an alias, else the rank of this service.
  public var priority: UInt16
  /// The name that serves it; "." for the owner's own name.
  public var target: String
  /// Application protocols (key 1).
  public var alpn: [String] = []
  /// The port (key 3), where it is not the usual one.
  public var port: UInt16?
  /// Addresses to try first (keys 4 and 6).
  public var hints: [IPAddress] = []
  /// Whether an Encrypted ClientHello configuration is offered (key 5).
  public var hasEncryptedClientHello = false

  /// Reads a record's data up to the offset `end` of the message.
  init(parsing reader: inout ByteReader, in message: borrowing RawSpan, end: Int) throws(ParseError) {
    guard reader.offset &+ 3 <= end else { throw .malformed(.length, at: reader.offset) }
    priority = try reader.u16()
    target = try DNSName.read(&reader, in: message, limit: end)
    var previous = -1
    while reader.offset < end {
      let at = reader.offset
      guard end &- at >= 4 else { throw .malformed(.length, at: at) }
      let key = Int(try reader.u16())
      let length = Int(try reader.u16())
      guard key > previous else { throw .malformed(.order, at: at) }
      guard length <= end &- reader.offset else { throw .malformed(.length, at: at &+ 2) }
      previous = key
      var value = try reader.sub(length)
      switch key {
      case 1:
        while !value.isAtEnd { alpn.append(visibleText(try value.take(Int(value.u8())))) }
      case 3:
        guard length == 2 else { throw .malformed(.length, at: at &+ 2) }
        port = try value.u16()
      case 4:
        guard length.isMultiple(of: 4) else { throw .malformed(.length, at: at &+ 2) }
        while !value.isAtEnd { hints.append(IPAddress(v4: try value.u32())) }
      case 5:
        hasEncryptedClientHello = true
      case 6:
        guard length.isMultiple(of: 16) else { throw .malformed(.length, at: at &+ 2) }
        while !value.isAtEnd { hints.append(IPAddress(high: try value.u64(), low: try value.u64())) }
      default:
        break
      }
    }
  }
}
