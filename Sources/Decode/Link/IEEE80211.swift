import Bytes

// IEEE 802.11-2020, section 9.2.3 (figure 9-2) and, for frame control, 9.2.4.1 (figure 9-3). Numbers are little-endian.
//   frame control (2), duration (2), address 1 (6), address 2 (6), address 3 (6), sequence control (2),
//   address 4 (6, if to and from the distribution system), QoS control (2, if the subtype says QoS),
//   HT control (4, with QoS and the last flag), body, frame check sequence (4)
//
//    0   1   2   3   4   5   6   7     8    9    10    11    12    13     14     15
//   +-------+-------+---------------+----+----+-----+-----+-----+-----+---------+------+
//   |version| type  |    subtype    | to |from|more |retry|power|more |protected| +HTC |
//   |       |       |               | DS | DS |frags|     |mgmt |data |         |/order|
//   +-------+-------+---------------+----+----+-----+-----+-----+-----+---------+------+
// Section 9.3.2.2.2 (figure 9-70): with the A-MSDU bit of QoS control the body is subframes, each of destination (6),
// source (6), length (2), MSDU, and padding to four bytes. Section 5.1.4: an MSDU begins with LLC.

/// What happened to IEEE 802.11 frames.
public struct WirelessCounters: Hashable, Sendable {
  /// Management and extension frames: beacons, probes, association.
  public var management: UInt64 = 0
  /// Control frames: acknowledgments, requests to send.
  public var control: UInt64 = 0
  /// Data frames without data.
  public var empty: UInt64 = 0
  /// Data frames whose body is encrypted.
  public var encrypted: UInt64 = 0
  /// Fragments after the first: they are not put together.
  public var fragments: UInt64 = 0
  /// Frames that the receiver found damaged.
  public var badChecksum: UInt64 = 0
  /// Subframes of aggregates after the first: not read.
  public var subframesNotRead: UInt64 = 0
  /// Nothing happened.
  public init() {}
}

/// What the capture's own header says about the frame behind it.
struct WirelessFraming {
  /// Bytes of frame check sequence at the end.
  var checksumLength = 0
  /// The receiver found the checksum wrong.
  var isDamaged = false
  /// The header is padded to four bytes.
  var isPadded = false
  /// Frame control stands with its bytes exchanged (CAPWAP of some vendors).
  var isSwapped = false
}

extension Decoder {
  mutating func wireless(
    _ p: RawSpan, _ at: Int, _ end: Int, _ framing: WirelessFraming, _ h: inout Headers
  ) -> DecodeOutcome {
    guard enter(.link, at: at, &h) else { return .damaged }
    guard !framing.isDamaged else {
      wirelessCounters.badChecksum &+= 1
      return .counted
    }
    let end = max(at, end &- framing.checksumLength)
    let limit = min(p.byteCount, end)
    guard limit &- at >= 2 else { return cut(.link, at: at, need: 2, end: end, &h) }
    let control = framing.isSwapped ? p.u16(at).byteSwapped : p.u16(at)
    guard control >> 8 & 3 == 0 else { return .unknown }
    switch control >> 10 & 3 {
    case 0, 3:
      wirelessCounters.management &+= 1
      return .counted
    case 1:
      wirelessCounters.control &+= 1
      return .counted
    default: break
    }
    guard control & 0x4000 == 0 else {
      wirelessCounters.empty &+= 1
      return .counted
    }
    let length = Self.wirelessHeaderLength(control)
    guard limit &- at >= length else { return cut(.link, at: at, need: length, end: end, &h) }
    let quality = control & 0x8000 == 0 ? 0 : p.u16(at &+ (control & 3 == 3 ? 30 : 24))
    let body = at &+ (framing.isPadded ? (length &+ 3) & ~3 : length)
    // Where frame control is exchanged, the fragment number may be as well.
    guard p.u8(at &+ 22) & 15 == 0 || isLogicalLink(p, body, end) else {
      wirelessCounters.fragments &+= 1
      let need = body &- at &+ 8
      return p.byteCount < end && p.byteCount &- at < need ? cut(.link, at: at, need: need, end: end, &h) : .counted
    }
    if control & 0x0040 != 0 { return protected(p, body, end, quality, &h) }
    return wirelessBody(p, body, end, control, quality, &h)
  }

  /// By frame control, its first byte in the high half.
  static func wirelessHeaderLength(_ control: UInt16) -> Int {
    var length = 24
    if control & 3 == 3 { length &+= 6 }
    if control & 0x8000 != 0 { length &+= control & 0x80 != 0 ? 6 : 2 }
    return length
  }

  private mutating func wirelessBody(
    _ p: RawSpan, _ at: Int, _ end: Int, _ control: UInt16, _ quality: UInt16, _ h: inout Headers
  ) -> DecodeOutcome {
    if quality & 0x8000 != 0 { return aggregate(p, at, end, &h) }
    // Mesh control (section 9.2.4.7.3): flags (1), time to live (1), sequence number (4), none, one or two addresses. Its
    // bit means other things outside a mesh.
    if quality & 1 != 0, control & 2 != 0, p.holds(1, at: at), !isLogicalLink(p, at, end) {
      let mesh = at &+ 6 &+ Int(p.u8(at) & 3) &* 6
      if isLogicalLink(p, mesh, end) { return logicalLink(p, mesh, end, &h) }
      if p.byteCount < min(end, mesh &+ 8) { return cut(.link, at: at, need: mesh &+ 8 &- at, end: end, &h) }
    }
    return logicalLink(p, at, end, &h)
  }

  private mutating func aggregate(_ p: RawSpan, _ at: Int, _ end: Int, _ h: inout Headers) -> DecodeOutcome {
    let limit = min(p.byteCount, end)
    guard limit &- at >= 14 else { return cut(.link, at: at, need: 14, end: end, &h) }
    let stop = at &+ 14 &+ Int(p.u16(at &+ 12))
    if stop > end { h.damage = Damage(.link, .truncated, at: at) }
    var next = at &+ (stop &- at &+ 3) & ~3
    while limit &- next >= 14 {
      wirelessCounters.subframesNotRead &+= 1
      next &+= (14 &+ Int(p.u16(next &+ 12)) &+ 3) & ~3
    }
    return logicalLink(p, at &+ 14, min(stop, end), &h)
  }

  /// A body that is marked as encrypted. Hosts and access points that decrypted it often leave the mark, and the eight
  /// bytes that CCMP or TKIP put before it.
  private mutating func protected(
    _ p: RawSpan, _ at: Int, _ end: Int, _ quality: UInt16, _ h: inout Headers
  ) -> DecodeOutcome {
    let aggregate = quality & 0x8000 == 0 ? 0 : 14
    var body = at
    while body <= at &+ 8 {
      if isLogicalLink(p, body &+ aggregate, end) {
        return aggregate == 0 ? logicalLink(p, body, end, &h) : self.aggregate(p, body, end, &h)
      }
      body &+= 8
    }
    wirelessCounters.encrypted &+= 1
    let need = 8 &+ aggregate &+ 8
    return p.byteCount < end && p.byteCount &- at < need ? cut(.link, at: at, need: need, end: end, &h) : .counted
  }

  /// Whether LLC with SNAP and an organization before an EtherType starts here.
  func isLogicalLink(_ p: RawSpan, _ at: Int, _ end: Int) -> Bool {
    guard min(p.byteCount, end) &- at >= 8 else { return false }
    return p.u32(at) == 0xaaaa_0300 && p.u8(at &+ 4) == 0 && (p.u8(at &+ 5) == 0 || p.u8(at &+ 5) == 0xf8)
  }
}
