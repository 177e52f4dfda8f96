import Bytes

//  RFC 8866, section 5
//
//    v=0
//    o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1
//    s=Call to John Smith
//    c=IN IP4 198.51.100.1
//    t=0 0
//    m=audio 49170 RTP/AVP 0
//    m=video 51372 RTP/AVP 99
//    c=IN IP6 2001:db8::2
//    a=rtpmap:99 h263-1998/90000
//
//  RFC 3605: a=rtcp:53020 IN IP4 126.16.64.4          RFC 5761: a=rtcp-mux
//  RFC 8839: a=candidate:1 1 UDP 2130706431 203.0.113.141 8998 typ host

/// The media of a session description, whatever carried it.
struct SessionDescription: Equatable {
  /// The most media sections, and candidates of each, that are read.
  static let maximumSections = 16, maximumCandidates = 24
  /// The most ports of one section ("m=video 49170/2") that are announced.
  static let maximumPorts = 4
  /// The port of media whose address comes later (RFC 8839, section 4.3.1: the discard service).
  static let placeholderPort: UInt16 = 9

  /// A media section.
  struct Media: Equatable {
    /// "audio", "video", "image", "message", "text", "application", ...
    var kind: String
    /// The port; 0 where the media is refused or put off.
    var port: UInt16
    /// Consecutive ports, each with its RTCP.
    var ports = 1
    /// The transport, as in "RTP/SAVPF".
    var transport: String
    /// The section's own address.
    var address: IPAddress?
    /// Where RTCP goes, if not to the next port.
    var rtcp: UInt16?, rtcpAddress: IPAddress?
    /// Whether RTCP shares the port.
    var isMultiplexed = false
    /// Candidates of ICE.
    var candidates: [Endpoint] = []
  }

  /// The address of all sections that have none.
  private(set) var address: IPAddress?
  /// The media sections, in order.
  private(set) var media: [Media] = []

  /// Reads the description in a body: from its first line "v=0" to a line that can be none of it, so that it is found
  /// inside multipart bodies too. Lines of a field that is damaged are passed over.
  /// - Returns: nil where there is none.
  init?(in body: borrowing RawSpan) {
    guard let start = Self.start(of: body) else { return nil }
    var lines = LineAssembler()
    _ = lines.consume(body, from: start) { read($0) }
    // The last line may lack its end; at most one line is copied for that.
    _ = lines.consume([0x0a].rawSpan, from: 0) { read($0) }
  }

  private static func start(of body: borrowing RawSpan) -> Int? {
    var at = 0
    while at < body.byteCount {
      if body.has("v=0", at: at), !body.holds(4, at: at) || body.u8(at &+ 3) <= 0x20 { return at }
      guard let end = body.firstIndex(of: 0x0a, from: at) else { return nil }
      at = end &+ 1
    }
    return nil
  }

  /// Takes a line; whether the next may belong to the description.
  private mutating func read(_ line: borrowing RawSpan) -> Bool {
    let line = line.trimmed()
    if line.byteCount == 0 { return true }
    guard line.byteCount >= 2, line.u8(1) == 0x3d else { return false }
    let value = line.slice(2, line.byteCount)
    switch line.u8(0) {
    case UInt8(ascii: "c"): readConnection(value)
    case UInt8(ascii: "m"): return readMedia(value)
    case UInt8(ascii: "a"): readAttribute(value)
    default: break
    }
    return true
  }

  /// "IN IP4 224.2.36.42/127", "IN IP6 2001:db8::1".
  private mutating func readConnection(_ value: borrowing RawSpan) {
    guard let address = Self.address(value, from: 0) else { return }
    if media.isEmpty { self.address = address } else { media[media.count &- 1].address = address }
  }

  /// "audio 49170 RTP/AVP 0 8", "video 49170/2 RTP/AVP 31".
  private mutating func readMedia(_ value: borrowing RawSpan) -> Bool {
    guard media.count < Self.maximumSections else { return false }
    let kind = value.word(0), port = value.word(1), transport = value.word(2)
    let slash = port.firstIndex(of: 0x2f)
    let number = port.slice(0, slash ?? port.byteCount).decimal ?? 0
    var section = Media(
      kind: visibleText(kind.slice(0, 16)).lowercased(), port: UInt16(exactly: number) ?? 0,
      transport: visibleText(transport.slice(0, 32)))
    if let slash, let count = port.slice(slash &+ 1, port.byteCount).decimal {
      section.ports = min(max(count, 1), Self.maximumPorts)
    }
    media.append(section)
    return true
  }

  private mutating func readAttribute(_ value: borrowing RawSpan) {
    guard !media.isEmpty else { return }
    let last = media.count &- 1
    if value.has("rtcp-mux"), value.byteCount == 8 {
      media[last].isMultiplexed = true
    } else if value.has("rtcp:") {
      let rest = value.slice(5, value.byteCount)
      media[last].rtcp = rest.word(0).decimal.flatMap { UInt16(exactly: $0) }
      media[last].rtcpAddress = Self.address(rest, from: 1)
    } else if value.has("candidate:"), media[last].candidates.count < Self.maximumCandidates {
      let rest = value.slice(10, value.byteCount)
      guard let address = IPAddress(visibleText(rest.word(4).slice(0, 45))),
        let number = rest.word(5).decimal, let port = UInt16(exactly: number), port != 0, port != Self.placeholderPort
      else { return }
      media[last].candidates.append(Endpoint(address, port))
    }
  }

  /// The address in "IN IP4 192.0.2.1/127" whose first word has a given index; a host name is none.
  private static func address(_ value: borrowing RawSpan, from index: Int) -> IPAddress? {
    guard value.word(index).has("in"), value.word(index &+ 1).has("ip") else { return nil }
    let text = value.word(index &+ 2)
    return IPAddress(visibleText(text.slice(0, min(text.firstIndex(of: 0x2f) ?? text.byteCount, 45))))
  }
}

extension SessionDescription {
  /// Where media will come from or go to.
  var announcements: [AnnouncedEndpoint] {
    var found: [AnnouncedEndpoint] = []
    for section in media where section.isDatagrams {
      let kind = RTPMediaKind(rawValue: section.kind)?.rawValue
      for candidate in section.candidates where candidate.address.isUsable {
        found.append(AnnouncedEndpoint(candidate, source: .candidate, media: kind))
      }
      guard section.port != 0, section.port != Self.placeholderPort, let address = section.address ?? address,
        address.isUsable
      else { continue }
      for index in 0..<section.ports {
        let port = section.port &+ UInt16(clamping: 2 &* index)
        found.append(AnnouncedEndpoint(Endpoint(address, port), source: .sdp, media: kind))
        guard !section.isMultiplexed, section.rtcp == nil, section.transport.contains("RTP/"), port < 65535 else {
          continue
        }
        found.append(AnnouncedEndpoint(Endpoint(address, port &+ 1), source: .sdp, media: kind))
      }
      if let port = section.rtcp, !section.isMultiplexed {
        let address = section.rtcpAddress ?? address
        if address.isUsable {
          found.append(AnnouncedEndpoint(Endpoint(address, port), source: .sdp, media: kind))
        }
      }
    }
    return found
  }

  /// Kinds of media that are not refused, in order, each once.
  var kinds: [String] {
    var kinds: [String] = []
    for section in media where section.port != 0 && !section.kind.isEmpty && !kinds.contains(section.kind) {
      kinds.append(section.kind)
    }
    return kinds
  }
}

extension SessionDescription.Media {
  /// Whether it goes over UDP: RTP, T.38 or data channels, and not MSRP or BFCP over TCP.
  fileprivate var isDatagrams: Bool {
    let transport = transport.uppercased()
    return kind != "message" && (transport.contains("RTP") || transport.contains("UDP")) && !transport.contains("TCP")
  }
}

extension IPAddress {
  /// Whether a packet could carry it: not 0.0.0.0 or ::, which put media on hold (RFC 3264, section 8.4).
  var isUsable: Bool { isV4 ? v4 != 0 : high != 0 || low != 0 }
}

extension RawSpan {
  /// The word at `index`, words being parted by spaces and tabs; empty where there is none.
  @_lifetime(copy self)
  func word(_ index: Int) -> RawSpan {
    var at = 0
    var left = index
    while true {
      while at < byteCount, u8(at) == 0x20 || u8(at) == 0x09 { at &+= 1 }
      let start = at
      while at < byteCount, u8(at) != 0x20, u8(at) != 0x09 { at &+= 1 }
      if left == 0 || at >= byteCount && start == at { return slice(start, at &- start) }
      left &-= 1
    }
  }

  /// The value of one to nine decimal digits and nothing else.
  var decimal: Int? {
    guard (1...9).contains(byteCount) else { return nil }
    var value = 0
    for i in 0..<byteCount {
      guard case let digit = u8(i), (0x30...0x39).contains(digit) else { return nil }
      value = value &* 10 &+ Int(digit &- 0x30)
    }
    return value
  }
}
