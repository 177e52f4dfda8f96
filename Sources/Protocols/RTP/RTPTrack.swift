import Bytes

/// One source of a flow, and how far its packets behave as RTP's do (RFC 3550, sections 5.1 and A.1).
struct RTPTrack {
  /// What a packet did.
  enum Step: Equatable {
    /// It followed the one before.
    case next
    /// Packets between were lost, or come later.
    case gap
    /// It came late.
    case late
    /// It came twice.
    case duplicate
    /// Its number or its time does not go on from the ones before.
    case jump
  }

  /// The largest gap in sequence numbers that counts: more than a second of video is seldom lost in one piece.
  static let maximumGap = 100
  /// Ticks that a time stamp may lie before the latest: pictures that are sent out of their order, and late packets.
  static let maximumTicksBack = -(1 << 16)
  /// Ticks that a time stamp may lie behind the latest for each packet: 2.9 s at 90 kHz, 5.5 s at 48 kHz.
  static let maximumTicks = 1 << 18
  /// The most payload types of a source: a codec, its redundancy, comfort noise and telephone events.
  static let maximumPayloadTypes = 4
  /// Packets of one time stamp that make a frame of video, and their least payload in bytes.
  static let framePackets = 3, framePayload = 400

  let side: FlowSide
  let ssrc: UInt32
  let payloadType: UInt8
  private(set) var packets: UInt32 = 1
  private(set) var bytes: UInt64
  /// How much it speaks for RTP: 2 a packet that follows the one before, 1 one behind a gap or late.
  private(set) var points = 0
  /// Whether a time stamp went on.
  private(set) var advances = false
  /// Whether all its packets have header extensions in a form of RFC 8285.
  private(set) var hasExtensions: Bool
  /// Packets that have the time stamp of the one before, and are large.
  private(set) var sharedTimestamps = 0
  private(set) var clockRate: UInt32?

  private var payloadTypes: UInt128
  private var sequence: UInt16
  private var timestamp: UInt32
  private var ticks: Int64 = 0
  private let start: Int64?

  init(_ header: RTPHeader, length: Int, from side: FlowSide, at time: Int64?) {
    self.side = side
    ssrc = header.ssrc
    payloadType = header.payloadType
    payloadTypes = 1 << UInt128(header.payloadType)
    sequence = header.sequence
    timestamp = header.timestamp
    bytes = UInt64(clamping: length)
    hasExtensions = header.hasGeneralExtension
    start = time
  }

  /// Whether it looks so little like RTP in itself that more packets are asked for: source 0, or a payload type that is
  /// neither assigned nor dynamic (RFC 3551, table 5; 35 to 63 are in use as dynamic ones, RFC 8843, section 10.1.1).
  var isOdd: Bool {
    switch payloadType {
    case 1, 2, 19...24, 27, 29, 30: true
    default: ssrc == 0
    }
  }

  /// Takes a packet of this source.
  mutating func consume(_ header: RTPHeader, length: Int, at time: Int64?) -> Step {
    packets = packets &+ 1
    bytes = bytes &+ UInt64(clamping: length)
    hasExtensions = hasExtensions && header.hasGeneralExtension
    let distance = Int(Int16(bitPattern: header.sequence &- sequence))
    let elapsed = Int(Int32(bitPattern: header.timestamp &- timestamp))
    let range = Self.maximumTicksBack...max(Self.maximumTicks &* max(min(distance, Self.maximumGap), 1), 1)
    let isNewType = payloadTypes & 1 << UInt128(header.payloadType) == 0
    payloadTypes |= 1 << UInt128(header.payloadType)
    let isInTime = range.contains(elapsed)
    guard isInTime, abs(distance) <= Self.maximumGap, payloadTypes.nonzeroBitCount <= Self.maximumPayloadTypes else {
      restart(header)
      return .jump
    }
    if distance == 0 { return .duplicate }
    if distance < 0 {
      points &+= isNewType ? 0 : 1
      return .late
    }
    if elapsed > 0 { advances = true }
    if elapsed == 0, header.payloadLength >= Self.framePayload { sharedTimestamps &+= 1 }
    points &+= isNewType ? 0 : distance == 1 ? 2 : 1
    if distance == 1, elapsed > 0, Self.fillsExactly(header, ticks: elapsed) { points &+= 2 }
    sequence = header.sequence
    timestamp = header.timestamp
    ticks &+= Int64(elapsed)
    if packets & (packets &- 1) == 0 { measureClock(at: time) }
    return distance == 1 ? .next : .gap
  }

  /// A new start, as after a restart of the sender: what spoke for RTP counts no longer.
  private mutating func restart(_ header: RTPHeader) {
    sequence = header.sequence
    timestamp = header.timestamp
    points = 0
    advances = false
    payloadTypes = 1 << UInt128(header.payloadType)
  }

  /// Whether a codec of fixed rate makes just so many bytes in that time (RFC 3551, section 4.5).
  private static func fillsExactly(_ header: RTPHeader, ticks: Int) -> Bool {
    let length = header.payloadLength
    switch header.payloadType {
    case 0, 8, 9: return length == ticks && length % 40 == 0
    case 3: return length > 0 && length % 33 == 0 && length / 33 &* 160 == ticks
    case 18: return length > 0 && length % 10 == 0 && length &* 8 == ticks
    default: return false
    }
  }

  /// Clocks of the audio and video profile and of WebRTC's codecs, in ticks a second.
  private static let clockRates: [UInt32] = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 90000]

  private mutating func measureClock(at time: Int64?) {
    guard let start, let time, time &- start >= 500_000_000, time &- start < 1 << 40 else { return }
    let rate = Double(ticks) / (Double(time &- start) / 1e9)
    clockRate = Self.clockRates.first { abs(rate - Double($0)) <= Double($0) * 0.04 }
  }
}
