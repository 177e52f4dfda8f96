import Bytes

/// Both sides of BFCP over datagrams or a stream.
struct BFCPConversation {
  /// The longest message of a stream that is kept until it is whole.
  static let maximumLength = 1 << 12

  private struct Side {
    var buffer: [UInt8] = []
    var isBroken = false
  }

  /// What was read.
  private(set) var log = CallLog()
  private var sides = Sides(Side())

  /// Bytes that are kept.
  var bufferedBytes: Int { sides.client.buffer.count + sides.server.buffer.count }
  /// Whether nothing more can be read.
  var isDone: Bool { sides.client.isBroken && sides.server.isBroken }

  /// Takes a datagram.
  mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide) -> DatagramReading {
    guard let message = try? BFCPMessage(parsing: datagram, isStream: false) else { return .broken }
    log.note(method: message.name)
    return .mine
  }

  /// Takes the next bytes of a stream.
  mutating func consume(stream bytes: borrowing RawSpan, from side: FlowSide) {
    guard !sides[side].isBroken else { return }
    var all = sides[side].buffer
    sides[side].buffer = []
    all.append(bytes.slice(0, bytes.byteCount))
    var at = 0
    while all.count &- at >= BFCPMessage.headerLength {
      let length = BFCPMessage.headerLength &+ 4 &* Int(all.rawSpan.u16(at &+ 2))
      if length <= Self.maximumLength, all.count &- at < length { break }
      guard length <= Self.maximumLength,
        let message = try? BFCPMessage(parsing: all.rawSpan.slice(at, length), isStream: true)
      else {
        sides[side].isBroken = true
        return
      }
      log.note(method: message.name)
      at &+= length
    }
    all.removeFirst(at)
    sides[side].buffer = all
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) {
    sides[side].buffer = []
    sides[side].isBroken = true
  }
}
