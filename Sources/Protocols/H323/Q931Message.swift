import Bytes

//  Q.931, section 4, as in H.225.0, section 7: a call reference of two bytes, and a User-user element with 16 bits of length
//
//     8     7     6     5     4     3     2     1
//   +-----------------------------------------------+
//   |  protocol discriminator = 08                  |
//   |  0     0     0     0  | length of reference=2 |
//   | flag|       call reference value              |
//   |             call reference value              |
//   |  0  |            message type                 |
//   |  information elements ...                     |
//   +-----------------------------------------------+

/// A message of H.225.0's call signalling, read as far as its information elements.
struct Q931Message: Equatable {
  /// The length of the header.
  static let headerLength = 5

  /// Names of the message types (Q.931, table 4-2; H.225.0, table 4).
  private static let names: [UInt8: String] = [
    0x01: "ALERTING", 0x02: "CALL PROCEEDING", 0x03: "PROGRESS", 0x05: "SETUP", 0x07: "CONNECT",
    0x0d: "SETUP ACKNOWLEDGE", 0x0f: "CONNECT ACKNOWLEDGE", 0x45: "DISCONNECT", 0x4d: "RELEASE",
    0x5a: "RELEASE COMPLETE", 0x62: "FACILITY", 0x6e: "NOTIFY", 0x75: "STATUS ENQUIRY", 0x7b: "INFORMATION",
    0x7d: "STATUS",
  ]

  /// The message's name.
  let name: String
  /// The call reference without its flag.
  let reference: UInt16
  /// Calling and called party number, as in the elements.
  private(set) var calling: String?, called: String?
  /// The PER of the User-user element, as a range of the message; nil where there is none.
  private(set) var userUser: Range<Int>?

  /// Whether first bytes behind a TPKT header are such a message's. Allocates nothing.
  static func canBegin(_ bytes: borrowing RawSpan) -> Bool {
    bytes.byteCount >= headerLength && bytes.u8(0) == 8 && bytes.u8(1) == 2 && isType(bytes.u8(4))
  }

  private static func isType(_ type: UInt8) -> Bool {
    switch type {
    case 0x01, 0x02, 0x03, 0x05, 0x07, 0x0d, 0x0f, 0x45, 0x4d, 0x5a, 0x62, 0x6e, 0x75, 0x7b, 0x7d: true
    default: false
    }
  }

  /// Reads a message.
  /// - Returns: nil where it is none; elements behind a damaged one are left out.
  init?(_ bytes: borrowing RawSpan) {
    guard Self.canBegin(bytes), let name = Self.names[bytes.u8(4)] else { return nil }
    self.name = name
    reference = bytes.u16(2) & 0x7fff
    var at = Self.headerLength
    while bytes.holds(2, at: at) {
      let type = bytes.u8(at)
      // Elements of one byte have the high bit (Q.931, section 4.5.1).
      if type & 0x80 != 0 {
        at &+= 1
        continue
      }
      if type == 0x7e {
        guard bytes.holds(4, at: at) else { return }
        let length = Int(bytes.u16(at &+ 1))
        // The discriminator 05: the element holds X.680 and X.690 coded user information.
        if bytes.u8(at &+ 3) == 5, length > 1, bytes.holds(length, at: at &+ 3) {
          userUser = at &+ 4..<at &+ 3 &+ length
        }
        at &+= 3 &+ length
        continue
      }
      let length = Int(bytes.u8(at &+ 1))
      guard bytes.holds(length, at: at &+ 2) else { return }
      let content = bytes.slice(at &+ 2, length)
      if type == 0x6c { calling = calling ?? Self.digits(content) }
      if type == 0x70 { called = called ?? Self.digits(content) }
      at &+= 2 &+ length
    }
  }

  /// The digits of a party number, behind one or two bytes of type and presentation (Q.931, section 4.5.8).
  private static func digits(_ content: borrowing RawSpan) -> String? {
    guard content.byteCount > 1 else { return nil }
    let start = content.u8(0) & 0x80 == 0 ? 2 : 1
    return CallLog.text(content.slice(start, content.byteCount))
  }
}
