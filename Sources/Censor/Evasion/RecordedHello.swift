public import Bytes
public import QUICKeys

/// A client's first flight of a recorded flow: the hello, and the packets' payloads that it came in.
public struct RecordedHello: Sendable, Equatable {
  /// What a hello is carried by.
  public enum Carrier: String, Sendable, CaseIterable, Codable {
    /// TLS records over TCP.
    case tcp
    /// CRYPTO frames of QUIC Initials.
    case quic
  }

  /// What it came in.
  public var carrier: Carrier
  /// The server name; nil where none was sent.
  public var serverName: String?
  /// The ClientHello with the four bytes of its handshake header (RFC 8446, section 4).
  public var handshake: [UInt8]
  /// The server.
  public var server: IPAddress
  /// Ports of both ends.
  public var clientPort: UInt16, serverPort: UInt16
  /// JA4 of the hello: the stack that made it.
  public var stack: String
  /// Name of the capture, and the flow's number in it.
  public var capture: String, flow: UInt64
  /// The version of its first TLS record, 0x0301 or 0x0303; that of the packets is in `origin`.
  public var recordVersion: UInt16 = 0x0301
  /// Payloads as they were sent, in the stream's order: TCP segments up to the hello's end, or UDP datagrams.
  public var pieces: [[UInt8]] = []
  /// What a QUIC connection began with.
  public var origin: InitialOrigin?

  /// A hello of a flow.
  public init(
    carrier: Carrier, serverName: String?, handshake: [UInt8], server: IPAddress, clientPort: UInt16,
    serverPort: UInt16, stack: String, capture: String, flow: UInt64
  ) {
    self.carrier = carrier
    self.serverName = serverName
    self.handshake = handshake
    self.server = server
    self.clientPort = clientPort
    self.serverPort = serverPort
    self.stack = stack
    self.capture = capture
    self.flow = flow
  }

  /// What makes two hellos the same for this check: carrier, name and stack.
  var key: String { "\(carrier.rawValue) \(serverName ?? "-") \(stack)" }
}

/// What the first packet of a QUIC connection says before it is opened.
public struct InitialOrigin: Sendable, Equatable {
  /// The version on the wire.
  public var version: UInt32
  /// How that version's Initials are protected.
  public var protection: QUICInitialProtection
  /// Connection IDs, each up to 20 bytes; the keys follow from the first.
  public var destinationID: [UInt8], sourceID: [UInt8]

  /// A beginning.
  public init(version: UInt32, protection: QUICInitialProtection, destinationID: [UInt8], sourceID: [UInt8]) {
    self.version = version
    self.protection = protection
    self.destinationID = destinationID
    self.sourceID = sourceID
  }
}
