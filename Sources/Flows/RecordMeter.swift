import Bytes
import Decode

// TLSPlaintext header (RFC 8446, section 5.1):
//
//   ContentType type (1: 20..23)   ProtocolVersion legacy_record_version (2: 03 00..04)   uint16 length (2)

extension FlowRecord {
  /// The longest record that counts as one: 2^14 bytes and 2,048 of expansion (RFC 5246, section 6.2.3).
  static var longestRecord: UInt16 { 16_384 + 2_048 }

  /// Follows TLS record headers through the payload of a TCP packet and notes the lengths of the first records.
  ///
  /// It holds no bytes. After a gap it starts again at the next segment that begins with a record header, so lengths
  /// near a loss can be missing, never wrong by a guess.
  public mutating func meterRecords(_ payload: RawSpan, _ touch: FlowTouch) {
    guard recordBudget > 0, touch.payloadLength > 0 else { return }
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
      recordPatience &-= recordPatience > 0 ? 1 : 0
      if recordPatience == 0, shape.recordCount == 0 { recordBudget = 0 }
      side.isSequenceKnown = false
      return
    }
    walk(payload, from: at, &side, isToServer)
    side.nextSequence = touch.sequence &+ UInt32(bitPattern: touch.payloadLength)
    // What the snapshot length cut off cannot be followed.
    side.isSequenceKnown = touch.payloadCaptured == touch.payloadLength
  }

  private mutating func walk(_ payload: RawSpan, from start: Int, _ side: inout FlowDirection, _ isToServer: Bool) {
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
      if recordBudget == 0 { return }
    }
  }

  private mutating func note(_ length: UInt16, _ isToServer: Bool) {
    let at = Int(shape.recordCount)
    guard at < ShapeMeter.firstRecords, recordBudget > 0 else { return }
    shape.records[at] = isToServer ? Int16(clamping: length) : 0 - Int16(clamping: length)
    shape.recordCount += 1
    recordBudget -= 1
  }

  private static func looksLikeRecord(_ payload: RawSpan, at: Int) -> Bool {
    guard payload.holds(5, at: at) else { return payload.byteCount > at && (20...23).contains(payload.u8(at)) }
    return (20...23).contains(payload.u8(at)) && payload.u8(at + 1) == 3 && payload.u8(at + 2) <= 4
      && payload.u16(at + 3) <= longestRecord && payload.u16(at + 3) > 0
  }
}
