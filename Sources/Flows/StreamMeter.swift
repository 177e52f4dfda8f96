import Bytes
import Decode

// TLSPlaintext header (RFC 8446, section 5.1):
//
//   ContentType type (1: 20..23)   ProtocolVersion legacy_record_version (2: 03 00..04)   uint16 length (2)

/// What a TCP flow remembers of its sequence numbers, and the lengths of its first TLS records.
struct StreamMeter: Sendable, BitwiseCopyable {
  /// One direction.
  struct Side: Sendable, BitwiseCopyable {
    /// The sequence number that comes next, where `isSequenceKnown`.
    var nextSequence: UInt32 = 0
    /// The sequence number of the stream's first byte, where `isStartKnown`.
    var startSequence: UInt32 = 0
    /// Bytes of a split record header, and how many.
    var recordHeader: UInt32 = 0
    /// Bytes of the current record still to come.
    var recordRemaining: UInt16 = 0
    var recordHeaderCount: UInt8 = 0
    var isSequenceKnown = false
    var isStartKnown = false

    /// Learns where the stream begins, once.
    mutating func learn(_ sequence: UInt32) {
      guard !isStartKnown else { return }
      startSequence = sequence
      isStartKnown = true
      nextSequence = sequence
      isSequenceKnown = true
    }
  }

  var a = Side(), b = Side()
  /// Lengths of the first records without their headers; negative for those to the client.
  var records = [16 of Int16](repeating: 0)
  /// How many of `records` are set.
  var count: UInt8 = 0
  /// Packets with payload that may still pass before the search for a record is given up.
  var patience: UInt8 = 8
  /// Records still to be measured.
  var budget = UInt8(ShapeMeter.firstRecords)

  /// The longest record that counts as one: 2^14 bytes and 2,048 of expansion (RFC 5246, section 6.2.3).
  static var longestRecord: UInt16 { 16_384 + 2_048 }

  /// Follows TLS record headers through the payload of a packet and notes the lengths of the first records.
  ///
  /// It holds no bytes. After a gap it starts again at the next segment that begins with a record header, so lengths
  /// near a loss can be missing, never wrong by a guess.
  mutating func meter(_ payload: RawSpan, _ touch: FlowTouch) {
    guard budget > 0, touch.payloadLength > 0 else { return }
    let isToServer = touch.isToServer
    var side = touch.key.isFromA ? a : b
    defer { if touch.key.isFromA { a = side } else { b = side } }
    var at = 0
    if side.isSequenceKnown, touch.sequence != side.nextSequence {
      let ahead = Int32(bitPattern: touch.sequence &- side.nextSequence)
      if ahead < 0 {
        let behind = Int(side.nextSequence &- touch.sequence)
        guard behind < Int(touch.payloadLength) else { return }
        at = behind
      } else {
        side.recordRemaining = 0
        side.recordHeaderCount = 0
        side.isSequenceKnown = false
      }
    }
    let inStep = side.isSequenceKnown && (side.recordRemaining > 0 || side.recordHeaderCount > 0)
    if !inStep, !Self.looksLikeRecord(payload, at: at) {
      patience &-= patience > 0 ? 1 : 0
      if patience == 0, count == 0 { budget = 0 }
      side.isSequenceKnown = false
      return
    }
    walk(payload, from: at, &side, isToServer)
    side.nextSequence = touch.sequence &+ UInt32(bitPattern: touch.payloadLength)
    // What the snapshot length cut off cannot be followed.
    side.isSequenceKnown = touch.payloadCaptured == touch.payloadLength
  }

  private mutating func walk(_ payload: RawSpan, from start: Int, _ side: inout Side, _ isToServer: Bool) {
    var at = start
    while at < payload.byteCount {
      if side.recordRemaining > 0 {
        let step = min(Int(side.recordRemaining), payload.byteCount - at)
        side.recordRemaining -= UInt16(step)
        at += step
        continue
      }
      // The header's version and length go through a 32-bit register; its first byte falls out of it.
      side.recordHeader = side.recordHeader << 8 | UInt32(payload.u8(at))
      side.recordHeaderCount += 1
      at += 1
      guard side.recordHeaderCount == 5 else { continue }
      side.recordHeaderCount = 0
      let length = UInt16(truncatingIfNeeded: side.recordHeader)
      guard side.recordHeader >> 24 == 3, length <= Self.longestRecord else { return }
      side.recordRemaining = length
      note(length, isToServer)
      if budget == 0 { return }
    }
  }

  private mutating func note(_ length: UInt16, _ isToServer: Bool) {
    let at = Int(count)
    guard at < ShapeMeter.firstRecords, budget > 0 else { return }
    records[at] = isToServer ? Int16(clamping: length) : 0 - Int16(clamping: length)
    count += 1
    budget -= 1
  }

  private static func looksLikeRecord(_ payload: RawSpan, at: Int) -> Bool {
    guard payload.holds(5, at: at) else { return payload.byteCount > at && (20...23).contains(payload.u8(at)) }
    return (20...23).contains(payload.u8(at)) && payload.u8(at + 1) == 3 && payload.u8(at + 2) <= 4
      && payload.u16(at + 3) <= longestRecord && payload.u16(at + 3) > 0
  }

  mutating func reverse() { for i in records.indices { records[i] = 0 &- records[i] } }
}
