public import Bytes
public import Protocols

/// What a verdict may rest on.
public struct FlowObservation: Sendable {
  /// The innermost addresses; `client` opened the flow.
  public var client: IPAddress, server: IPAddress
  /// The innermost ports.
  public var clientPort: UInt16, serverPort: UInt16
  /// TCP, as opposed to UDP.
  public var isTCP: Bool
  /// Names that this client's DNS look-ups gave to the server's address, newest first.
  public var names: [String]
  /// Names that other clients' look-ups gave to it, newest first; looked at only where `names` says nothing.
  public var weakNames: [String]
  /// What the payload said.
  public var facts: FlowFacts
  /// Payload bytes of the first datagram or segment of each side; nil where that is not known.
  public var clientFirstLength: Int?, serverFirstLength: Int?
  /// The program that the capture names: PKTAP's process, PCAPdroid's app.
  public var process: String?
  /// Why the flow belongs to a conversation, where it does.
  public var announcement: Announcement?
  /// What sizes and times of the packets say; weighed only where nothing else is decisive.
  public var shapeEvidence: [ShapeEvidence]
  /// An observation of a flow.
  public init(
    client: IPAddress, clientPort: UInt16, server: IPAddress, serverPort: UInt16, isTCP: Bool, names: [String],
    weakNames: [String] = [], facts: consuming FlowFacts, firstLengths: (client: Int?, server: Int?) = (nil, nil),
    process: String? = nil, announcement: Announcement? = nil, shapeEvidence: [ShapeEvidence] = []
  ) {
    self.client = client
    self.clientPort = clientPort
    self.server = server
    self.serverPort = serverPort
    self.isTCP = isTCP
    self.names = names
    self.weakNames = weakNames
    self.facts = facts
    (clientFirstLength, serverFirstLength) = firstLengths
    self.process = process
    self.announcement = announcement
    self.shapeEvidence = shapeEvidence
  }
}
