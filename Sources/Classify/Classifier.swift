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
  /// What the payload said.
  public var facts: FlowFacts
  /// An observation of a flow.
  public init(
    client: IPAddress, clientPort: UInt16, server: IPAddress, serverPort: UInt16, isTCP: Bool, names: [String],
    facts: FlowFacts
  ) {
    self.client = client
    self.clientPort = clientPort
    self.server = server
    self.serverPort = serverPort
    self.isTCP = isTCP
    self.names = names
    self.facts = facts
  }
}

/// Weighs a flow's observations against the service catalogue.
public struct Classifier: Sendable {
  /// A classifier over a catalogue.
  public init(catalogue: Catalogue) {}

  /// The verdict on a flow, from what is known of it now.
  public func verdict(on flow: FlowObservation) -> Verdict { Verdict(tag: .other, confidence: 0.5) }
}

/// The services that are known, and how each shows itself.
public struct Catalogue: Sendable {
  /// The catalogue that the program ships with.
  public static func shipped() throws -> Catalogue { Catalogue() }
}
