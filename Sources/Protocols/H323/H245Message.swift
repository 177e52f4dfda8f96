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

  /// Transport addresses of media in an openLogicalChannel or its answer.
  ///
  /// The PER in front of them depends on each option that was sent, so they are found by what stands around them: in
  /// H2250LogicalChannelParameters an address is a unicastAddress and there an iPAddress, both choices of index 0, octet
  /// aligned, four bytes of network and two of tsapIdentifier. Ports below 1024 and addresses that no host has are none.
  static func endpoints(in bytes: borrowing RawSpan) -> [Endpoint] {
    var found: [Endpoint] = []
    var at = 2
    var end = 0
    while bytes.holds(7, at: at), found.count < maximumEndpoints {
      let address = bytes.u32(at &+ 1)
      let port = bytes.u16(at &+ 5)
      // In front stands the session or the end of another choice; an address of media is followed by that of control.
      let isPreceded = bytes.u8(at) == 0 && (bytes.u8(at &- 1) <= 3 || at == end)
      if isPreceded, isHost(address), port >= 1024 {
        let endpoint = Endpoint(IPAddress(v4: address), port)
        if !found.contains(endpoint) { found.append(endpoint) }
        at &+= 7
        end = at
      } else {
        at &+= 1
      }
    }
    return found
  }

  /// Whether an address can be a host's: not in 0/8, 127/8 or behind 223, nor one that small numbers make.
  private static func isHost(_ address: UInt32) -> Bool {
    let first = address >> 24
    return first != 0 && first != 127 && first <= 223 && address & 0xff != 0 && address & 0xfefe_fefe != 0
  }
}
