import Protocols

/// What media and the way to them look like on the wire, whatever service they belong to.
public enum MediaSign: String, Sendable, CaseIterable {
  /// Streams of RTP or SRTP (RFC 3550, RFC 3711).
  case rtp
  /// RTCP without RTP beside it (RFC 3550, section 6).
  case rtcp
  /// RTP multiplexed with QUIC (RFC 9443).
  case rtpWithQUIC = "quic-rtp"
  /// DTLS whose client offers profiles of SRTP (RFC 5764).
  case dtlsSRTP = "dtls-srtp"
  /// Connectivity checks (RFC 8445, section 7).
  case ice
  /// A relay that was asked for, or used (RFC 8656).
  case turn
  /// Nothing but the question what one's own address is (RFC 8489, section 2).
  case stun

  /// Packets after which streams have shown that they are RTP; fewer give only part of the bits.
  private static let packetsOfProof: UInt32 = 8

  /// What streams show, how sure that is (0 to 1), and in words; nil where there is neither RTP nor RTCP.
  static func of(_ rtp: RTPFacts) -> (sign: MediaSign, factor: Double, words: String)? {
    guard !rtp.streams.isEmpty else { return rtp.hasRTCP ? (.rtcp, 1, "RTCP") : nil }
    let packets = rtp.streams.reduce(UInt32(0)) { $0 &+ $1.packets }
    let proof = rtp.hasRTCP ? 1 : 0.6 + 0.4 * Double(min(packets, packetsOfProof)) / Double(packetsOfProof)
    let streams = rtp.streams.count == 1 ? "1 stream" : "\(rtp.streams.count) streams"
    let within = rtp.encapsulation.map { " in \($0)" } ?? ""
    return (.rtp, proof, "RTP, \(streams)\(rtp.hasRTCP ? " and RTCP" : "")\(within)")
  }

  /// What STUN is used for.
  static func of(_ stun: STUNFacts) -> (sign: MediaSign, words: String) {
    if stun.hasICE { return (.ice, "checks of ICE") }
    if stun.hasTURN { return (.turn, "relay of TURN") }
    return (.stun, stun.isClassic ? "STUN of RFC 3489" : "STUN")
  }
}

/// What of a call a payload is.
enum MediaKind {
  /// Nothing of a call.
  case none
  /// Only the question what one's own address is, which games and VPNs ask too.
  case question
  /// Media, the way to them, or signalling for calls.
  case media

  /// What some facts show.
  init(_ facts: borrowing FlowFacts) {
    guard facts.hasRareFacts else {
      self = .none
      return
    }
    if facts.rtp != nil || facts.call != nil || facts.dtls?.srtpProfiles.isEmpty == false {
      self = .media
    } else if let stun = facts.stun {
      self = stun.hasICE || stun.hasTURN ? .media : .question
    } else {
      self = .none
    }
  }
}
