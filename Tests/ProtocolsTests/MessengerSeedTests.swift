import Bytes
import TestSupport
import Testing

@testable import Protocols

/// What FuzzMessengers starts from and what it found, read again as there.
@Suite struct MessengerSeedTests {
  private static let ports: [UInt16] = [443, 5222, 8801, 4244, 8000, 64_738, 9000, 40_000]

  private func pieces(_ input: [UInt8]) -> [(FlowSide, [UInt8])] {
    var found: [(FlowSide, [UInt8])] = []
    var at = 0
    while at + 2 <= input.count {
      let head = Int(input[at]) << 8 | Int(input[at + 1])
      let piece = Array(input[at + 2..<min(at + 2 + head & 0x07ff, input.count)])
      found.append((head & 0x8000 == 0 ? .client : .server, piece))
      at += 2 + piece.count
    }
    return found
  }

  @Test func seedsStayWithinTheirBounds() throws {
    let seeds = try FuzzSeeds.all(of: "Messengers")
    var known = 0
    for (name, input) in seeds where input.count > 2 {
      let port = Self.ports[Int(input[1]) % Self.ports.count]
      let rest = Array(input.dropFirst(2))
      switch input[0] % 4 {
      case 0:
        var conversation = MessengerConversation(serverPort: port, clientPort: 50_000)
        var wasSure = false
        for (side, datagram) in pieces(rest) {
          _ = conversation.take(datagram, from: side)
          #expect((conversation.mediaOffset ?? 0) <= datagram.count, "\(name)")
          #expect(!wasSure || conversation.signature?.strength == .sure, "\(name)")
          wasSure = conversation.signature?.strength == .sure
        }
        known += conversation.signature == nil ? 0 : 1
      case 1:
        for side in [FlowSide.client, .server] {
          let seen = MessengerSignature.of(stream: rest, from: side, port: port)
          #expect(seen != .needMore || rest.count < MessengerSignature.maximumLength, "\(name)")
          if case .mine = seen { known += 1 }
        }
      case 2:
        var stream = MessengerStream(serverPort: port)
        known += pieces(rest).count { stream.take($0.1, from: $0.0) != nil } > 0 ? 1 : 0
      default:
        let records = stride(from: 0, to: rest.count - 1, by: 2).map {
          Int16(bitPattern: UInt16(rest[$0]) << 8 | UInt16(rest[$0 + 1]))
        }
        let score = APNsShape(records: records.span)?.score ?? 0
        #expect((0...1).contains(score), "\(name)")
      }
    }
    #expect(known > 40, "seeds that say nothing prove nothing")
  }
}
