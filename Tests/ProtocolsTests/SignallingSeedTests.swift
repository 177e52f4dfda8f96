import Bytes
import TestSupport
import Testing

@testable import Protocols

/// What the fuzzers of media and signalling start from, read again as in FuzzRTP.swift and FuzzSignalling.swift.
@Suite struct SignallingSeedTests {
  @Test func seedsOfRTPProveIt() throws {
    let seeds = try FuzzSeeds.all(of: "RTP")
    #expect(seeds.count >= 12)
    var proved: Set<String> = []
    for (name, input) in seeds where input.first.map({ $0 % 2 == 0 }) == true {
      var conversation = RTPConversation(isAnnounced: input[0] % 4 == 2)
      var at = 1
      while at + 2 <= input.count {
        let head = Int(input[at]) << 8 | Int(input[at + 1])
        let datagram = Array(input[at + 2..<min(at + 2 + head & 0x3ff, input.count)])
        at += 2 + datagram.count
        let wasSure = conversation.isSure
        let reading = conversation.feed([datagram], from: head & 0x8000 == 0 ? .client : .server)[0]
        #expect(reading != .mine || conversation.isSure, "\(name): claimed without proof")
        #expect(!wasSure || conversation.isSure, "\(name): a proof is taken back")
      }
      if conversation.isSure { proved.insert(name) }
    }
    #expect(proved.isSuperset(of: ["opus", "pcmu-both", "compound", "srtcp", "feedback", "probes", "announced"]))
  }

  @Test func seedsOfSignallingDoNotDependOnTheirCuts() throws {
    let kinds: [SignallingKind] = [.sip, .rtsp, .mgcp, .megaco, .h323, .skinny, .iax2, .bfcp, .ike, .esp]
    let seeds = try FuzzSeeds.all(of: "Signalling")
    #expect(seeds.count >= 30)
    var announced = 0
    for (name, input) in seeds {
      guard let head = input.first.map(Int.init) else { continue }
      let rest = Array(input.dropFirst())
      switch head {
      case 0..<10:
        var conversation = SignallingConversation(kinds[head])
        #expect(conversation.feed([rest])[0] != .broken, "\(name)")
        announced += conversation.takeAnnouncements().count
      case 10..<30:
        var whole = SignallingConversation(kinds[head % 10])
        var pieces = whole
        whole.feed(stream: rest, chunk: max(rest.count, 1))
        pieces.feed(stream: rest, chunk: 3)
        #expect(whole.facts == pieces.facts, "\(name): a cut changed what was read")
        let announcements = whole.takeAnnouncements()
        #expect(announcements == pieces.takeAnnouncements(), "\(name): a cut changed what was read")
        announced += announcements.count
      default:
        guard rest.count > 4 else { continue }
        let port = UInt16(rest[2]) << 8 | UInt16(rest[3])
        let bytes = Array(rest.dropFirst(4))
        if head == 30 {
          #expect(SignallingKind.of(bytes, port: port) != nil, "\(name)")
        } else {
          #expect(SignallingKind.of(stream: bytes, port: port) != .notMine, "\(name)")
        }
      }
    }
    #expect(announced > 30, "seeds that say nothing prove nothing")
  }
}
