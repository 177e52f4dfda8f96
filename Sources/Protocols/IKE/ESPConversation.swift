import Bytes

//  RFC 4303, section 2, inside UDP (RFC 3948, section 2.1)
//
//   +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//   |               Security Parameters Index (SPI)                 |
//   |                      Sequence Number                          |
//   |                    Payload Data (variable) ...                |

/// ESP in UDP, recognised by the sequence numbers of each side.
struct ESPConversation {
  /// The shortest packet: SPI, number, one block and an integrity check of 12 bytes.
  static let minimumLength = 8 + 4 + 12
  /// SPIs up to this one are reserved (RFC 4303, section 2.1).
  private static let reserved: UInt32 = 255
  /// The largest gap between two packets that counts.
  private static let maximumGap = 4096

  private struct Side {
    var spi: UInt32 = 0
    var number: UInt32 = 0
  }
  private var sides = Sides(Side())
  private var steps = 0
  private var misfits = 0

  /// Whether a packet followed another of the same SPI.
  var isSure: Bool { steps > 0 }

  /// Whether a datagram can be ESP's: only where one side has the port of IKE behind a NAT. Allocates nothing.
  static func canBegin(_ datagram: borrowing RawSpan, isPort: Bool) -> Bool {
    isPort && datagram.byteCount >= minimumLength && datagram.u32(0) > reserved && datagram.u32(4) != 0
  }

  /// Takes a datagram.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    if datagram.byteCount == 1, datagram.u8(0) == 0xff { return isSure ? .mine : .undecided }
    if IKEHeader.canBegin(datagram) {
      steps &+= 1
      return .mine
    }
    guard Self.canBegin(datagram, isPort: true) else { return .notMine }
    let spi = datagram.u32(0), number = datagram.u32(4)
    let gap = Int(Int32(bitPattern: number &- sides[side].number))
    if sides[side].spi == spi {
      if abs(gap) <= Self.maximumGap, gap != 0 { steps &+= 1 } else if gap != 0 { misfits &+= 1 }
    } else if sides[side].spi != 0 {
      misfits &+= 1
    }
    sides[side].spi = spi
    sides[side].number = number
    if isSure { return .mine }
    return misfits >= 4 ? .notMine : .undecided
  }
}
