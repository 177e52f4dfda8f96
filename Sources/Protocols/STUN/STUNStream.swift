import Bytes

//  STUN and TURN over TCP, and inside TLS:
//
//   RFC 8489, section 6.2.2       | message | message | channel data, padded to a multiple of 4 | ...
//   RFC 4571 (ICE, RFC 6544)      | length (2) | message or media | length (2) | ...
//   [MS-TURN], section 2.1.4      | 2: control, 3: data | 0 | length (2) | message or media | ...

/// Cuts a TCP stream, side by side, into the messages and media that UDP would have carried one by one.
public struct STUNStream: Sendable {
  /// The most bytes of a side that are kept: the longest frame but one byte.
  public static let maximumBufferedBytes = 1 << 16 + 20

  private enum Framing: Sendable {
    /// Not known before the first bytes.
    case open
    case plain, counted, microsoft
    case lost
  }

  private struct Side: Sendable {
    var framing = Framing.open
    /// The begin of a frame.
    var buffer: [UInt8] = []
    /// Whether a hello that only looks like TLS may come first.
    var isAtStart = true
  }

  private var sides = Sides(Side())
  /// Whether the stream began with a hello that only looks like TLS.
  public private(set) var hasPseudoTLS = false

  /// A stream of which nothing was read.
  public init() {}

  /// Bytes that are kept.
  public var bufferedBytes: Int { sides.client.buffer.count &+ sides.server.buffer.count }

  /// What first bytes show.
  public enum Start: Sendable {
    /// STUN.
    case mine
    /// They may become STUN.
    case needMore
    /// Something else.
    case notMine
  }

  /// Whether the first bytes of a side are STUN, in one of its framings, or the hello before Microsoft's or Google's.
  /// To be asked before TLS: that hello is a TLS hello too.
  public static func recognize(_ bytes: borrowing RawSpan) -> Start {
    switch PseudoTLS.recognize(bytes) {
    case .hello: return .mine
    case .needMore: return .needMore
    case .notMine: break
    }
    switch framing(of: bytes) {
    case .some(.open): return .needMore
    case .some: return .mine
    case .none: return .notMine
    }
  }

  /// Takes the next bytes of a side, and hands on each frame that is whole as if it were a datagram.
  /// - Returns: whether the side still is frames; once it is not, nothing more is read from it.
  public mutating func consume(
    _ bytes: borrowing RawSpan, from side: FlowSide, _ receive: (borrowing RawSpan) -> Void
  ) -> Bool {
    if sides[side].framing == .lost { return false }
    if sides[side].buffer.isEmpty {
      guard let end = read(bytes, side, receive) else { return lose(side) }
      sides[side].buffer = bytes.slice(end, bytes.byteCount).array
    } else {
      var buffer = sides[side].buffer
      sides[side].buffer = []
      buffer.append(copy bytes)
      guard let end = read(buffer.rawSpan, side, receive) else { return lose(side) }
      buffer.removeFirst(min(end, buffer.count))
      sides[side].buffer = buffer
    }
    return sides[side].buffer.count < Self.maximumBufferedBytes ? true : lose(side)
  }

  /// Says that bytes of a side are lost: what comes next is read only if it begins with a message.
  public mutating func skipGap(from side: FlowSide) {
    sides[side] = Side()
    sides[side].isAtStart = false
  }

  private mutating func lose(_ side: FlowSide) -> Bool {
    sides[side].framing = .lost
    sides[side].buffer = []
    return false
  }

  /// Reads whole frames; where they end, or `nil` where there can be none.
  private mutating func read(
    _ bytes: borrowing RawSpan, _ side: FlowSide, _ receive: (borrowing RawSpan) -> Void
  ) -> Int? {
    var offset = 0
    if sides[side].isAtStart {
      switch PseudoTLS.recognize(bytes) {
      case .needMore: return 0
      case .hello(let length):
        offset = length
        hasPseudoTLS = true
      case .notMine: break
      }
      sides[side].isAtStart = false
    }
    while offset < bytes.byteCount {
      let rest = bytes.slice(offset, bytes.byteCount)
      if sides[side].framing == .open {
        guard let framing = Self.framing(of: rest) else { return nil }
        sides[side].framing = framing
        if framing == .open { return offset }
      }
      guard let frame = Self.frame(rest, sides[side].framing) else { return nil }
      guard rest.byteCount >= frame.end, frame.end > 0 else { return offset }
      if !frame.content.isEmpty { receive(rest.slice(frame.content.lowerBound, frame.content.count)) }
      offset &+= frame.end
    }
    return offset
  }

  /// Where the first frame's content lies and where the next frame begins; an end of 0 where its header is cut, `nil`
  /// where there is none.
  private static func frame(
    _ bytes: borrowing RawSpan, _ framing: Framing
  ) -> (content: Range<Int>, end: Int)? {
    let isCut = (content: 0..<0, end: 0)
    switch framing {
    case .counted:
      guard bytes.byteCount >= 2 else { return isCut }
      let end = 2 &+ Int(bytes.u16(0))
      return (2..<end, end)
    case .microsoft:
      guard bytes.byteCount >= 4 else { return isCut }
      guard bytes.u16(0) == 0x0200 || bytes.u16(0) == 0x0300 else { return nil }
      let end = 4 &+ Int(bytes.u16(2))
      return (4..<end, end)
    case .plain:
      guard bytes.byteCount >= 8 else { return isCut }
      let length = Int(bytes.u16(2))
      switch bytes.u8(0) {
      case 0..<0x40:
        guard bytes.u32(4) == STUNMessage.magicCookie else { return nil }
        let end = STUNMessage.headerLength &+ length
        return (0..<end, end)
      case 0x40..<0x80:
        let end = ChannelData.headerLength &+ length
        return (0..<end, (end &+ 3) & ~3)
      case 0xff where bytes.u8(1) == 0x10:
        let end = 4 &+ length
        return (0..<end, end)
      default: return nil
      }
    case .open, .lost: return nil
    }
  }

  /// The framing of a stream that begins so; `.open` where more bytes are needed, `nil` where it is none.
  private static func framing(of bytes: borrowing RawSpan) -> Framing? {
    let count = bytes.byteCount
    guard count >= 4 else { return count == 0 || bytes.u8(0) < 0x40 ? .open : nil }
    var isOpen = false
    // RFC 8489, and what ICE-TCP has behind the length of RFC 4571.
    for (start, framing) in [(0, Framing.plain), (2, .counted)] {
      guard bytes.u8(start) < 0x40 else { continue }
      if start == 2, count >= 6, Int(bytes.u16(0)) != STUNMessage.headerLength &+ Int(bytes.u16(4)) { continue }
      switch match(bytes, STUNMessage.magicCookie, at: start &+ 4) {
      case true: return framing
      case false: break
      case nil: isOpen = true
      }
    }
    if bytes.u16(0) == 0x0200 {
      let length = Int(bytes.u16(2))
      let isWhole = count < 8 || length == STUNMessage.headerLength &+ Int(bytes.u16(6))
      if isWhole, match(bytes, STUNMessage.magicCookie, at: 8) == true { return .microsoft }
      let cookie = match(bytes, STUNMessage.attributeCookie, at: 28)
      if isWhole, cookie == true, bytes.u32(24) == 0x000f_0004 { return .microsoft }
      if isWhole, cookie == nil { isOpen = true }
    }
    if count < 6 ? bytes.u16(2) == 0xff10 : bytes.u16(2) == 0xff10 && Int(bytes.u16(0)) == Int(bytes.u16(4)) &+ 4 {
      switch match(bytes, STUNMessage.magicCookie, at: 2 &+ MultiplexedTURN.headerLength &+ 4) {
      case true: return .counted
      case false: break
      case nil: isOpen = true
      }
    }
    return isOpen ? .open : nil
  }

  /// Whether four bytes are these; `nil` where they may become so.
  private static func match(_ bytes: borrowing RawSpan, _ word: UInt32, at offset: Int) -> Bool? {
    for i in 0..<4 where bytes.holds(1, at: offset &+ i) {
      if bytes.u8(offset &+ i) != UInt8(truncatingIfNeeded: word >> UInt32(24 &- 8 &* i)) { return false }
    }
    return bytes.holds(4, at: offset) ? true : nil
  }
}
