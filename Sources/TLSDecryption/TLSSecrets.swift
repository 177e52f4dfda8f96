// NSS key log format (draft-ietf-tls-keylogfile): a label, the client's random and the secret, in hexadecimal,
// separated by single spaces; lines that begin with # are comments.
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
  /// Lines of other kinds (RSA, exporter secrets, labels of later versions), which open no record.
  public var otherLines = 0
  /// Numbers, from 1, of lines that do not fit the format; at most `TLSSecrets.maximumBrokenLines`.
  public var brokenLines: [Int] = []
  /// Secrets that were left out for `TLSSecrets.maximumConnections`.
  public var notKept = 0
}

/// Secrets of TLS connections, by the random of the client's hello.
public struct TLSSecrets: Sendable {
  /// The most connections whose secrets are kept.
  public static let maximumConnections = 1_000_000
  /// The most broken lines that a report names.
  public static let maximumBrokenLines = 100

  private var connections: [ClientRandom: ConnectionSecrets] = [:]

  /// No secrets.
  public init() {}

  /// Connections of which a secret is known.
  public var count: Int { connections.count }

  subscript(random: ClientRandom) -> ConnectionSecrets? { connections[random] }

  /// Adds the secrets of a key log. A secret that is given twice counts the second time.
  public mutating func add(keyLog bytes: [UInt8]) -> KeyLogReport {
    var report = KeyLogReport()
    for (index, line) in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
      let text = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard let first = text.first, first != UInt8(ascii: "#") else { continue }
      switch take(text) {
      case .taken: report.secrets += 1
      case .other: report.otherLines += 1
      case .full: report.notKept += 1
      case .broken:
        if report.brokenLines.count < Self.maximumBrokenLines { report.brokenLines.append(index + 1) }
      }
    }
    return report
  }

  private enum Outcome { case taken, other, full, broken }

  private mutating func take(_ line: ArraySlice<UInt8>) -> Outcome {
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: true)
    guard words.count == 3 else { return .broken }
    let label = String(decoding: words[0], as: UTF8.self)
    guard let field = Self.field(of: label) else {
      return label.allSatisfy({ $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") }) ? .other : .broken
    }
    guard let random = Self.bytes(ofHex: words[1]).flatMap({ ClientRandom($0) }),
      let secret = Self.bytes(ofHex: words[2]), Self.isPlausible(secret.count, of: field)
    else { return .broken }
    guard connections[random] != nil || connections.count < Self.maximumConnections else { return .full }
    connections[random, default: ConnectionSecrets()][keyPath: field] = secret
    return .taken
  }

  private static func field(of label: String) -> WritableKeyPath<ConnectionSecrets, [UInt8]?>? {
    switch label {
    case "CLIENT_RANDOM": \.master
    case "CLIENT_EARLY_TRAFFIC_SECRET": \.clientEarly
    case "CLIENT_HANDSHAKE_TRAFFIC_SECRET": \.clientHandshake
    case "SERVER_HANDSHAKE_TRAFFIC_SECRET": \.serverHandshake
    case "CLIENT_TRAFFIC_SECRET_0": \.clientTraffic
    case "SERVER_TRAFFIC_SECRET_0": \.serverTraffic
    default: nil
    }
  }

  /// A master secret has 48 bytes (RFC 5246, section 8.1), the others those of a hash.
  private static func isPlausible(
    _ count: Int, of field: WritableKeyPath<ConnectionSecrets, [UInt8]?>
  ) -> Bool {
    field == \ConnectionSecrets.master ? count == 48 : count == 32 || count == 48
  }

  private static func bytes(ofHex text: ArraySlice<UInt8>) -> [UInt8]? {
    guard text.count.isMultiple(of: 2), text.count <= 256 else { return nil }
    var bytes: [UInt8] = []
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
  /// Its 32 bytes.
  public let bytes: [UInt8]

  /// A random of 32 bytes; nil for another number.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }
}
