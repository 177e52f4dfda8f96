public import Protocols

/// Why a flow belongs to a conversation: another flow said its address, or uses the same socket.
public struct Announcement: Sendable, Equatable {
  /// What ties the flows.
  public enum Link: String, Sendable, CaseIterable {
    /// A session description named the address.
    case sdp
    /// Call signalling without SDP did.
    case signalling
    /// It is an address at a relay that the other flow asked for.
    case turnAllocation = "turn-allocation"
    /// It is a peer behind the relay of the other flow.
    case turnPeer = "turn-peer"
    /// STUN saw the address, or offered it.
    case candidate
    /// Both flows have an address and port in common.
    case sharedSocket = "shared-socket"

    /// The link that an announced endpoint is.
    public init(_ source: AnnouncedEndpoint.Source) {
      switch source {
      case .sdp: self = .sdp
      case .signalling: self = .signalling
      case .turnAllocation: self = .turnAllocation
      case .turnPeer: self = .turnPeer
      case .candidate: self = .candidate
      }
    }
  }

  /// What ties the flows.
  public var link: Link
  /// "audio" or "video" where that was said.
  public var media: String?
  /// What the other flow is for.
  public var tag: Tag
  /// The service of the other flow, where its verdict names one.
  public var service: String?
  /// The number of the other flow.
  public var flowID: UInt64

  /// A tie to a flow that is judged to be `service`.
  public init(_ link: Link, media: String? = nil, tag: Tag, service: String?, flowID: UInt64) {
    self.link = link
    self.media = media
    self.tag = tag
    self.service = service
    self.flowID = flowID
  }

  /// "announced by flow 7 in a session description (audio)".
  var sentence: String {
    let tie =
      switch link {
      case .sdp: "announced by flow \(flowID) in a session description"
      case .signalling: "announced by the call signalling of flow \(flowID)"
      case .turnAllocation: "at the relay that flow \(flowID) asked for"
      case .turnPeer: "a peer behind the relay of flow \(flowID)"
      case .candidate: "a candidate of flow \(flowID)"
      case .sharedSocket: "shares a socket with flow \(flowID)"
      }
    return media.map { "\(tie) (\($0))" } ?? tie
  }
}

/// What a model of sizes and times says of a flow.
public struct ShapeEvidence: Sendable, Equatable {
  /// The tag it speaks for.
  public var tag: Tag
  /// How far it moves the odds of the tag against all others, in bits; negative speaks against it.
  public var bits: Double
  /// The features that spoke: "50 packets a second each way, of 172 bytes".
  public var sentence: String

  /// What a model says for a tag.
  public init(tag: Tag, bits: Double, sentence: String) {
    self.tag = tag
    self.bits = bits
    self.sentence = sentence
  }
}
