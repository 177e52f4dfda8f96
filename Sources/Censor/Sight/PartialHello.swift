import Bytes
import Protocols

//  RFC 8446, sections 4.1.2 and 5.1, as a box reads them that has one segment only
//
//   16 03 xx | length (2) | 01 | length (3) | version (2) | random (32) | session id | suites | methods | extensions

/// A server name out of the first segment of a ClientHello that goes on in others.
enum PartialHello {
  /// The host_name, where it and all before it lie in these bytes within one TLS record.
  static func serverName(in segment: borrowing RawSpan) -> String? {
    do throws(ParseError) {
      var reader = ByteReader(copy segment)
      guard try reader.u8() == 0x16, try reader.u8() == 3, try reader.u8() <= 4 else { return nil }
      let length = Int(try reader.u16())
      // A box that does not put records together reads this one as far as the segment goes.
      var record = try reader.sub(min(length, reader.remaining))
      guard try record.u8() == 1 else { return nil }
      try record.skip(3 + 2 + 32)
      try record.skip(Int(record.u8()))
      try record.skip(Int(record.u16()))
      try record.skip(Int(record.u8()))
      try record.skip(2)
      while true {
        let type = try record.u16()
        let count = Int(try record.u16())
        guard type == 0 else {
          try record.skip(count)
          continue
        }
        try record.skip(2)
        guard try record.u8() == 0 else { return nil }
        let name = try record.take(Int(record.u16()))
        return visibleText(name)
      }
    } catch {
      return nil
    }
  }
}
