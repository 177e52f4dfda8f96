/// How far each kind of evidence moves a verdict, in bits. Data of the catalogue.
public struct EvidenceWeights: Sendable, Equatable {
  /// What a weight is for: a source of evidence, finer than `Evidence.Source` where one word covers two strengths.
  public enum Basis: String, Sendable, CaseIterable {
    case sni, certificate, alpn
    /// A name from the client's own look-up.
    case dns
    /// A name from another client's look-up.
    case dnsOtherClient = "dns-other-client"
    case httpHost = "http-host"
    /// A prefix of one service.
    case address
    /// A prefix together with a port.
    case addressAndPort = "address-and-port"
    /// A prefix of an owner who runs many services.
    case owner
    case port, `protocol`
    case firstBytes = "first-bytes"
    case fingerprint
    /// A vendor's own attribute or message type in STUN.
    case stunVendor = "stun-vendor"
    /// A name in STUN's SOFTWARE, REALM or ORIGIN.
    case stunText = "stun-text"
    case media, process
    case userAgent = "user-agent"
  }
  /// Evidence that depends on each other, and is therefore not added up.
  public enum Group: String, Sendable, CaseIterable {
    /// What the server is called: SNI, certificate, DNS name, HTTP host.
    case name
    /// What the software is: ALPN, protocol, first bytes, fingerprint, what STUN says, the program.
    case software
    /// Where the server is: address, port.
    case place
    /// What the payload does: media and the way to them.
    case media
  }
  /// A contradiction.
  public enum Conflict: String, Sendable, CaseIterable {
    /// A name of a service on an address that is not its owner's.
    case address
    /// The same, on a private address, where a proxy or a laboratory may stand in.
    case privateAddress = "private-address"
    /// An ALPN of one service under the name of another.
    case alpn
    /// A certificate that does not cover the name asked for.
    case certificate
    /// A DNS name of one service, a name in the flow of another.
    case dns
  }
  /// What the evidence of a model of sizes and times may weigh.
  public enum ShapeLimit: String, Sendable, CaseIterable {
    /// The most bits that it gives a tag.
    case most
    /// Other evidence of so many bits leaves no room for it.
    case unless
  }
  /// A figure and the sentence that says why.
  public struct Row: Sendable, Equatable {
    /// Why the figures are what they are.
    public var says: String
    /// Bits by how well a row is known.
    public var bits: [Provenance: Double]
  }

  /// Bits by basis.
  public internal(set) var rows: [Basis: Row] = [:] {
    didSet { flatten() }
  }
  /// Bits that each tag has before anything is seen.
  public internal(set) var priors: [Tag: Double] = [:] {
    didSet {
      for tag in Tag.allCases { priorScores[tag.position] = priors[tag] ?? 0 }
    }
  }
  /// Bits for other that a name of no known service gives.
  public internal(set) var unknownName = 0.0
  /// What part of its bits a second piece of evidence of a group keeps.
  public internal(set) var discounts: [Group: Double] = [:] {
    didSet {
      for group in Group.allCases { flatDiscounts[group.position] = discounts[group] ?? 1 }
    }
  }
  /// Bits that a contradiction takes.
  public internal(set) var conflicts: [Conflict: Double] = [:]
  /// Bits that a tie to another flow gives that flow's tag.
  public internal(set) var conversation: [Announcement.Link: Double] = [:]
  /// What the shape of a flow may weigh.
  public internal(set) var shape: [ShapeLimit: Double] = [:]
  /// What part of its bits a name or an address for another tag than calling keeps where the payload is media.
  public internal(set) var underMedia = 1.0
  /// The same where the payload only asks what one's own address is.
  public internal(set) var underQuestion = 1.0
  /// What part of its bits SIP keeps that sets up no call.
  public internal(set) var noCall = 1.0
  /// The sentences of the other sections, by section.
  public internal(set) var sentences: [String: String] = [:]

  /// `rows`, `priors` and `discounts` by position, for look-ups per flow.
  private var flat: [Double] = []
  private(set) var priorScores = SIMD4<Double>(repeating: 0)
  private var flatDiscounts = SIMD4<Double>(repeating: 1)

  private mutating func flatten() {
    flat = []
    for basis in Basis.allCases {
      for provenance in Provenance.allCases { flat.append(rows[basis]?.bits[provenance] ?? 0) }
    }
  }

  /// Bits of a basis at a provenance's position in `Provenance.allCases`.
  func bits(_ basis: Basis, at provenance: Int) -> Double {
    let i = Self.position(of: basis) * Provenance.allCases.count + provenance
    return flat.indices.contains(i) ? flat[i] : 0
  }

  /// What part of its bits a second piece of evidence of a group keeps.
  func discount(_ group: Group) -> Double { flatDiscounts[group.position] }

  private static func position(of basis: Basis) -> Int {
    switch basis {
    case .sni: 0
    case .certificate: 1
    case .alpn: 2
    case .dns: 3
    case .dnsOtherClient: 4
    case .httpHost: 5
    case .address: 6
    case .addressAndPort: 7
    case .owner: 8
    case .port: 9
    case .protocol: 10
    case .firstBytes: 11
    case .fingerprint: 12
    case .stunVendor: 13
    case .stunText: 14
    case .media: 15
    case .process: 16
    case .userAgent: 17
    }
  }
}

extension EvidenceWeights.Group {
  fileprivate var position: Int {
    switch self {
    case .name: 0
    case .software: 1
    case .place: 2
    case .media: 3
    }
  }
}
