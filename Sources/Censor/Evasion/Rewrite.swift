/// A way of sending a recorded hello so that a box that looks for a name may not find it.
public enum Rewrite: String, Sendable, CaseIterable, Codable {
  /// As it was recorded.
  case unchanged
  /// One record in full segments; one CRYPTO stream in full datagrams.
  case plain

  // TCP: where segments end and in which order they leave.
  case splitInName = "split-in-name"
  case firstByte = "first-byte"
  case smallSegments = "small-segments"
  case swappedSegments = "swapped-segments"
  case reversedSegments = "reversed-segments"
  case overlapWithDecoy = "overlap-with-decoy"
  // TLS: where records end.
  case recordsSplitInName = "records-split-in-name"
  case recordsAndSegments = "records-and-segments"
  case smallRecords = "small-records"
  // The hello itself.
  case padded
  case capitals
  case mixedCase = "mixed-case"
  case trailingDot = "trailing-dot"
  case nameLast = "name-last"
  case extensionsReversed = "extensions-reversed"
  case nameAbsent = "name-absent"
  case encryptedClientHello = "encrypted-client-hello"
  case encryptedServerName = "encrypted-server-name"
  // IP.
  case fragments
  case fragmentsReversed = "fragments-reversed"
  case fragments45 = "fragments-45"
  case fragments46 = "fragments-46"
  // QUIC: frames, datagrams, versions, ports.
  case framesReversed = "frames-reversed"
  case framesWithPings = "frames-with-pings"
  case framesShuffled = "frames-shuffled"
  case twoDatagrams = "two-datagrams"
  case datagramsReversed = "datagrams-reversed"
  case randomFirst = "random-first"
  case unknownVersion = "unknown-version"
  case version2 = "version-2"
  case lowSourcePort = "low-source-port"

  /// What it is applied to.
  public var carriers: [RecordedHello.Carrier] {
    switch self {
    case .splitInName, .firstByte, .smallSegments, .swappedSegments, .reversedSegments, .overlapWithDecoy,
      .recordsSplitInName, .recordsAndSegments, .smallRecords, .encryptedServerName:
      [.tcp]
    case .framesReversed, .framesWithPings, .framesShuffled, .twoDatagrams, .datagramsReversed, .randomFirst,
      .unknownVersion, .version2, .lowSourcePort:
      [.quic]
    default: [.tcp, .quic]
    }
  }

  /// What becomes of the name.
  public enum NameFate: String, Sendable, Codable {
    /// It stands in the hello as it was.
    case kept
    /// It is written otherwise and means the same, or nearly.
    case respelt
    /// It is not there.
    case removed
    /// Another one stands in its place.
    case replaced
  }

  /// What becomes of the name.
  public var nameFate: NameFate {
    switch self {
    case .capitals, .mixedCase, .trailingDot: .respelt
    case .nameAbsent, .encryptedServerName: .removed
    case .encryptedClientHello: .replaced
    default: .kept
    }
  }

  /// Whether a server that keeps to the standards puts the same hello together from it, so that Wiretag must too.
  public var isReadByServers: Bool { self != .unknownVersion }

  /// A few words for a table.
  public var title: String {
    switch self {
    case .unchanged: "as recorded"
    case .plain: "whole: one record, full packets"
    case .splitInName: "segments cut within the name"
    case .firstByte: "first segment of 1 byte"
    case .smallSegments: "segments of \(Self.smallSegmentLength) bytes"
    case .swappedSegments: "cut within the name, swapped"
    case .reversedSegments: "segments of \(Self.reversedSegmentLength) bytes, last first"
    case .overlapWithDecoy: "overlap, decoy name first"
    case .recordsSplitInName: "records cut within the name"
    case .recordsAndSegments: "records and segments cut"
    case .smallRecords: "records of \(Self.smallRecordLength) bytes"
    case .padded: "padded: name in second packet"
    case .capitals: "name in capitals"
    case .mixedCase: "name in mixed case"
    case .trailingDot: "name with a dot at the end"
    case .nameLast: "name as last extension"
    case .extensionsReversed: "extensions in reverse order"
    case .nameAbsent: "no name"
    case .encryptedClientHello: "ECH, public name outside"
    case .encryptedServerName: "ESNI, no name in clear"
    case .fragments: "IP fragments"
    case .fragmentsReversed: "IP fragments, last first"
    case .fragments45: "45 IP fragments"
    case .fragments46: "46 IP fragments"
    case .framesReversed: "CRYPTO frames, second first"
    case .framesWithPings: "CRYPTO, PING and PADDING mixed"
    case .framesShuffled: "CRYPTO frames in any order"
    case .twoDatagrams: "cut over two datagrams"
    case .datagramsReversed: "two datagrams, second first"
    case .randomFirst: "a random datagram before it"
    case .unknownVersion: "a version nobody knows"
    case .version2: "QUIC version 2"
    case .lowSourcePort: "source port below the server's"
    }
  }

  /// What is done, in a sentence.
  public var sentence: String {
    switch self {
    case .unchanged: "The recorded payloads, in the pieces in which they were sent."
    case .plain:
      "The hello in one TLS record and full TCP segments, or in order in full QUIC datagrams: what a box is built for."
    case .splitInName: "Two TCP segments; the cut lies in the middle of the server name."
    case .firstByte: "The first TCP segment holds one byte."
    case .smallSegments: "TCP segments of \(Self.smallSegmentLength) bytes, in order."
    case .swappedSegments: "Two TCP segments, cut in the middle of the server name; the second leaves first."
    case .reversedSegments: "TCP segments of \(Self.reversedSegmentLength) bytes; the last leaves first."
    case .overlapWithDecoy:
      "The second segment leaves first and reaches back to the name's beginning with other letters; the first "
        + "segment then brings the right ones. Linux takes what completes the stream, which is the right ones."
    case .recordsSplitInName: "Two TLS records, cut in the middle of the server name, in one run of segments."
    case .recordsAndSegments: "Two TLS records, cut in the middle of the server name, each in a segment of its own."
    case .smallRecords: "TLS records of \(Self.smallRecordLength) bytes, in full segments."
    case .padded: "A padding extension before the server name is so long that the name lies in the second packet."
    case .capitals: "The server name in capital letters; names are compared without case."
    case .mixedCase: "Every second letter of the server name is a capital."
    case .trailingDot: "The server name ends in a dot, as a full name of DNS does; in server_name it is not allowed."
    case .nameLast: "server_name is the last extension, or the last before pre_shared_key."
    case .extensionsReversed: "All extensions in reverse order, but for pre_shared_key, which must be the last."
    case .nameAbsent: "The server_name extension is left out."
    case .encryptedClientHello:
      "An encrypted_client_hello extension as clients send it for GREASE, and \(Self.publicName) as the outer name."
    case .encryptedServerName: "An encrypted_server_name extension (0xffce) stands in the place of the server name."
    case .fragments: "Each IP packet in \(Self.fewFragments) fragments, in order."
    case .fragmentsReversed: "Each IP packet in \(Self.fewFragments) fragments; the last leaves first."
    case .fragments45: "The hello in one packet of 45 IP fragments: as many as TSPU's boxes were seen to hold."
    case .fragments46: "The hello in one packet of 46 IP fragments: one more than TSPU's boxes were seen to hold."
    case .framesReversed: "Two CRYPTO frames, cut in the middle of the server name; the second stands first."
    case .framesWithPings: "Short CRYPTO frames in order, with PING and PADDING frames between them."
    case .framesShuffled: "Short CRYPTO frames in any order, with PING and PADDING frames between them."
    case .twoDatagrams: "Two Initials in two datagrams, cut in the middle of the server name."
    case .datagramsReversed: "Two Initials in two datagrams, cut in the middle of the server name; the second first."
    case .randomFirst: "A datagram of random bytes leaves before the Initial."
    case .unknownVersion:
      "The Initial claims a version kept free for GREASE. Servers answer with version negotiation and read nothing; "
        + "the client begins again, and a box may have made up its mind."
    case .version2: "The Initial is one of QUIC version 2, with keys of its own."
    case .lowSourcePort: "The client's port is below the server's."
    }
  }

  /// Where it is known from: a standard that allows it, or a report that it was used.
  public var source: String {
    switch self {
    case .unchanged: "the capture"
    case .plain: "RFC 8446, section 5.1; RFC 9000, section 7.2"
    case .splitInName, .smallSegments: "RFC 9293, section 3.8; Xue et al., IMC 2022 (TSPU)"
    case .firstByte: "RFC 9293, section 3.8; censorship.ai 2020: 4 bytes or fewer defeat the GFW's ESNI rule"
    case .swappedSegments, .reversedSegments: "RFC 9293, section 3.10.7.4"
    case .overlapWithDecoy: "RFC 9293, section 3.10.7.4; Linux, tcp_data_queue"
    case .recordsSplitInName, .recordsAndSegments, .smallRecords: "RFC 8446, section 5.1; net4people/bbs 308, 403"
    case .padded: "RFC 7685"
    case .capitals, .mixedCase: "RFC 6066, section 3; RFC 4343"
    case .trailingDot: "RFC 6066, section 3"
    case .nameLast, .extensionsReversed: "RFC 8446, section 4.2: any order"
    case .nameAbsent: "RFC 6066, section 3: servers may do without"
    case .encryptedClientHello: "RFC 9849, sections 5 and 6.2"
    case .encryptedServerName: "draft-ietf-tls-esni-02, section 4; censorship.ai 2020"
    case .fragments, .fragmentsReversed: "RFC 791, section 3.2; RFC 8200, section 4.5"
    case .fragments45, .fragments46: "Xue et al., IMC 2022 (TSPU): a queue of 45"
    case .framesReversed, .framesWithPings, .framesShuffled:
      "RFC 9000, sections 7.5 and 19.6; Zohaib et al., USENIX Security 2025: no reassembly of CRYPTO frames"
    case .twoDatagrams, .datagramsReversed:
      "RFC 9000, section 7.5; Zohaib et al., USENIX Security 2025: one datagram only"
    case .randomFirst: "Zohaib et al., USENIX Security 2025: a random first datagram exempts the flow"
    case .unknownVersion: "RFC 9000, sections 6 and 15; Zohaib et al., USENIX Security 2025"
    case .version2: "RFC 9369"
    case .lowSourcePort: "Zohaib et al., USENIX Security 2025: only source ports above the destination's are looked at"
    }
  }

  /// Ways that need a network: nothing here can say what a path does with them.
  static let notTried: [(title: String, reason: String)] = [
    (
      "decoys that expire on the way (low TTL)",
      "whether the box sees them and the server does not depends on the hops between them"
    ),
    (
      "decoys with a wrong checksum or sequence number",
      "a capture does not tell which of two hosts would have dropped them"
    ),
    ("other addresses, proxies, tunnels", "nothing of the hello would be left to test"),
  ]

  static let smallSegmentLength = 16, reversedSegmentLength = 100, smallRecordLength = 32
  static let fewFragments = 4
  /// The outer name of ECH; example.com is kept for examples (RFC 2606).
  static let publicName = "public.example.com"
}
