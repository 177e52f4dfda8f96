import Bytes

//  RFC 8446, sections 4 and 5.1: handshake messages in records, records in TCP segments; each cut where it likes
//
//   segment            segment                 segment
//   +-----------------+-----------------------+-------------------
//   | record           | record               | record
//   +------------------+-----+----------------+-------------------
//   | 5 | message            | 5 | ..message  | message
//
//   message: type (1), length (3), body

/// In how many parts a message came.
struct HandshakePieces: Equatable {
  /// TCP segments, or whatever the stream was fed in.
  var segments = 0
  /// TLS records.
  var records = 0
  /// Bytes of the largest of those segments.
  var largestSegment = 0
}

/// Takes what a `HandshakeAssembler` reads.
protocol HandshakeReceiver {
  /// What to do with a record, or whether to go on after a message.
  typealias Decision = HandshakeDecision
  /// A record begins.
  mutating func begin(record header: TLSRecordHeader) -> Decision
  /// A message begins: `.read` to receive it, `.skip` to pass over it.
  mutating func begin(message type: TLSHandshakeType, length: Int) -> Decision
  /// A message is whole; of a Certificate message at least its first certificate is.
  mutating func receive(_ type: TLSHandshakeType, body: borrowing RawSpan, in pieces: HandshakePieces) -> Decision
}

/// What a receiver wants.
enum HandshakeDecision {
  case read, skip, stop
}

/// Reads one side of a TLS stream into handshake messages, fed in order in chunks of any size.
///
/// A message that lies whole in a chunk is lent from there; only one that is cut is copied, at most
/// `maximumMessageLength` bytes of it, and the copy goes as soon as the message was received.
struct HandshakeAssembler {
  /// The most bytes of a message that are kept. A hello is some hundred to two thousand bytes long; of a certificate
  /// chain only the first certificate is kept.
  static let maximumMessageLength = 1 << 16

  /// How feeding ended.
  enum Outcome {
    /// All bytes were taken.
    case more
    /// The receiver wants no more.
    case stopped
    /// No record can begin like this.
    case notARecord
    /// A message is longer than `maximumMessageLength`.
    case tooLong
  }

  /// Records that have begun.
  private(set) var records = 0
  private var header: UInt64 = 0
  private var headerCount = 0
  private var isInRecord = false
  private var isReading = false
  private var recordLeft = 0
  private var messageHeader: UInt32 = 0
  private var messageHeaderCount = 0
  private var isInMessage = false
  private var type = TLSHandshakeType(rawValue: 0)
  private var messageLength = 0
  private var messageLeft = 0
  /// Bytes of the message to keep before it is received; 0 once it was, or when nobody wants it.
  private var target = 0
  private var isWanted = false
  private var buffer: [UInt8] = []
  private var pieces = HandshakePieces()
  private var hasCountedSegment = false
  private var hasCountedRecord = false
  private var segmentLength = 0

  /// Bytes that are kept.
  var bufferedBytes: Int { buffer.count }
  /// Whether the next byte begins a record.
  var isAtRecordBoundary: Bool { !isInRecord && headerCount == 0 }

  /// Takes the next bytes of the stream.
  mutating func consume<Receiver: HandshakeReceiver>(
    _ bytes: borrowing RawSpan, into receiver: inout Receiver
  ) -> Outcome {
    var offset = 0
    hasCountedSegment = false
    segmentLength = bytes.byteCount
    while offset < bytes.byteCount {
      if !isInRecord {
        if headerCount == 0, !isInMessage, messageHeaderCount == 0 { beginPieces() }
        countSegment()
        while headerCount < TLSRecordHeader.byteCount, offset < bytes.byteCount {
          header = header << 8 | UInt64(bytes.u8(offset))
          headerCount &+= 1
          offset &+= 1
        }
        guard headerCount == TLSRecordHeader.byteCount else { return .more }
        guard let record = TLSRecordHeader(packed: header) else { return .notARecord }
        header = 0
        headerCount = 0
        records &+= 1
        let decision = receiver.begin(record: record)
        if decision == .stop { return .stopped }
        isReading = decision == .read
        hasCountedRecord = false
        recordLeft = record.length
        isInRecord = recordLeft > 0
        continue
      }
      let count = min(recordLeft, bytes.byteCount &- offset)
      if isReading {
        let outcome = read(bytes.slice(offset, count), into: &receiver)
        guard case .more = outcome else { return outcome }
      }
      offset &+= count
      recordLeft &-= count
      if recordLeft == 0 { isInRecord = false }
    }
    return .more
  }

  private mutating func read<Receiver: HandshakeReceiver>(
    _ fragment: borrowing RawSpan, into receiver: inout Receiver
  ) -> Outcome {
    var offset = 0
    while offset < fragment.byteCount {
      if !isInMessage {
        if messageHeaderCount == 0, hasCountedRecord { beginPieces() }
        countSegment()
        countRecord()
        while messageHeaderCount < 4, offset < fragment.byteCount {
          messageHeader = messageHeader << 8 | UInt32(fragment.u8(offset))
          messageHeaderCount &+= 1
          offset &+= 1
        }
        guard messageHeaderCount == 4 else { return .more }
        type = TLSHandshakeType(rawValue: UInt8(truncatingIfNeeded: messageHeader >> 24))
        messageLength = Int(messageHeader & 0xff_ffff)
        messageLeft = messageLength
        messageHeaderCount = 0
        messageHeader = 0
        let decision = receiver.begin(message: type, length: messageLeft)
        if decision == .stop { return .stopped }
        isWanted = decision == .read
        isInMessage = true
        target = type == .certificate ? min(messageLeft, 6) : messageLeft
        if isWanted, target > Self.maximumMessageLength { return .tooLong }
        if messageLeft == 0, !finish(RawSpan(), into: &receiver) { return .stopped }
        continue
      }
      countSegment()
      countRecord()
      let count = min(messageLeft, fragment.byteCount &- offset)
      let isLast = count == messageLeft
      messageLeft &-= count
      if isWanted, buffer.isEmpty, isLast {
        guard finish(fragment.slice(offset, count), into: &receiver) else { return .stopped }
      } else if isWanted {
        let outcome = keep(fragment.slice(offset, count), into: &receiver)
        guard case .more = outcome else { return outcome }
      }
      if isLast { isInMessage = false }
      offset &+= count
    }
    return .more
  }

  /// Copies a part of a cut message, and hands the message on once what is wanted of it is there.
  private mutating func keep<Receiver: HandshakeReceiver>(
    _ part: borrowing RawSpan, into receiver: inout Receiver
  ) -> Outcome {
    var taken = 0
    while true {
      let count = min(target &- buffer.count, part.byteCount &- taken)
      buffer.append(part.slice(taken, count))
      taken &+= count
      guard buffer.count >= target else { return .more }
      let length = leafEnd
      guard length > target else { break }
      guard length <= Self.maximumMessageLength else { return .tooLong }
      target = length
    }
    isWanted = false
    let body = buffer
    buffer = []
    return receiver.receive(type, body: body.rawSpan, in: pieces) == .stop ? .stopped : .more
  }

  /// Where the first certificate of a Certificate message ends in its body.
  private var leafEnd: Int {
    guard type == .certificate, buffer.count >= 6 else { return target }
    let length = Int(buffer.rawSpan.u32(2) & 0xff_ffff)
    return max(target, min(6 &+ length, messageLength))
  }

  private mutating func finish<Receiver: HandshakeReceiver>(
    _ body: borrowing RawSpan, into receiver: inout Receiver
  ) -> Bool {
    isInMessage = false
    guard isWanted else { return true }
    isWanted = false
    return receiver.receive(type, body: body, in: pieces) != .stop
  }

  private mutating func beginPieces() {
    pieces = HandshakePieces()
    hasCountedSegment = false
    hasCountedRecord = false
  }

  private mutating func countSegment() {
    if hasCountedSegment { return }
    hasCountedSegment = true
    pieces.segments &+= 1
    pieces.largestSegment = max(pieces.largestSegment, segmentLength)
  }

  private mutating func countRecord() {
    if hasCountedRecord { return }
    hasCountedRecord = true
    pieces.records &+= 1
  }
}
