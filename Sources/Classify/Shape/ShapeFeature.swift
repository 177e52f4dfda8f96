// Shape may hold: what a flow looks like without anything it says, and the scorecard that judges it. Nothing in here
// knows an address, a port, a name or content; of TLS only the lengths of records count.

/// One question about a flow's shape. Its answer is a number, or unknown where the flow is too short to tell.
public enum ShapeFeature: String, Sendable, CaseIterable {
  /// Packets with payload.
  case packets
  /// Seconds from the first packet to the last.
  case duration
  /// Packets with payload a second.
  case rate
  /// Share of the packets that go to the server; 0 to 1, as all shares.
  case toServer = "to-server"
  /// Share of the first packets that go the other way than the one before.
  case turns
  /// Payload bytes of a side's first or second packet.
  case firstToServer = "first-to-server"
  case secondToServer = "second-to-server"
  case firstToClient = "first-to-client"
  case secondToClient = "second-to-client"
  /// Payload bytes of the largest of the first packets.
  case largest
  /// Share of a side's packets with under 64 bytes of payload, 128 to 255, 256 to 1,023, 1,024 and more.
  case smallToServer = "small-to-server"
  case mediumToServer = "medium-to-server"
  case largeToClient = "large-to-client"
  case fullToClient = "full-to-client"
  /// How much the sizes of the first packets to the client vary: standard deviation over mean, the very first left out.
  case variationToClient = "variation-to-client"
  /// Share of the packets that follow within 1 ms.
  case bursts
  /// Share of the packets that follow after 10 to 100 ms, as speech does.
  case paced
  /// Milliseconds between the packets of a side that keeps time; 0 where neither does.
  case period
  /// TLS records among the first ones of the flow; 16 stands for 16 and more.
  case records

  /// Where a bin ends and the next begins, for training. Roughly even steps of the quantity's own scale; none was moved
  /// to suit a capture.
  public var bounds: [Double] {
    switch self {
    case .packets: [1, 2, 3, 6, 16, 64, 256]
    case .duration: [0.01, 0.1, 1, 10, 100]
    case .rate: [0.1, 1, 5, 20, 60, 200]
    case .toServer: [0.2, 0.4, 0.47, 0.53, 0.6, 0.8]
    case .turns: [0.15, 0.35, 0.6, 0.85]
    case .firstToServer, .secondToServer, .firstToClient, .secondToClient: [16, 32, 48, 64, 100, 180, 300, 600, 1200]
    case .largest: [32, 64, 100, 200, 400, 800, 1250, 1460]
    case .variationToClient: [0.02, 0.1, 0.3, 0.7]
    case .period: [1, 8, 15, 25, 45, 120, 1000]
    case .records: [1, 3, 8, 16]
    case .smallToServer, .mediumToServer, .largeToClient, .fullToClient, .bursts, .paced: [0.02, 0.2, 0.5, 0.8]
    }
  }

  /// The questions that are asked of a TCP flow: how it answers and fills its connection.
  public static let ofTCP: [ShapeFeature] = [
    .records, .duration, .rate, .turns, .bursts, .secondToServer, .firstToClient, .smallToServer, .mediumToServer,
    .largeToClient, .fullToClient, .variationToClient,
  ]
  /// The questions that are asked of a UDP flow: how it begins, and whether it keeps time.
  public static let ofUDP: [ShapeFeature] = [
    .packets, .toServer, .firstToServer, .secondToClient, .largest, .smallToServer, .mediumToServer, .largeToClient,
    .paced, .period,
  ]

  /// Its place in `allCases`. Spelled out, because a flow asks for it at every answer.
  var position: Int {
    switch self {
    case .packets: 0
    case .duration: 1
    case .rate: 2
    case .toServer: 3
    case .turns: 4
    case .firstToServer: 5
    case .secondToServer: 6
    case .firstToClient: 7
    case .secondToClient: 8
    case .largest: 9
    case .smallToServer: 10
    case .mediumToServer: 11
    case .largeToClient: 12
    case .fullToClient: 13
    case .variationToClient: 14
    case .bursts: 15
    case .paced: 16
    case .period: 17
    case .records: 18
    }
  }
}

extension ShapeFeature {
  /// What a value means, in a sentence: "64 % of the packets to the client have under 64 bytes".
  public func says(_ value: Double?) -> String {
    guard let value, value.isFinite else { return absence }
    let share = "\(Int((value * 100).rounded())) %"
    switch self {
    case .packets: return value == 1 ? "1 packet with payload" : "\(Int(value)) packets with payload"
    case .duration: return "the flow lasts \(quantity(value)) s"
    case .rate: return "\(quantity(value)) packets a second"
    case .toServer: return "\(share) of the packets go to the server"
    case .turns: return "\(share) of the first packets answer the one before"
    case .largest: return "the largest of the first packets has \(quantity(value)) bytes"
    case .firstToServer: return "the first packet to the server has \(quantity(value)) bytes"
    case .secondToServer: return "the second packet to the server has \(quantity(value)) bytes"
    case .firstToClient: return "the first packet to the client has \(quantity(value)) bytes"
    case .secondToClient: return "the second packet to the client has \(quantity(value)) bytes"
    case .smallToServer: return "\(share) of the packets to the server have under 64 bytes"
    case .mediumToServer: return "\(share) of the packets to the server have 128 to 255 bytes"
    case .largeToClient: return "\(share) of the packets to the client have 256 to 1,023 bytes"
    case .fullToClient: return "\(share) of the packets to the client have 1,024 bytes or more"
    case .variationToClient: return "the sizes to the client vary by \(share)"
    case .bursts: return "\(share) of the packets follow within 1 ms"
    case .paced: return "\(share) of the packets follow after 10 to 100 ms"
    case .period:
      return value == 0 ? "neither side sends in step" : "one side sends a packet every \(quantity(value)) ms"
    case .records:
      return value >= 16
        ? "at least 16 TLS records" : value == 0 ? "no TLS record" : "\(Int(value)) TLS record\(value == 1 ? "" : "s")"
    }
  }

  private var absence: String {
    switch self {
    case .packets, .duration, .rate, .toServer, .turns: "too few packets for \(Self.nouns[self] ?? rawValue)"
    case .largest: "no packet with payload"
    case .firstToServer: "no packet with payload to the server"
    case .secondToServer: "no second packet to the server"
    case .firstToClient: "no packet with payload to the client"
    case .secondToClient: "no second packet to the client"
    case .smallToServer, .mediumToServer: "nothing goes to the server"
    case .largeToClient, .fullToClient: "nothing goes to the client"
    case .variationToClient: "too few packets to the client to compare their sizes"
    case .bursts, .paced: "too few packets to compare their gaps"
    case .period: "too few packets to find a period"
    case .records: "no payload for TLS records"
    }
  }

  private static let nouns: [ShapeFeature: String] = [
    .packets: "a count", .duration: "a duration", .rate: "a rate", .toServer: "a share of directions",
    .turns: "turns of direction",
  ]

  /// A number with two digits that count.
  private func quantity(_ value: Double) -> String {
    guard value < 10 else { return value < 1e15 ? "\(Int64(value.rounded()))" : "\(value)" }
    guard value >= 0.1 else { return value < 0.001 ? "under 0.001" : trimmed((value * 1000).rounded() / 1000) }
    return trimmed((value * 10).rounded() / 10)
  }

  private func trimmed(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value))" : "\(value)"
  }
}
