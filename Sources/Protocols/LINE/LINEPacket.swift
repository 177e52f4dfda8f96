import Bytes

// Datagrams of a LINE call (ntop/nDPI, line.c, for the first bytes and the counter; that the low bits of the first two
// bytes are the length of what follows was read off its line.pcap, where it holds in each datagram):
//
//   1101 k lll   llllllll   counter (2)   kind (2)   ...        l: bytes behind the first four; k: set in a session's begin
//   b6   kind (1)   length of what follows (2)   ...
//
// 06 02 is the kind of the first datagrams, d8 to db their first byte. RTP goes on the same path beside them.

/// A datagram of LINE's call protocol.
struct LINEPacket: Equatable {
  /// The counter, one more with each datagram of a side.
  let counter: UInt16
  /// Whether it opens a session.
  let isOpening: Bool

  /// The header, or `nil` where the length does not fit.
  init?(_ datagram: borrowing RawSpan) {
    guard datagram.byteCount >= 16, datagram.u8(0) & 0xf0 == 0xd0,
      Int(datagram.u16(0) & 0x07ff) == datagram.byteCount &- 4
    else { return nil }
    counter = datagram.u16(2)
    isOpening = datagram.u8(0) & 0x08 != 0 && datagram.u16(4) == 0x0602
  }

  /// Whether it is one of the short datagrams.
  static func isShort(_ datagram: borrowing RawSpan) -> Bool {
    guard datagram.byteCount >= 8, datagram.u8(0) == 0xb6, Int(datagram.u16(2)) == datagram.byteCount &- 4 else {
      return false
    }
    return datagram.u8(1) == 0x18 || datagram.u8(1) == 0x07 || datagram.u8(1) == 0x09
  }

  /// What a datagram shows alone.
  static func recognize(_ datagram: borrowing RawSpan) -> MessengerSignature? {
    if isShort(datagram) { return .weak(.lineCall) }
    guard let packet = LINEPacket(datagram) else { return nil }
    return packet.isOpening ? .sure(.lineCall) : .weak(.lineCall)
  }
}

/// A counter that rises in several datagrams of a side makes a call.
struct LINEConversation {
  /// Datagrams in a row that prove it.
  static let proof = 3

  private(set) var strength = MessengerSignature.Strength.weak
  private var counters = Sides<UInt16?>(nil)
  private var rises = 0

  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    if LINEPacket.isShort(datagram) {
      count()
      return .mine
    }
    guard let packet = LINEPacket(datagram) else { return .notMine }
    if packet.isOpening { strength = .sure }
    if let before = counters[side], (1...8).contains(packet.counter &- before) { count() }
    counters[side] = packet.counter
    return .mine
  }

  private mutating func count() {
    rises = min(rises &+ 1, Self.proof)
    if rises >= Self.proof &- 1 { strength = .sure }
  }
}

extension ApplicationProtocol {
  /// LINE's calls over UDP.
  public static let lineCall: ApplicationProtocol = "line-call"
}
