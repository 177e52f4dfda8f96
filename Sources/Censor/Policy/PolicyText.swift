import Classify
import Decode

extension Leaf {
  /// The matcher in words: "SNI suffix push.apple.com"; of long lists the first three.
  public var words: String {
    switch self {
    case .sni(let names): "SNI \(names.words)"
    case .quicSNI(let names): "QUIC SNI \(names.words)"
    case .dnsName(let names): "DNS name \(names.words)"
    case .httpHost(let names): "HTTP host \(names.words)"
    case .hello(let carrier): carrier.words
    case .alpn(let names): "ALPN \(PolicyWords.some(names))"
    case .address(let prefixes): "address in \(PolicyWords.some(prefixes.map(\.description)))"
    case .owner(let name, _): "address of \(name)"
    case .port(let ranges, let isBothEnds):
      "port \(PolicyWords.some(PolicyWords.ports(ranges)))" + (isBothEnds ? " at both ends" : "")
    case .transport(let transport): transport == .tcp ? "TCP" : "UDP"
    case .application(let names): "protocol \(PolicyWords.some(names))"
    case .ja3(let values): "JA3 \(PolicyWords.some(values))"
    case .ja4(let values): "JA4 \(PolicyWords.some(values))"
    case .encryptedServerName: "an encrypted server name (ESNI, 0xffce)"
    case .encryptedClientHello: "an encrypted ClientHello (ECH, 0xfe0d)"
    case .quicVersion(let versions): "QUIC version \(PolicyWords.some(versions.map(PolicyWords.version)))"
    case .firstPayloadLength(let lengths): "a first payload of \(PolicyWords.bytes(lengths, most: 65_535))"
    case .fullyEncrypted: "a first payload that looks like nothing known"
    case .unrecognised(let packets, let allowed):
      packets == 1
        ? "a first payload that begins like none of \(PolicyWords.some(allowed.map(\.words)))"
        : "one of the first \(packets) payloads begins like none of \(PolicyWords.some(allowed.map(\.words)))"
    case .record(let test): test.words
    case .packet(let test):
      "\(test.direction.adjective)packet of \(PolicyWords.bytes(test.lengths, most: PolicyFile.packetLengths.upperBound))"
    case .model(let test):
      "\(test.direction.adjective)record that a learnt rule takes for \(test.target), at "
        + "\(PolicyFile.figure(test.falsePositiveRate * 100)) % false alarms among \(test.background)"
    case .tag(let tags): "Wiretag's tag \(PolicyWords.some(tags.map(\.rawValue)))"
    case .service(let names): "Wiretag's verdict \(PolicyWords.some(names))"
    case .message(let kinds, let direction): "\(direction.adjective)message of \(PolicyWords.some(kinds))"
    }
  }
}

extension Formula {
  /// What it looks for in words: "SNI suffix push.apple.com or address in 17.0.0.0/8".
  public var words: String {
    switch self {
    case .leaf(let leaf): leaf.words
    case .all(let parts): parts.map { $0.wordsInside(any: true) }.joined(separator: " and ")
    case .any(let parts): parts.map { $0.wordsInside(any: false) }.joined(separator: " or ")
    case .not(let part): "not \(part.isLeaf ? part.words : "(\(part.words))")"
    }
  }

  private var isLeaf: Bool {
    if case .leaf = self { return true }
    return false
  }

  private func wordsInside(any isInAll: Bool) -> String {
    switch self {
    case .any where isInAll, .all where !isInAll: "(\(words))"
    default: words
    }
  }
}

extension Policy {
  /// What it matches and does, in one clause for a table: "drops flows with SNI suffix snapchat.com, after 5 to 8 further
  /// packets, and for 420 s what has the same five-tuple".
  public var summary: String {
    let object = "\(action.object) with \(match.words)"
    let main =
      switch action.kind {
      case .drop: "drops \(action.part)\(object)"
      case .reset(let isInjected):
        "resets \(object), by \(isInjected ? "packets of its own" : "rewriting packets")\(action.of)"
      case .throttle(let rate): "holds \(action.part)\(object) to \(PolicyFile.figure(rate)) bytes a second"
      case .freeze(let packets, let bytes):
        "stops \(action.part)\(object) once they have carried "
          + [packets.map { "\($0) packets" }, bytes.map { "\($0) bytes" }].compactMap(\.self).joined(separator: " or ")
      case .hold(let seconds): "keeps \(action.part)\(object) for \(PolicyFile.figure(seconds)) s each"
      case .poison: "gives false answers to flows with \(match.words)"
      }
    return ([main] + limits + [whatFollows].compactMap(\.self)).joined(separator: ", ")
  }

  /// `summary` as a sentence, and further ones on where the policy applies, how often, and in which stages.
  public var sentences: [String] {
    var sentences = [summary.prefix(1).uppercased() + summary.dropFirst() + "."]
    if let place = scope.words { sentences.append("It applies \(place).") }
    if probability < 1 {
      sentences.append("It acts on \(PolicyFile.figure(probability * 100)) % of what it meets.")
    }
    if let secondStage {
      let until = secondStage.seconds.map { " for \(PolicyFile.figure($0)) s" } ?? ""
      sentences.append(
        "It only recognises at first: \(PolicyFile.figure(secondStage.delay)) s later, all with \(secondStage.key.words) "
          + "is hit\(until).")
    }
    return sentences
  }

  private var limits: [String] {
    var limits: [String] = []
    if let passes = action.passes {
      limits.append("after \(PolicyWords.range(passes)) further packet\(passes.upperBound == 1 ? "" : "s")")
    } else if !action.hitsTrigger, action.unit == .flow, action.kind == .drop {
      limits.append("from the next packet on")
    }
    if action.delay > 0 { limits.append("\(PolicyFile.figure(action.delay)) s later") }
    if action.unit == .packet, action.copiesPass { limits.append("but no copy of them") }
    return limits
  }

  private var whatFollows: String? {
    residual.map { residual in
      let again =
        switch residual.restart {
        case .never: ""
        case .match: ", counted anew at each match"
        case .packet: ", counted anew at each packet"
        }
      return "and for \(PolicyFile.figure(residual.seconds)) s all with \(residual.key.words)\(again)"
    }
  }
}

extension Scope {
  /// Where, in words; nil for everywhere.
  var words: String? {
    var parts: [String] = []
    if !prefixes.isEmpty { parts.append("to \(PolicyWords.some(prefixes.map(\.description)))") }
    if !ports.isEmpty { parts.append("to port \(PolicyWords.some(PolicyWords.ports(ports)))") }
    if !exceptPrefixes.isEmpty { parts.append("not to \(PolicyWords.some(exceptPrefixes.map(\.description)))") }
    if let exceptNames { parts.append("not to names below \(PolicyWords.some(exceptNames.values))") }
    if needsSourcePortAboveDestination { parts.append("where the client's port is above the server's") }
    return parts.isEmpty ? nil : parts.joined(separator: ", ")
  }
}

extension PolicyAction {
  fileprivate var object: String { unit == .packet ? "packets" : "flows" }

  fileprivate var part: String {
    switch (unit, direction) {
    case (.packet, _), (_, .both): ""
    case (.flow, .up): "what the client sends in "
    case (.flow, .down): "what the server sends in "
    }
  }

  fileprivate var of: String {
    switch direction {
    case .both: ""
    case .up: " of the client"
    case .down: " of the server"
    }
  }
}

extension PolicyAction.Direction {
  fileprivate var adjective: String {
    switch self {
    case .both: "a "
    case .up: "a sent "
    case .down: "a received "
    }
  }
}

extension RecordTest {
  fileprivate var words: String {
    let lengths = PolicyWords.bytes(lengths, most: PolicyFile.recordLengths.upperBound)
    return "\(direction.adjective)TLS record of \(lengths)" + (isLeading ? " that begins a segment" : "")
      + (grace > 0 ? ", not in the first \(PolicyFile.figure(grace)) s" : "")
  }
}

extension NameMatch {
  /// "suffix push.apple.com".
  fileprivate var words: String {
    switch kind {
    case .exact: PolicyWords.some(values)
    case .suffix: "suffix \(PolicyWords.some(values))"
    case .substring: "with \(PolicyWords.some(values)) in it"
    case .regex: "like \(PolicyWords.some(values))"
    }
  }
}

extension Leaf.Carrier {
  fileprivate var words: String {
    switch self {
    case .tcp: "a ClientHello over TCP"
    case .quic: "a ClientHello in QUIC"
    case .dtls: "a ClientHello in DTLS"
    }
  }
}

extension Leaf.KnownBeginning {
  fileprivate var words: String { rawValue.uppercased() }
}

extension Residual.Key {
  /// "the same five-tuple".
  public var words: String {
    switch self {
    case .fiveTuple: "the same five-tuple"
    case .threeTuple: "the same client, server and port"
    case .twoHosts: "the same client and server"
    case .serverPort: "the same server and port"
    case .server: "the same server"
    }
  }
}

/// Parts of sentences.
enum PolicyWords {
  /// The most values of a list that are written out.
  static let maximumValues = 3

  /// "a, b, c and 4 more".
  static func some(_ values: [String]) -> String {
    let rest = values.count - maximumValues
    return values.prefix(maximumValues).joined(separator: ", ") + (rest > 0 ? " and \(rest) more" : "")
  }

  /// Ports, those of both transports as one.
  static func ports(_ ranges: [PortRange]) -> [String] {
    var words: [String] = []
    for range in ranges {
      let isBoth = ranges.contains { $0.isTCP != range.isTCP && $0.ports == range.ports }
      let ports = String(range.description.drop { $0 != "/" }.dropFirst())
      let word = isBoth ? ports : range.description
      if !words.contains(word) { words.append(word) }
    }
    return words
  }

  /// "5 to 8", or "5".
  static func range(_ range: ClosedRange<Int>) -> String {
    range.lowerBound == range.upperBound ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound)"
  }

  /// "444 to 800 bytes", or "444 bytes or more" where the end is that of all.
  static func bytes(_ lengths: ClosedRange<Int>, most: Int) -> String {
    lengths.upperBound >= most ? "\(lengths.lowerBound) bytes or more" : "\(range(lengths)) bytes"
  }

  /// "1", "2", or a number as 0xff00001d.
  static func version(_ version: UInt32) -> String {
    switch version {
    case 1: "1"
    case 0x6b33_43cf: "2"
    default: "0x" + String(version, radix: 16)
    }
  }
}
