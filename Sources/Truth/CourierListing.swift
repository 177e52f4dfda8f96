public import Bytes
import Courier
import Protocols
import Report
import TLSDecryption

/// A courier connection whose secrets were there, with its messages.
public struct CourierListing: Sendable {
  /// The capture that it is in.
  public var capture: String
  /// The phone and the courier.
  public var client: IPAddress, server: IPAddress
  /// Their ports.
  public var clientPort: UInt16, serverPort: UInt16
  /// The framing: "tlv" or "pack".
  public var framing: String
  /// TLS version and cipher suite by their numbers.
  public var tlsVersion: UInt16?, cipherSuite: UInt16?
  /// The messages in their order.
  public var messages: [TimedCourierMessage]
  /// Sizes of the application-data records with their headers, by number from 1: to the server and to the client.
  public var recordsToServer: [Int: Int], recordsToClient: [Int: Int]
  /// What could not be read, in sentences.
  public var damage: [String]

  init(_ event: FlowEvent, _ follower: FlowFollower, capture: String) {
    self.capture = capture
    (client, server, clientPort, serverPort) = (
      event.source, event.destination, event.sourcePort, event.destinationPort
    )
    if follower.isTurned {
      swap(&client, &server)
      swap(&clientPort, &serverPort)
    }
    framing = follower.courier.framing?.rawValue ?? ""
    tlsVersion = follower.tls.version?.rawValue
    cipherSuite = follower.tls.cipherSuite
    messages = follower.messages
    recordsToServer = [:]
    recordsToClient = [:]
    for piece in follower.pieces where piece.ordinal > 0 {
      if piece.isUp {
        recordsToServer[Int(piece.ordinal)] = Int(piece.size)
      } else {
        recordsToClient[Int(piece.ordinal)] = Int(piece.size)
      }
    }
    damage = follower.courier.damage.sentences
  }
}

extension CourierDamage {
  /// What was met, a sentence each.
  var sentences: [String] {
    [
      (malformedCommands, "commands are not well formed"),
      (commandsTooLong, "commands are longer than any courier sends"),
      (lostPlaces, "places where the next command could not be found"), (gaps, "gaps in the stream"),
      (lostReferences, "references to values that were not seen"), (payloadsNotRead, "payloads could not be read"),
      (forgottenMessages, "messages were forgotten before their acknowledgement"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
  }
}
