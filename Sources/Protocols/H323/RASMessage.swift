import Bytes

//  H.225.0, section 7.16, in aligned PER (X.691): a RasMessage over UDP
//
//   bit 7: extension, bits 6-2: choice, bits 1-0: the first bits of the message; then, aligned, a number of 16 bits.
//   Requests to find a gatekeeper or to register, and their answers, hold the object identifier
//   {itu-t 0 8 2250 0 version} right behind it: 06 00 08 91 4a 00 version.

/// A message of H.225.0's registration, admission and status, by its first bits.
struct RASMessage: Equatable {
  /// The ports of gatekeepers: for finding one by multicast, and for the rest.
  static let ports: [UInt16] = [1718, 1719]

  private static let names = [
    "GRQ", "GCF", "GRJ", "RRQ", "RCF", "RRJ", "URQ", "UCF", "URJ", "ARQ", "ACF", "ARJ", "BRQ", "BCF", "BRJ", "DRQ",
    "DCF", "DRJ", "LRQ", "LCF", "LRJ", "IRQ", "IRR", "NSM", "XRS",
  ]

  /// The message's short name, as in H.225.0.
  let name: String

  /// Whether a datagram is such a message: by its identifier, or at a gatekeeper's port by its choice alone.
  static func canBegin(_ bytes: borrowing RawSpan, isPort: Bool) -> Bool {
    guard bytes.byteCount >= 3 else { return false }
    let choice = Int(bytes.u8(0) >> 2)
    guard choice < names.count else { return false }
    // GRQ, RRQ and their confirmations say the version; some fields may stand before it.
    let saysVersion = [0, 1, 3, 4].contains(choice)
    guard saysVersion else { return isPort }
    return (3...6).contains { bytes.holds(7, at: $0) && bytes.u32($0) == 0x0600_0891 && bytes.u16($0 &+ 4) == 0x4a00 }
  }

  /// Reads a message of which `canBegin(_:isPort:)` holds.
  init?(_ bytes: borrowing RawSpan) {
    guard bytes.byteCount >= 3, case let choice = Int(bytes.u8(0) >> 2), choice < Self.names.count else { return nil }
    name = Self.names[choice]
  }
}
