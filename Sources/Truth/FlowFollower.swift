import Bytes
public import Courier
import Decode
import Engine
import Flows
import Protocols
import TLSDecryption

/// Follows one flow's content: puts a stream in order, cuts it into records, opens them where there are secrets, and
/// reads the courier protocol inside.
final class FlowFollower {
  /// Chunks of a stream that are tried as the beginning of a TLS record before it counts as something else.
  static let maximumTriedChunks = 16

  /// What the stream is.
  private enum Content { case undecided, tls, other }

  private let isStream: Bool
  private var content = Content.undecided
  private var triedChunks = 0
  private var fromClient = StreamReassembler(start: nil), fromServer = StreamReassembler(start: nil)
  private var isStarted = (client: false, server: false)
  private(set) var tls = TLSConnection()
  private(set) var courier = CourierConnection()
  private var now: Int64 = 0
  /// Whether flow events call the client the destination: the flow was joined in the middle.
  private(set) var isTurned = false
  /// The pieces so far; `flow` and names are not set.
  private(set) var pieces: [Piece] = []
  /// Messages of the courier protocol, in their order.
  private(set) var messages: [TimedCourierMessage] = []
  /// Pieces and messages that the cap cost.
  private(set) var notKept = 0
  private let limit: Int

  /// A record, segment or datagram.
  struct Piece {
    var time: Int64
    var size: Int32
    var plaintext: Int32 = -1
    var isUp: Bool
    /// Its number among the side's records of application data, from 1; 0 for none.
    var ordinal: Int32 = 0
  }

  init(isStream: Bool, limit: Int) {
    self.isStream = isStream
    self.limit = limit
  }

  var unit: RecordUnit { isStream ? (content == .tls ? .record : .segment) : .datagram }

  /// Takes a packet's payload.
  func take(_ event: PayloadEvent, _ payload: RawSpan, _ secrets: TLSSecrets) {
    now = event.time
    isTurned = (event.side == .client) != event.isToDestination
    guard isStream else {
      keep(Piece(time: now, size: Int32(clamping: event.length), isUp: event.side == .client))
      return
    }
    guard content != .other else {
      keep(Piece(time: now, size: Int32(clamping: event.length), isUp: event.side == .client))
      return
    }
    if event.side == .client {
      if !isStarted.client { (fromClient, isStarted.client) = (StreamReassembler(start: event.start), true) }
      order(event, payload, &fromClient, secrets)
    } else {
      if !isStarted.server { (fromServer, isStarted.server) = (StreamReassembler(start: event.start), true) }
      order(event, payload, &fromServer, secrets)
    }
  }

  /// Reads what waited for bytes that never came.
  func finish(_ secrets: TLSSecrets) {
    guard isStream, content != .other else { return }
    drain(&fromClient, .client, secrets)
    drain(&fromServer, .server, secrets)
  }

  private func drain(_ stream: inout StreamReassembler, _ side: FlowSide, _ secrets: TLSSecrets) {
    while stream.skipGap() != nil {
      skipGap(side)
      while let held = stream.takeHeld() { read(held.rawSpan, side, secrets) }
    }
  }

  private func order(
    _ event: PayloadEvent, _ payload: RawSpan, _ stream: inout StreamReassembler, _ secrets: TLSSecrets
  ) {
    switch stream.admit(sequence: event.sequence, length: event.length) {
    case .old: return
    case .next(let offset, let count):
      read(payload.slice(offset, count), event.side, secrets)
      if payload.byteCount < event.length { skipGap(event.side) }
    case .early:
      guard !stream.hold(sequence: event.sequence, payload) else { return }
      _ = stream.skipGap()
      skipGap(event.side)
    }
    while let held = stream.takeHeld() { read(held.rawSpan, event.side, secrets) }
  }

  private func skipGap(_ side: FlowSide) {
    tls.skipGap(from: side)
    courier.skipGap(from: side)
  }

  private func read(_ bytes: RawSpan, _ side: FlowSide, _ secrets: TLSSecrets) {
    if content == .undecided {
      guard Self.beginsRecord(bytes) else {
        keep(Piece(time: now, size: Int32(clamping: bytes.byteCount), isUp: side == .client))
        triedChunks += 1
        if triedChunks >= Self.maximumTriedChunks { content = .other }
        return
      }
      content = .tls
      // What went before in clear (STARTTLS) is no record.
      pieces.removeAll()
    }
    guard content == .tls else { return }
    tls.consume(bytes, from: side, secrets: secrets) { record, plaintext in
      guard record.type == .applicationData else { return }
      var piece = Piece(
        time: now, size: Int32(clamping: record.length + TLSRecordHeader.byteCount), isUp: side == .client)
      if record.isDecrypted {
        piece.plaintext = Int32(clamping: record.plaintextLength)
        piece.ordinal = Int32(clamping: record.applicationNumber)
      }
      keep(piece)
      guard record.isDecrypted, !courier.isForeign else { return }
      courier.consume(plaintext, from: side, record: record.applicationNumber) { message in
        if messages.count < limit {
          messages.append(TimedCourierMessage(time: now, message: message))
        } else {
          notKept += 1
        }
      }
    }
  }

  private func keep(_ piece: Piece) {
    if pieces.count < limit { pieces.append(piece) } else { notKept += 1 }
  }

  /// Whether bytes begin as a TLS record does (RFC 8446, section 5.1).
  private static func beginsRecord(_ bytes: RawSpan) -> Bool {
    guard bytes.holds(TLSRecordHeader.byteCount, at: 0) else { return false }
    let length = Int(bytes.u16(3))
    return (20...23).contains(bytes.u8(0)) && bytes.u8(1) == 3 && bytes.u8(2) <= 4 && length > 0
      && length <= TLSRecordHeader.maximumLength
  }
}

/// A message of the courier protocol and when its last byte was seen.
public struct TimedCourierMessage: Sendable {
  /// Nanoseconds since 1970.
  public var time: Int64
  /// The message.
  public var message: CourierMessage
}
