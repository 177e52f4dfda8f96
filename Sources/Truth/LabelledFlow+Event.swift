import Bytes
import Classify
import Courier
import Decode
import Protocols
import Report
import TLSDecryption

extension LabelledFlow {
  init(_ event: FlowEvent, _ follower: FlowFollower, capture: Int) {
    self.init()
    self.capture = capture
    number = event.id
    (client, server) = (event.source, event.destination)
    (clientPort, serverPort) = (event.sourcePort, event.destinationPort)
    if follower.isTurned {
      swap(&client, &server)
      swap(&clientPort, &serverPort)
    }
    transport = event.transport
    (start, end) = (event.start, event.end)
    dnsNames = event.names
    if let tls = event.facts.tls {
      serverName = tls.serverName
      alpn = tls.alpn
      (ja3, ja4) = (tls.ja3, tls.ja4)
      certificateNames = tls.certificateNames
    }
    (tag, service) = (event.verdict.tag, event.verdict.service)
    unit = follower.unit
    framing = follower.courier.framing?.rawValue
    tlsVersion = follower.tls.version?.rawValue
    cipherSuite = follower.tls.cipherSuite
    isCourier = follower.courier.framing != nil
    isDecrypted = unit == .record && !follower.pieces.isEmpty && follower.pieces.allSatisfy { $0.ordinal > 0 }
  }
}

extension LabelledRecord {
  init(_ piece: FlowFollower.Piece, flow: Int32) {
    self.init()
    time = piece.time
    self.flow = flow
    size = piece.size
    plaintext = piece.plaintext
    isUp = piece.isUp
  }
}

extension FlowFollower.Piece {
  /// A key for a record's number and direction.
  static func place(_ ordinal: Int, isUp: Bool) -> Int64 { Int64(clamping: ordinal) << 1 | (isUp ? 1 : 0) }

  var place: Int64 { Self.place(Int(ordinal), isUp: isUp) }
}

extension TruthFile.Ends {
  /// The ends of a flow, the service's last, as truth files write them.
  init(_ flow: LabelledFlow) {
    self.init(
      proto: flow.transport == .tcp ? "TCP" : "UDP", client: flow.client.description, clientPort: Int(flow.clientPort),
      server: flow.server.description, serverPort: Int(flow.serverPort))
  }
}
