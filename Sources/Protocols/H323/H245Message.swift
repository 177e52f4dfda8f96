import Bytes

//  H.245, annex A, in aligned PER (X.691): the first bits of a MultimediaSystemControlMessage
//
//   0 00 0 xxxx            request: 1 masterSlaveDetermination, 2 terminalCapabilitySet, 3 openLogicalChannel, ...
//   0 01 0 xxxx x          response: 1 masterSlaveDeterminationAck, 3 terminalCapabilitySetAck, 5 openLogicalChannelAck
//   0 10 0 xxx             command
//   0 11 0 xxxx            indication
//
//  A terminalCapabilitySet has a sequence number and then the object identifier {itu-t 0 8 245 0 version}.

/// What a message of H.245 is, as far as its first bits say.
enum H245Message: String {
  case terminalCapabilitySet, masterSlaveDetermination, openLogicalChannel, openLogicalChannelAck

  /// The most addresses that are taken from a message.
  private static let maximumEndpoints = 8

  /// The message that `bytes` begin with; nil for those that are of no use here.
  init?(_ bytes: borrowing RawSpan) {
    guard bytes.byteCount >= 3 else { return nil }
    switch bytes.u8(0) {
    case 0x01: self = .masterSlaveDetermination
    case 0x02: self = .terminalCapabilitySet
    case 0x03: self = .openLogicalChannel
    case 0x22 where bytes.u8(1) & 0x80 != 0: self = .openLogicalChannelAck
    default: return nil
    }
  }

  /// Whether the bytes behind a TPKT header are a terminalCapabilitySet with its identifier, with which all begin.
  static func canBegin(_ bytes: borrowing RawSpan) -> Bool {
    guard bytes.byteCount >= 10, bytes.u8(0) == 2 else { return false }
    return (2...4).contains { hasIdentifier(bytes, at: $0) }
  }

  private static func hasIdentifier(_ bytes: borrowing RawSpan, at offset: Int) -> Bool {
    bytes.holds(6, at: offset) && bytes.u32(offset) == 0x0600_0881 && bytes.u16(offset &+ 4) == 0x7500
  }

  /// Transport addresses of media in an openLogicalChannel, its answer, or a fastStart.
  ///
  /// The PER in front of them depends on each option that was sent, so they are found by what stands around them. A
  /// unicastAddress and in it an iPAddress are choices of index 0: an octet 0, then four of network and two of
  /// tsapIdentifier. An address is taken where another for its RTCP follows, with the next port, or, unless
  /// `onlyPairs`, where the number of an audio, video or data session stands in front.
  static func endpoints(in bytes: borrowing RawSpan, onlyPairs: Bool = false) -> [Endpoint] {
    var found: [Endpoint] = []
    var at = 1
    while bytes.holds(7, at: at), found.count < maximumEndpoints {
      guard bytes.u8(at) == 0, let first = endpoint(in: bytes, at: at &+ 1) else {
        at &+= 1
        continue
      }
      if bytes.holds(1, at: at &+ 7), bytes.u8(at &+ 7) == 0, let second = endpoint(in: bytes, at: at &+ 8),
        first.address == second.address, first.port ^ second.port == 1
      {
        found += [first, second].filter { !found.contains($0) }
        at &+= 14
      } else if !onlyPairs, (1...3).contains(bytes.u8(at &- 1)) {
        if !found.contains(first) { found.append(first) }
        at &+= 7
      } else {
        at &+= 1
      }
    }
    return found
  }

  /// The address and port at `offset`, where a host could have them; ports below 1024 are no media's.
  static func endpoint(in bytes: borrowing RawSpan, at offset: Int) -> Endpoint? {
    guard bytes.holds(6, at: offset), isHost(bytes.u32(offset)), bytes.u16(offset &+ 4) >= 1024 else { return nil }
    return Endpoint(IPAddress(v4: bytes.u32(offset)), bytes.u16(offset &+ 4))
  }

  /// Whether an address can be a host's: not in 0/8, 127/8 or behind 223, nor one that small numbers make.
  private static func isHost(_ address: UInt32) -> Bool {
    let first = address >> 24
    return first != 0 && first != 127 && first <= 223 && address & 0xff != 0 && address & 0xfefe_fefe != 0
  }
}
