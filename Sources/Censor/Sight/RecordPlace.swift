import Bytes
import Protocols

/// Where a direction of a TCP stream stands among its TLS records (RFC 8446, section 5.1).
///
/// It holds no bytes. Behind a gap it begins again where a segment begins with a record's header.
struct RecordPlace {
  private var next: UInt32 = 0
  private var isStarted = false
  /// Whether `left` counts from a header that was seen.
  private var isInStep = false
  /// Bytes of the record that are still to come.
  private var left = 0

  /// What a segment brought.
  struct Found {
    /// Length field of the first record of application data that begins in it; 0 for none.
    var record: UInt16 = 0
    /// Whether that record begins where the segment does.
    var isLeading = false
    /// Whether all of the segment was there before.
    var isCopy = false
  }

  /// Takes a segment.
  mutating func follow(_ payload: borrowing RawSpan, sequence: UInt32, length: Int) -> Found {
    var found = Found()
    var at = 0
    if isStarted, sequence != next {
      let ahead = Int32(bitPattern: sequence &- next)
      if ahead < 0 {
        let behind = Int(next &- sequence)
        guard behind < length else {
          // A copy begins with a record, or does not, as it did the first time.
          let isRecord = Self.header(payload, at: 0)
          return Found(
            record: isRecord?.isData == true ? isRecord?.length ?? 0 : 0, isLeading: isRecord?.isData == true,
            isCopy: true)
        }
        at = behind
      } else {
        isInStep = false
      }
    }
    isStarted = true
    next = sequence &+ UInt32(truncatingIfNeeded: length)
    if !isInStep {
      guard Self.header(payload, at: at) != nil else { return found }
      (isInStep, left) = (true, 0)
    }
    while at < length {
      if left > 0 {
        let step = min(left, length - at)
        left -= step
        at += step
        continue
      }
      // A header cut by the segment's end is not put together: the next record is found again at a segment's beginning.
      guard let header = Self.header(payload, at: at) else {
        isInStep = false
        break
      }
      if header.isData, found.record == 0 {
        found.record = header.length
        found.isLeading = at == 0
      }
      left = Int(header.length)
      at += TLSRecordHeader.byteCount
      if at > length { (isInStep, left) = (false, 0) }
    }
    return found
  }

  private static func header(_ bytes: borrowing RawSpan, at offset: Int) -> (length: UInt16, isData: Bool)? {
    guard bytes.holds(TLSRecordHeader.byteCount, at: offset) else { return nil }
    let type = bytes.u8(offset)
    let length = bytes.u16(offset + 3)
    guard (20...23).contains(type), bytes.u8(offset + 1) == 3, bytes.u8(offset + 2) <= 4, length > 0,
      Int(length) <= TLSRecordHeader.maximumLength
    else { return nil }
    return (length, type == 23)
  }
}
