// NSS key log format (RFC 9850, section 2; once draft-ietf-tls-keylogfile): a label, the client's random and the
// secret, in hexadecimal, separated by single spaces; lines that begin with # are comments.
//
// TLSDecryption may hold: secrets of TLS connections and the opening of their records. What it gives is truth for
// studies; no verdict sees it.

/// The secrets of one connection.
struct ConnectionSecrets: Sendable, Equatable {
  /// TLS 1.2 and older: the master secret.
  var master: [UInt8]?
  /// TLS 1.3.
  var clientEarly: [UInt8]?
  var clientHandshake: [UInt8]?
  var serverHandshake: [UInt8]?
  var clientTraffic: [UInt8]?
  var serverTraffic: [UInt8]?
}

/// What came of reading a key log.
public struct KeyLogReport: Sendable, Equatable {
  /// Secrets that were taken.
  public var secrets = 0
  /// Lines of `RSA`: an encrypted premaster secret, which opens nothing without the whole handshake.
  public var rsaLines = 0
  /// Lines of other kinds (exporter secrets, QUIC's, labels of later versions), which open no record.
  public var otherLines = 0
  /// How many lines do not fit the format.
  public var brokenLineCount = 0
  /// Numbers, from 1, of the first lines that do not fit the format; at most `TLSSecrets.maximumBrokenLines`.
  public var brokenLines: [Int] = []
  /// Secrets that were left out for `TLSSecrets.maximumConnections`.
  public var notKept = 0
}

/// Secrets of TLS connections, by the random of the client's hello.
public struct TLSSecrets: Sendable {
  /// The most connections whose secrets are kept; each takes some 600 bytes at most.
  public static let maximumConnections = 1 << 18
  /// The most broken lines that a report names.
  public static let maximumBrokenLines = 100

  private var connections: [ClientRandom: ConnectionSecrets] = [:]
  /// Grows with every secret.
  private(set) var revision = 0

  /// No secrets.
  public init() {}

  /// Connections of which a secret is known.
  public var count: Int { connections.count }

  subscript(random: ClientRandom) -> ConnectionSecrets? { connections[random] }

  /// Adds the secrets of a key log, or of one more of them. A secret that is given twice counts the second time.
  public mutating func add(keyLog bytes: [UInt8]) -> KeyLogReport {
    var report = KeyLogReport()
    var number = 0
    var start = bytes.startIndex
    while start < bytes.endIndex {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.endIndex
      number += 1
      take(bytes[start..<end], number, &report)
      start = end < bytes.endIndex ? end + 1 : end
    }
    return report
  }

  private mutating func take(_ line: ArraySlice<UInt8>, _ number: Int, _ report: inout KeyLogReport) {
    var text = line
    while let last = text.last, Self.isBlank(last) { text = text.dropLast() }
    guard let first = text.first, first != UInt8(ascii: "#") else { return }
    switch outcome(of: text) {
    case .taken: report.secrets += 1
    case .rsa: report.rsaLines += 1
    case .other: report.otherLines += 1
    case .full: report.notKept += 1
    case .broken:
      report.brokenLineCount += 1
      if report.brokenLines.count < Self.maximumBrokenLines { report.brokenLines.append(number) }
    }
  }

  private enum Outcome { case taken, rsa, other, full, broken }

  private enum Label: Equatable {
    case master, clientEarly, clientHandshake, serverHandshake, clientTraffic, serverTraffic, rsa, other

    init?(_ text: ArraySlice<UInt8>) {
      switch String(decoding: text.prefix(64), as: UTF8.self) {
      case "CLIENT_RANDOM": self = .master
      case "CLIENT_EARLY_TRAFFIC_SECRET": self = .clientEarly
      case "CLIENT_HANDSHAKE_TRAFFIC_SECRET": self = .clientHandshake
      case "SERVER_HANDSHAKE_TRAFFIC_SECRET": self = .serverHandshake
      case "CLIENT_TRAFFIC_SECRET_0": self = .clientTraffic
      case "SERVER_TRAFFIC_SECRET_0": self = .serverTraffic
      case "RSA": self = .rsa
      default:
        guard text.allSatisfy({ (0x41...0x5a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }) else {
          return nil
        }
        self = .other
      }
    }
  }

  private mutating func outcome(of line: ArraySlice<UInt8>) -> Outcome {
    let words = line.split(maxSplits: 3, whereSeparator: Self.isBlank)
    guard words.count == 3, let label = Label(words[0]) else { return .broken }
    if label == .rsa { return .rsa }
    if label == .other { return .other }
    guard let random = Self.bytes(ofHex: words[1]).flatMap({ ClientRandom($0) }),
      let secret = Self.bytes(ofHex: words[2])
    else { return .broken }
    // A master secret has 48 bytes (RFC 5246, section 8.1), the others as many as their hash.
    guard secret.count == 48 || secret.count == 32 && label != .master else { return .broken }
    guard connections[random] != nil || connections.count < Self.maximumConnections else { return .full }
    switch label {
    case .master: connections[random, default: ConnectionSecrets()].master = secret
    case .clientEarly: connections[random, default: ConnectionSecrets()].clientEarly = secret
    case .clientHandshake: connections[random, default: ConnectionSecrets()].clientHandshake = secret
    case .serverHandshake: connections[random, default: ConnectionSecrets()].serverHandshake = secret
    case .clientTraffic: connections[random, default: ConnectionSecrets()].clientTraffic = secret
    case .serverTraffic: connections[random, default: ConnectionSecrets()].serverTraffic = secret
    case .rsa, .other: break
    }
    revision += 1
    return .taken
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0d || byte == 0 }

  private static func bytes(ofHex text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 2), text.count <= 128 else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count / 2)
    var high: UInt8?
    for character in text {
      let digit: UInt8
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = character - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = character - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = character - UInt8(ascii: "A") + 10
      default: return nil
      }
      if let first = high {
        bytes.append(first << 4 | digit)
        high = nil
      } else {
        high = digit
      }
    }
    return bytes
  }
}

/// The random of a client's hello.
public struct ClientRandom: Sendable, Hashable {
  private let words: (UInt64, UInt64, UInt64, UInt64)

  /// A random of 32 bytes; nil for another number.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    func word(_ place: Int) -> UInt64 { bytes[place..<place + 8].reduce(0) { $0 << 8 | UInt64($1) } }
    words = (word(0), word(8), word(16), word(24))
  }

  /// Its 32 bytes.
  public var bytes: [UInt8] {
    [words.0, words.1, words.2, words.3].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64($0))) }
    }
  }

  /// Whether both are the same 32 bytes.
  public static func == (one: ClientRandom, other: ClientRandom) -> Bool { one.words == other.words }

  /// Feeds the 32 bytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(words.0)
    hasher.combine(words.1)
    hasher.combine(words.2)
    hasher.combine(words.3)
  }
}
