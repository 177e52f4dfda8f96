public import Bytes

/// Reads a flow's payload until it has said what it is.
///
/// The engine makes one for a flow whose verdict is open, feeds it stream bytes in order or datagrams, and frees it
/// when it wants no more.
public struct ApplicationParser: Sendable {
  /// What was learned so far.
  public private(set) var facts = FlowFacts()
  /// Whether further payload could change the facts.
  public private(set) var wantsMore = true
  /// Whether `facts` has changed since this was last set to false.
  public var hasNews = false

  /// A parser for one flow.
  /// - Parameters:
  ///   - isStream: TCP, as opposed to UDP.
  ///   - clientPort: the port of the side that opened the flow.
  ///   - serverPort: the port of the side that did not open the flow; a hint, never a proof.
  public init(isStream: Bool, clientPort: UInt16, serverPort: UInt16) {}

  /// Takes the next bytes of a TCP stream: in order, without gaps, each byte once.
  public mutating func consume(_ bytes: borrowing RawSpan, from side: FlowSide) {}

  /// Says that bytes of the stream are lost for good, so that what follows does not continue what came before.
  public mutating func skipGap(from side: FlowSide) {}

  /// Takes a UDP datagram's payload.
  public mutating func consume(datagram: borrowing RawSpan, from side: FlowSide) {}

  /// DNS answers read since the last call: names for later addresses.
  public mutating func takeAnswers() -> [DNSAnswer] { [] }
}
