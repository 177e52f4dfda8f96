import Bytes

//  RFC 8446, sections 4 and 4.1.2
//
//   +---+-----------+----------------------------------+----------------+------+-------+-------+------+-------+--
//   | 1 | 3: length | version, random, .. compression  | 2: extensions  | type | 2: .. | value | type | 2: .. | ..
//   +---+-----------+----------------------------------+----------------+------+-------+-------+------+-------+--
//                   |<------------- head ------------->|

/// A ClientHello taken to pieces so that extensions can be moved, changed and added.
///
/// Only a hello that comes out byte for byte when it is put together again is taken.
struct HelloMessage: Equatable {
  /// An extension as it stands on the wire.
  struct Extension: Equatable {
    var type: UInt16
    var value: [UInt8]
  }

  /// server_name (RFC 6066), padding (RFC 7685), pre_shared_key (RFC 8446), and the two that hide a name.
  static let serverName: UInt16 = 0, padding: UInt16 = 21, preSharedKey: UInt16 = 41
  static let encryptedClientHello: UInt16 = 0xfe0d, encryptedServerName: UInt16 = 0xffce

  /// The body up to the length of the extensions.
  private var head: [UInt8]
  /// The extensions, in their order.
  var extensions: [Extension]

  /// Takes a message with its header to pieces; nil for one that is no whole ClientHello with extensions.
  init?(_ message: [UInt8]) {
    do throws(ParseError) {
      var reader = ByteReader(message.rawSpan)
      guard try reader.u8() == 1, try reader.u24() == message.count &- 4 else { return nil }
      // Version and random.
      try reader.skip(34)
      try reader.skip(Int(reader.u8()))
      try reader.skip(Int(reader.u16()))
      try reader.skip(Int(reader.u8()))
      head = Array(message[4..<reader.offset])
      guard Int(try reader.u16()) == reader.remaining else { return nil }
      extensions = []
      while !reader.isAtEnd {
        let type = try reader.u16()
        extensions.append(Extension(type: type, value: try reader.take(Int(reader.u16())).array))
      }
    } catch {
      return nil
    }
  }

  /// The message with its header; nil where a length does not fit its field.
  var bytes: [UInt8]? {
    var block: [UInt8] = []
    for field in extensions {
      guard field.value.count <= 0xffff else { return nil }
      block.put16(Int(field.type))
      block.put16(field.value.count)
      block += field.value
    }
    guard block.count <= 0xffff else { return nil }
    let length = head.count + 2 + block.count
    var message: [UInt8] = [1, UInt8(truncatingIfNeeded: length >> 16)]
    message.put16(length & 0xffff)
    message += head
    message.put16(block.count)
    return message + block
  }

  /// Where the host_name lies in the message; nil where there is none, or an empty one.
  var namePlace: Range<Int>? {
    var offset = 4 + head.count + 2
    for field in extensions {
      if field.type == Self.serverName {
        guard let place = Self.namePlace(in: field.value) else { return nil }
        return offset + 4 + place.lowerBound..<offset + 4 + place.upperBound
      }
      offset += 4 + field.value.count
    }
    return nil
  }

  /// The host_name; nil where there is none, or an empty one.
  var name: [UInt8]? {
    guard let field = extensions.first(where: { $0.type == Self.serverName }) else { return nil }
    return Self.namePlace(in: field.value).map { Array(field.value[$0]) }
  }

  /// Puts another host_name in the place of the one that is there; whether there was one.
  mutating func rename(_ name: [UInt8]) -> Bool {
    guard let at = extensions.firstIndex(where: { $0.type == Self.serverName }), name.count <= 0xfff0,
      Self.namePlace(in: extensions[at].value) != nil
    else { return false }
    extensions[at].value = Self.serverNameList(name)
    return true
  }

  /// Appends an extension as the last, or before pre_shared_key, which must be that (RFC 8446, section 4.2.11).
  mutating func append(_ field: Extension) {
    let isLast = extensions.last?.type == Self.preSharedKey
    extensions.insert(field, at: extensions.count - (isLast ? 1 : 0))
  }

  /// Turns the order of the extensions round, but for pre_shared_key at the end.
  mutating func reverse() {
    let fixed = extensions.last?.type == Self.preSharedKey ? 1 : 0
    extensions = extensions.dropLast(fixed).reversed() + extensions.suffix(fixed)
  }

  /// A ServerNameList of one host_name (RFC 6066, section 3).
  private static func serverNameList(_ name: [UInt8]) -> [UInt8] {
    var list: [UInt8] = []
    list.put16(name.count + 3)
    list.append(0)
    list.put16(name.count)
    return list + name
  }

  /// Where the host_name lies in the extension's value: only a list of one name is taken, as RFC 6066 has it.
  private static func namePlace(in value: [UInt8]) -> Range<Int>? {
    guard value.count > 5, value[2] == 0, Int(value[0]) << 8 | Int(value[1]) == value.count - 2,
      Int(value[3]) << 8 | Int(value[4]) == value.count - 5
    else { return nil }
    return 5..<value.count
  }
}

extension [UInt8] {
  /// Appends the low 16 bits of a number, big-endian.
  mutating func put16(_ value: Int) {
    append(UInt8(truncatingIfNeeded: value >> 8))
    append(UInt8(truncatingIfNeeded: value))
  }

  /// Appends a 32-bit number, big-endian.
  mutating func put32(_ value: UInt32) {
    put16(Int(value >> 16))
    put16(Int(value & 0xffff))
  }
}
