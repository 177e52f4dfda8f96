import CCatalogue
import Decode
import Yams

/// What a service's client does when it is cut: how soon it notices, comes back, and by which other way.
///
/// Most of it is assumed, or a model's: `about` and `source` say so, and every result that rests on it does.
public struct Recovery: Sendable, Codable, Equatable {
  /// A message is late beyond so many seconds.
  public static let late = 1.0

  /// Another way that a client is known to take.
  public struct Fallback: Sendable, Codable, Equatable {
    /// The server's port that it takes instead.
    public var port: UInt16?
    /// "tcp" where the first way was UDP.
    public var transport: String?
    /// Where it is known from.
    public var source: String
  }

  /// The service, as the catalogue names it; nil where `application` says whom it is about.
  public var service: String?
  /// All flows of an application protocol ("quic") whose service has no entry of its own.
  public var application: String?
  /// A sentence for a reader.
  public var about: String
  /// Where the figures are from.
  public var source: String
  /// Seconds for which sent data may stay unacknowledged before the client gives the connection up.
  public var patience: Double?
  /// The same of the server.
  public var serverPatience: Double?
  /// Seconds before the attempts to connect again; the last repeats.
  public var pauses: [Double]?
  /// Seconds for TCP, and for what follows, in which a connection must come about.
  public var connectLimit: Double?, handshakeLimit: Double?
  /// Seconds that a connection takes where nothing is in its way.
  public var handshake: Double?
  /// Seconds after which a message that gets no answer is no longer sent again.
  public var giveUp: Double?
  /// Whether a client waits for the answer to one message before it sends the next.
  public var sendsOneAtATime: Bool?
  /// Whether of an app's notifications only the newest is kept for a phone that is away.
  public var keepsNewestOnly: Bool?
  /// Other ways.
  public var fallbacks: [Fallback]?

  enum CodingKeys: String, CodingKey {
    case service, application, about, source, patience, pauses, handshake, fallbacks
    case serverPatience = "server-patience"
    case connectLimit = "connect-limit"
    case handshakeLimit = "handshake-limit"
    case giveUp = "give-up"
    case sendsOneAtATime = "sends-one-at-a-time"
    case keepsNewestOnly = "keeps-newest-only"
  }
}

/// What is known and assumed of all services.
public struct RecoveryBook: Sendable {
  private struct File: Codable {
    var services: [Recovery]
  }

  /// The services, in the order of the file.
  public let services: [Recovery]

  /// The book that ships.
  /// - Throws: what is wrong with it; a test reads it.
  public static func shipped() throws -> RecoveryBook {
    var count = 0
    // Safe: the bytes are a constant of the program, of that length.
    let text = unsafe String(
      decoding: UnsafeBufferPointer(start: wiretag_recovery_yaml(&count), count: count), as: UTF8.self)
    return RecoveryBook(services: try YAMLDecoder().decode(File.self, from: text).services)
  }

  /// A book of these services.
  public init(services: [Recovery]) { self.services = services }

  /// What is known of a flow's service, else of its protocol; nil for nothing.
  public func recovery(of flow: FlowSight) -> Recovery? {
    if let service = flow.service, let found = services.first(where: { $0.service == service }) { return found }
    return flow.application.flatMap { application in services.first { $0.application == application } }
  }
}

extension FlowSight {
  /// The flow as its client would try it by another way; nil where it is that way already.
  func by(_ fallback: Recovery.Fallback) -> FlowSight? {
    var other = self
    if let port = fallback.port {
      guard port != serverPort else { return nil }
      other.serverPort = port
    }
    if fallback.transport == "tcp" {
      guard transport == .udp else { return nil }
      other.transport = .tcp
      other.quicVersion = nil
      other.payloads = []
      other.hello?.carrier = .tcp
      // JA4 says what carried the hello.
      other.hello?.ja4 = nil
      other.application = other.hello == nil ? nil : "tls"
    }
    return other
  }
}
