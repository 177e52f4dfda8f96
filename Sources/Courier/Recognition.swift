import Bytes
import Protocols

/// Tells the framings apart from each other and from what is no push connection.
///
/// The second and third byte decide: a TLV length below 64 KiB begins with two zeros, and the only packed command whose
/// second byte is zero is one without attributes, behind which another command begins.
enum Recognition: Equatable {
  case framing(CourierFraming)
  /// `length` bytes would do; 0 where even that is not known.
  case needsMore(length: Int)
  case foreign

  /// What bytes are that begin with a command, if they are of a push connection.
  static func of(_ bytes: RawSpan, from side: FlowSide) -> Recognition {
    guard bytes.byteCount > 0 else { return .needsMore(length: 0) }
    let command = CourierCommand(number: bytes.u8(0))
    let isFirst = command.isFirst(ofClient: side == .client)
    guard command.isSent(byClient: side == .client) else { return .foreign }
    guard bytes.byteCount >= 3 else { return .needsMore(length: 0) }
    let framing: CourierFraming = bytes.u8(1) == 0 && bytes.u8(2) <= 1 ? .tlv : .pack
    guard case .head(let head) = Self.head(bytes, framing) else {
      return Self.head(bytes, framing) == .needsMore ? .needsMore(length: 0) : .foreign
    }
    guard bytes.byteCount >= head.length else { return .needsMore(length: head.length) }
    return isSound(bytes.slice(head.headLength, head.bodyLength), head.command, framing, isLate: !isFirst)
      ? .framing(framing) : .foreign
  }

  /// Whether a record behind a loss begins with a command.
  static func begins(_ bytes: RawSpan, _ framing: CourierFraming, from side: FlowSide) -> Bool {
    guard case .head(let head) = head(bytes, framing), head.command.isSent(byClient: side == .client) else {
      return false
    }
    // A command that goes on in the next record fills its own.
    guard bytes.byteCount >= head.length else { return bytes.byteCount >= fullRecord }
    return isSound(bytes.slice(head.headLength, head.bodyLength), head.command, framing, isLate: true)
  }

  /// Bytes from which on a record is taken to be full; senders leave little of the 16,384.
  private static let fullRecord = 16_000

  private static func head(_ bytes: RawSpan, _ framing: CourierFraming) -> HeadReading {
    framing == .tlv ? TLVFraming.head(bytes, at: 0) : PackedFraming.head(bytes, at: 0)
  }

  /// Whether a body can be read to its end and has what its command cannot do without.
  private static func isSound(
    _ body: RawSpan, _ command: CourierCommand, _ framing: CourierFraming, isLate: Bool
  ) -> Bool {
    var content = CommandContent()
    if framing == .tlv {
      guard TLVFraming.read(body, of: command, into: &content) else { return false }
    } else {
      var tables = PackedTables(size: PackedTables.maximumSize)
      if isLate { tables.lose() }
      var walk = PackedWalk(command, tables: tables)
      guard walk.read(body) else { return false }
      content = walk.content
    }
    switch command {
    case .connect: return content.fieldCount >= 2
    case .connected, .keepAliveResponse, .setState, .noStorage: return content.first != nil
    case .notification: return content.fourth != nil && content.first != nil && content.second != nil
    case .ack: return content.fourth != nil
    case .keepAlive: return true
    default: return content.fieldCount > 0
    }
  }
}
