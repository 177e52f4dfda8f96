import Bytes

/// Both sides of a TLS stream, up to where nothing more is in clear.
///
/// A side that does not fit records is looked at again where its next chunk begins: a flow that was joined in the
/// middle, or a gap.
struct TLSConversation {
  /// Bytes of a side after which the handshake is given up: a certificate chain fits in many times.
  static let maximumBytesPerSide = 1 << 18
  /// Chunks of a side that are tried as the beginning of a record before it is given up.
  static let maximumResyncs = 8

  /// Bytes of a finished side after which the other, silent one is given up: it is not in the capture.
  static let maximumBytesWithoutReply = 1 << 16

  private struct Side {
    var assembler = HandshakeAssembler()
    var bytes = 0
    var resyncs = 0
    var isLost = false
    var isDone = false

    mutating func finish() {
      assembler = HandshakeAssembler()
      isDone = true
    }

    mutating func lose() {
      assembler = HandshakeAssembler()
      isLost = true
      resyncs &+= 1
      if resyncs > maximumResyncs { finish() }
    }
  }

  private var sides = Sides(Side())
  /// What was read.
  private(set) var handshake: TLSHandshake
  /// Whether this is TLS beyond doubt: a hello was read, or records followed each other without a flaw.
  private(set) var isSure = false
  /// Whether nothing more can be learned.
  private(set) var isDone = false

  init(wantsFingerprints: Bool, cache: FingerprintCache?) {
    handshake = TLSHandshake(wantsFingerprints: wantsFingerprints, cache: cache)
  }

  /// Bytes that are kept.
  var bufferedBytes: Int { sides.client.assembler.bufferedBytes + sides.server.assembler.bufferedBytes }

  /// Whether a side has lost the records, or never had them.
  func isLost(_ side: FlowSide) -> Bool { sides[side].isLost }

  /// Takes the next bytes of a side.
  mutating func consume(_ bytes: borrowing RawSpan, from side: FlowSide) {
    if isDone { return }
    sides[side].bytes &+= bytes.byteCount
    if sides[side].isDone {
      if sides[side].bytes > Self.maximumBytesWithoutReply { isDone = true }
      return
    }
    if sides[side].bytes > Self.maximumBytesPerSide {
      sides[side].finish()
      isDone = true
      return
    }
    if sides[side].isLost {
      if bytes.byteCount < TLSRecordHeader.byteCount || !TLSRecordHeader.canBegin(bytes) {
        sides[side].lose()
        closeIfDone()
        return
      }
      sides[side].isLost = false
    }
    read(bytes, from: side)
    closeIfDone()
  }

  private mutating func read(_ bytes: borrowing RawSpan, from side: FlowSide) {
    handshake.side = side
    let outcome = sides[side].assembler.consume(bytes, into: &handshake)
    let records = sides[side].assembler.records
    if handshake.hasHello || records >= 2 { isSure = true }
    switch outcome {
    case .more:
      if records == 1, sides[side].assembler.isAtRecordBoundary { isSure = true }
    case .stopped:
      sides[side].finish()
    case .tooLong:
      isSure = true
      handshake.note("handshake message longer than \(HandshakeAssembler.maximumMessageLength) bytes: not read")
      sides[side].finish()
    case .notARecord:
      sides[side].lose()
    }
  }

  /// Takes an SSL 2.0-compatible hello: what follows on its side is not read.
  mutating func consume(_ hello: SSL2ClientHello, from side: FlowSide) {
    handshake.side = side
    handshake.receive(hello)
    isSure = true
    sides[side].finish()
    closeIfDone()
  }

  /// Bytes of a side are lost.
  mutating func skipGap(from side: FlowSide) {
    if !sides[side].isDone { sides[side].lose() }
    closeIfDone()
  }

  private mutating func closeIfDone() {
    if sides.client.isDone, sides.server.isDone { isDone = true }
  }
}
