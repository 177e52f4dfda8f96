import Bytes

/// Recognises RTP, SRTP, RTCP and SRTCP by how several packets of a flow behave; no signalling is needed.
///
/// A header of RTP has few fixed bits. So a source (SSRC) must come again with a sequence number that goes on and a time
/// stamp that fits, or RTCP must be there, whose lengths leave little to chance. Datagrams of STUN, ZRTP, DTLS and TURN
/// channels on the same 5-tuple (RFC 7983) neither help nor harm.
package struct RTPConversation {
  /// The most sources that are watched; of later ones nothing is kept.
  static let maximumTracks = 16
  /// What proves RTP: two packets that follow one before, or as much from several sources or both sides.
  static let proof = 4
  /// What proves it where time stamps stand still, sources are 0 or payload types are nobody's.
  static let strictProof = 12
  /// The least mean length of packets that may share one time stamp: those of a large video frame.
  static let frameLength = 300
  /// What proves it where that is so, but header extensions are in one of RFC 8285's two forms: probes for bandwidth.
  static let extensionProof = 8
  /// Datagrams of another kind that end the attempt, where they are more than what speaks for RTP.
  static let maximumMisfits = 8
  /// Datagrams after which an attempt without proof ends.
  static let maximumDatagrams = 48

  /// What was read; empty until `isSure`.
  package private(set) var facts = RTPFacts()
  /// Grows when the facts change; for counts alone only when a count reaches a power of two.
  package private(set) var revision = 0
  /// Whether it is RTP.
  package private(set) var isSure = false
  /// Whether it is something else.
  package private(set) var isDisproved = false
  /// Bytes of payload that are kept: none.
  package var bufferedBytes: Int { 0 }

  private let encapsulation: String?
  private let isAnnounced: Bool
  private var tracks: [RTPTrack] = []
  private var datagrams = 0
  private var misfits = 0
  /// Misfits of RTP's range of first bytes; others are some protocol beside it.
  private var jumps = 0
  private var extensionProfile: UInt16?
  private var hasRTCP = false
  private var coveredSender: UInt32?
  private var pointsOfRTCP = 0

  /// A conversation of which nothing is known.
  /// - Parameters:
  ///   - encapsulation: what stands in front of the RTP header.
  ///   - isAnnounced: whether signalling said that media comes here; then a single packet that can be RTP proves it.
  package init(encapsulation: String? = nil, isAnnounced: Bool = false) {
    self.encapsulation = encapsulation
    self.isAnnounced = isAnnounced
  }

  /// Whether a datagram can be RTP's or RTCP's at all. Allocates nothing.
  package static func canBegin(_ datagram: borrowing RawSpan) -> Bool {
    switch MultiplexedRange(datagram) {
    case .rtp: (try? RTPHeader(parsing: datagram)) != nil
    case .rtcp: RTCPDatagram(datagram) != .none
    default: false
    }
  }

  /// Takes a datagram, or what follows another protocol's header in one.
  /// - Parameters:
  ///   - datagram: the bytes from the RTP header on.
  ///   - side: who sent it.
  ///   - time: when, in nanoseconds of any clock, where known: only the rate of a stream's clock needs it.
  /// - Returns: `mine` once it is proved and for all RTP after that, `notMine` for datagrams that are none and once it
  ///   is disproved, else `undecided`.
  package mutating func consume(_ datagram: borrowing RawSpan, from side: FlowSide, at time: Int64? = nil)
    -> DatagramReading
  {
    guard !isDisproved else { return .notMine }
    let isMine: Bool
    let range = MultiplexedRange(datagram)
    switch range {
    case .rtp: isMine = consume(rtp: datagram, from: side, at: time)
    case .rtcp: isMine = consume(rtcp: datagram)
    case .stun, .zrtp, .dtls, .turnChannel: return .notMine
    case .unassigned: isMine = false
    }
    if isSure { return isMine ? .mine : .notMine }
    datagrams &+= 1
    if !isMine {
      misfits &+= 1
      if range == .rtp || range == .rtcp { jumps &+= 1 }
    }
    if hasProof {
      isSure = true
      publish()
      return isMine ? .mine : .notMine
    }
    let isHopeless = misfits >= Self.maximumMisfits && misfits > points
    if isHopeless || datagrams >= Self.maximumDatagrams {
      isDisproved = true
      tracks = []
      return .notMine
    }
    return isMine ? .undecided : .notMine
  }
}

extension RTPConversation {
  private mutating func consume(rtp datagram: borrowing RawSpan, from side: FlowSide, at time: Int64?) -> Bool {
    guard let header = try? RTPHeader(parsing: datagram) else { return false }
    if extensionProfile == nil, let profile = header.extensionProfile {
      extensionProfile = profile
      if isSure { publish() }
    }
    let length = datagram.byteCount
    guard let index = tracks.firstIndex(where: { $0.ssrc == header.ssrc && $0.side == side }) else {
      add(RTPTrack(header, length: length, from: side, at: time))
      return true
    }
    // A counter that is the datagram's length is a length.
    if !isSure, Int(header.sequence) == length || Int(header.sequence) == length &- 4 { return false }
    let step = tracks[index].consume(header, length: length, at: time)
    let count = tracks[index].packets
    if isSure, count & (count &- 1) == 0 { publish() }
    return isSure || step != .jump
  }

  private mutating func consume(rtcp datagram: borrowing RawSpan) -> Bool {
    switch RTCPDatagram(datagram) {
    case .none: return false
    case .clear: pointsOfRTCP = Self.proof
    case .covered(let source):
      if coveredSender == source || tracks.contains(where: { $0.ssrc == source }) { pointsOfRTCP &+= Self.proof }
      coveredSender = source
    }
    if !hasRTCP {
      hasRTCP = true
      if isSure { publish() }
    }
    return true
  }

  private mutating func add(_ track: RTPTrack) {
    if tracks.count < Self.maximumTracks {
      tracks.append(track)
    } else if let index = tracks.firstIndex(where: { $0.packets == 1 }) {
      tracks.remove(at: index)
      tracks.append(track)
    } else {
      return
    }
    if isSure { publish() }
  }

  private var points: Int {
    var sum = pointsOfRTCP
    for track in tracks { sum &+= track.points }
    return sum
  }

  private var hasProof: Bool {
    if isAnnounced, !tracks.isEmpty || hasRTCP { return true }
    if pointsOfRTCP >= Self.proof { return true }
    let price = 2 &* min(jumps, 8)
    var moving = 0
    var all = 0
    for track in tracks {
      all &+= track.points
      let isFrame = track.bytes / UInt64(max(track.packets, 1)) >= UInt64(Self.frameLength)
      if track.points >= Self.strictProof &+ price, track.advances || isFrame { return true }
      if track.points >= Self.extensionProof &+ price, track.hasExtensions { return true }
      if track.advances, !track.isOdd { moving &+= track.points }
    }
    return moving >= Self.proof &+ price
  }

  /// Renews the facts.
  private mutating func publish() {
    var facts = RTPFacts()
    facts.hasRTCP = hasRTCP
    facts.extensionProfile = extensionProfile
    facts.encapsulation = encapsulation
    for track in tracks where track.packets > 1 || isAnnounced {
      guard facts.streams.count < RTPFacts.maximumStreams else { break }
      var stream = RTPFacts.Stream(
        ssrc: track.ssrc, payloadType: track.payloadType, side: track.side, packets: track.packets)
      stream.bytes = track.bytes
      stream.clockRate = track.clockRate
      stream.sharesTimestamps = track.sharedTimestamps >= RTPTrack.framePackets
      facts.streams.append(stream)
    }
    guard facts != self.facts || revision == 0 else { return }
    self.facts = facts
    revision &+= 1
  }
}
