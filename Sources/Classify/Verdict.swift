// Classify may hold: the service catalogue (data), matching, evidence, verdicts. It never sees bytes.

/// What a flow is for.
public enum Tag: String, Sendable, CaseIterable, Codable {
  case push, messaging, calling, other
}

/// Another service that rides the same connection.
public struct Carried: Sendable, Equatable, Hashable {
  /// What it is for.
  public var tag: Tag
  /// Its name.
  public var service: String
  /// A carried service.
  public init(tag: Tag, service: String) {
    self.tag = tag
    self.service = service
  }
}

/// One observation that moved a verdict.
public struct Evidence: Sendable, Equatable {
  /// What was looked at.
  public enum Source: String, Sendable, CaseIterable {
    case sni, certificate, alpn, dns, httpHost = "http_host", address, port, `protocol`, firstBytes = "first_bytes",
      fingerprint
    /// A vendor's attribute or message type in STUN, or its text in SOFTWARE, REALM or ORIGIN.
    case stun
    /// What media do: RTP, DTLS that agrees on SRTP keys, connectivity checks of ICE, a relay of TURN.
    case media
    /// Another flow of the same conversation.
    case conversation
    /// The program that the capture names.
    case process
    /// The program that the flow names.
    case userAgent = "user_agent"
    /// Sizes and times of packets; only where nothing else is decisive.
    case shape
  }
  /// What was looked at.
  public var source: Source
  /// What was seen there: "courier.push.apple.com".
  public var value: String
  /// The tag it speaks for, and the service.
  public var tag: Tag
  /// The service it speaks for, where it names one.
  public var service: String?
  /// How far it moves the odds of that tag against all others, in bits; negative speaks against it.
  public var bits: Double
  /// Why this row counts less or contradicts another: "address is not Apple's".
  public var note: String?
  /// An observation.
  public init(_ source: Source, value: String, tag: Tag, service: String?, bits: Double, note: String? = nil) {
    self.source = source
    self.value = value
    self.tag = tag
    self.service = service
    self.bits = bits
    self.note = note
  }
}

/// What a flow was judged to be, and why.
public struct Verdict: Sendable, Equatable {
  /// The tag.
  public var tag: Tag
  /// The service, where the evidence names one.
  public var service: String?
  /// Probability that the tag is right, calibrated on labelled flows; 0 to 1.
  public var confidence: Double
  /// Bits by which the tag leads the next one: the raw score that calibration turns into `confidence`. Negative where
  /// only weak evidence speaks for another tag.
  public var margin: Double
  /// What moved it, strongest first.
  public var evidence: [Evidence]
  /// What else rides this connection.
  public var carries: [Carried]
  /// Contradictions in the evidence, a sentence each.
  public var conflicts: [String]
  /// Whether the connection carries more than one tag.
  public var isSharedFate: Bool { carries.contains { $0.tag != tag } }
  /// A verdict.
  public init(
    tag: Tag, service: String? = nil, confidence: Double, margin: Double = 0, evidence: [Evidence] = [],
    carries: [Carried] = [], conflicts: [String] = []
  ) {
    self.tag = tag
    self.service = service
    self.confidence = confidence
    self.margin = margin
    self.evidence = evidence
    self.carries = carries
    self.conflicts = conflicts
  }
}
