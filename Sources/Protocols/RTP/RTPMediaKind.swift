/// What a stream carries.
public enum RTPMediaKind: String, Sendable {
  /// Speech or music.
  case audio
  /// Pictures.
  case video

  /// The kind of a static payload type (RFC 3551, section 6, tables 4 and 5); nil for dynamic and reserved ones.
  public init?(staticPayloadType type: UInt8) {
    switch type {
    case 0, 3...18: self = .audio
    // MPEG transport streams carry both; what is watched is video.
    case 25, 26, 28, 31...34: self = .video
    default: return nil
    }
  }
}

extension RTPFacts {
  /// Audio is sent every 10 to 60 ms: at most 100 packets a second, and a tenth more for jitter in a short look.
  static let maximumAudioRate = 110.0
  /// The slowest audio of a talkspurt, in packets a second: frames of 60 ms with half of them suppressed.
  static let minimumAudioRate = 8.0
  /// A packet of speech holds at most 160 bytes of G.711 for 20 ms, or Opus at 64 kbit/s, and header, extension and tag.
  static let maximumAudioSize = 300.0
  /// Video fills its packets up to the path's limit, so that most of its bytes travel in large ones.
  static let minimumVideoSize = 600.0
  /// Video at 15 frames a second with two packets a frame is the least that looks like it.
  static let minimumVideoRate = 30.0
  /// The fewest packets, and the shortest time in seconds, that averages are drawn from.
  static let minimumPackets = 20, minimumSeconds = 0.5

  /// What a stream carries by its payload type, or else by its rate and sizes.
  /// - Parameters:
  ///   - payloadType: the payload type, where one is known.
  ///   - packets: packets of one direction.
  ///   - bytes: bytes of their RTP packets, headers included.
  ///   - seconds: from the first packet to the last.
  /// - Returns: nil where it is not clear.
  public static func mediaKind(payloadType: UInt8?, packets: Int, bytes: Int, seconds: Double) -> RTPMediaKind? {
    if let payloadType, let kind = RTPMediaKind(staticPayloadType: payloadType) { return kind }
    guard packets >= minimumPackets, seconds >= minimumSeconds else { return nil }
    let rate = Double(packets) / seconds
    let size = Double(max(bytes, 0)) / Double(packets)
    if size >= minimumVideoSize, rate >= minimumVideoRate { return .video }
    if size <= maximumAudioSize, (minimumAudioRate...maximumAudioRate).contains(rate) { return .audio }
    return nil
  }
}

extension RTPFacts.Stream {
  /// What it carries, by its payload type, else its clock, else frames of several packets; nil where none is clear.
  public var media: RTPMediaKind? {
    if let kind = RTPMediaKind(staticPayloadType: payloadType) { return kind }
    if clockRate == 90_000 || sharesTimestamps { return .video }
    if let clockRate, clockRate <= 48_000, packets > 0, bytes / UInt64(packets) <= UInt64(RTPFacts.maximumAudioSize) {
      return .audio
    }
    return nil
  }
}
