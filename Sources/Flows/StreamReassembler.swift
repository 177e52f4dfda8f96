import Bytes

/// Puts one direction of a TCP stream in order (RFC 9293, section 3.10.7.4, as an onlooker must).
///
/// Segments in order are not stored: the caller gets to know which of a segment's bytes come next and reads them from
/// the packet. Only what arrives early is kept, under `maximumHeldBytes` and `maximumHeldSegments`. Where segments
/// overlap, the bytes that arrived first count, and a disagreement is remembered: endpoints differ there, and those
/// who evade a censor make use of it.
public struct StreamReassembler: Sendable {
  /// The most bytes that one direction may hold out of order.
  public static let maximumHeldBytes = 128 * 1024
  /// The most segments that one direction may hold out of order.
  public static let maximumHeldSegments = 256
  /// The farthest that a segment may lie ahead: more than a receive window of the handshakes we wait for.
  public static let maximumAhead = 1 << 20

  /// What a segment means for the stream.
  public enum Admission: Equatable, Sendable {
    /// These of the segment's bytes come next; afterwards ask `takeHeld`.
    case next(offset: Int, count: Int)
    /// All of it came before.
    case old
    /// It is early: give it to `hold`.
    case early
  }

  struct Segment: Sendable {
    /// Distance of the first byte from `next`, modulo 2^32.
    var sequence: UInt32
    var bytes: [UInt8]
  }

  private var next: UInt32 = 0
  private var isStarted = false
  private var held: [Segment] = []
  /// Bytes held out of order.
  public private(set) var heldBytes = 0
  /// Whether two segments gave different bytes for the same place.
  public private(set) var hasConflict = false
  /// Whether a segment came early.
  public private(set) var isReordered = false
  /// Segments that gave bytes to the stream.
  public private(set) var segments = 0

  /// A stream that begins at a sequence number, or wherever its first segment does.
  public init(start: UInt32?) {
    if let start {
      next = start
      isStarted = true
    }
  }

  /// Places a segment in the stream and moves on past the bytes that it says come next.
  /// - Parameters:
  ///   - sequence: its sequence number.
  ///   - length: its payload bytes.
  /// - Returns: which of its bytes come next, if any.
  public mutating func admit(sequence: UInt32, length: Int) -> Admission {
    if !isStarted {
      next = sequence
      isStarted = true
    }
    let ahead = Int32(bitPattern: sequence &- next)
    guard ahead <= 0 else {
      isReordered = true
      return .early
    }
    let behind = Int(next &- sequence)
    guard behind < length else { return .old }
    next = sequence &+ UInt32(truncatingIfNeeded: length)
    segments += 1
    return .next(offset: behind, count: length - behind)
  }

  /// Keeps an early segment. One that is too far ahead to be of this stream is let go.
  /// - Returns: false where a cap does not allow it; then the caller should skip the gap.
  public mutating func hold(sequence: UInt32, _ bytes: RawSpan) -> Bool {
    guard bytes.byteCount > 0, sequence &- next < UInt32(Self.maximumAhead) else { return true }
    // Distances are from `next`: a stream holds far less than 2^31 bytes, so they order the segments.
    var start = Int(sequence &- next)
    let end = start + bytes.byteCount
    var fresh: [Segment] = []
    for segment in held {
      let heldStart = Int(segment.sequence &- next)
      let heldEnd = heldStart + segment.bytes.count
      guard heldEnd > start, heldStart < end else { continue }
      compare(segment, at: heldStart, with: bytes, at: end - bytes.byteCount)
      if heldStart > start { fresh.append(cut(bytes, sequence, from: start, to: heldStart)) }
      start = max(start, heldEnd)
    }
    if start < end { fresh.append(cut(bytes, sequence, from: start, to: end)) }
    let more = fresh.reduce(0) { $0 + $1.bytes.count }
    guard heldBytes + more <= Self.maximumHeldBytes, held.count + fresh.count <= Self.maximumHeldSegments else {
      return false
    }
    heldBytes += more
    held.append(contentsOf: fresh)
    held.sort { $0.sequence &- next < $1.sequence &- next }
    return true
  }

  private func cut(_ bytes: RawSpan, _ sequence: UInt32, from start: Int, to end: Int) -> Segment {
    let origin = Int(sequence &- next)
    return Segment(
      sequence: next &+ UInt32(truncatingIfNeeded: start), bytes: bytes.slice(start - origin, end - start).array)
  }

  private mutating func compare(_ segment: Segment, at heldStart: Int, with bytes: RawSpan, at start: Int) {
    let from = max(heldStart, start)
    let to = min(heldStart + segment.bytes.count, start + bytes.byteCount)
    guard from < to else { return }
    for i in from..<to where segment.bytes[i - heldStart] != bytes.u8(i - start) {
      hasConflict = true
      return
    }
  }

  /// The next held bytes, where they continue the stream.
  public mutating func takeHeld() -> [UInt8]? {
    while let first = held.first {
      let ahead = Int32(bitPattern: first.sequence &- next)
      guard ahead <= 0 else { return nil }
      held.removeFirst()
      heldBytes -= first.bytes.count
      let behind = Int(next &- first.sequence)
      guard behind < first.bytes.count else { continue }
      next = first.sequence &+ UInt32(truncatingIfNeeded: first.bytes.count)
      segments += 1
      return behind == 0 ? first.bytes : Array(first.bytes[behind...])
    }
    return nil
  }

  /// Gives up the bytes before the first held segment.
  /// - Returns: how many were missing; nil where nothing is held.
  public mutating func skipGap() -> Int? {
    guard let first = held.first else { return nil }
    let missing = Int(first.sequence &- next)
    next = first.sequence
    return missing
  }
}
