public import Bytes

/// An address that a flow says media will come from or go to.
public struct AnnouncedEndpoint: Hashable, Sendable {
  /// What said so.
  public enum Source: String, Sendable {
    /// A session description (RFC 8866), whatever carried it.
    case sdp
    /// Call signalling without SDP: H.245, MGCP, MEGACO, Skinny.
    case signalling
    /// An address at a TURN relay.
    case turnAllocation = "turn-allocation"
    /// A peer behind a TURN relay.
    case turnPeer = "turn-peer"
    /// Where STUN saw the client, or a candidate of ICE.
    case candidate
  }
  /// The address.
  public var endpoint: Endpoint
  /// What said so.
  public var source: Source
  /// "audio" or "video" where that was said.
  public var media: String?
  /// Which call it is for, where the signalling flow carries several: SIP's Call-ID.
  public var call: String?
  /// An announcement.
  public init(_ endpoint: Endpoint, source: Source, media: String? = nil, call: String? = nil) {
    self.endpoint = endpoint
    self.source = source
    self.media = media
    self.call = call
  }
}
