import Bytes
import TestSupport
import Testing

@testable import Protocols

/// Protocols whose datagrams may begin with the two bits of RTP: none of them behaves like it. Synthetic.
@Suite struct RTPLookalikeTests {
  private func claims(_ datagrams: [[UInt8]]) -> Bool {
    var conversation = RTPConversation()
    for (i, datagram) in datagrams.enumerated() {
      _ = conversation.consume(datagram.rawSpan, from: i % 2 == 0 ? .client : .server)
    }
    return conversation.isSure
  }

  @Test func randomDatagramsAreNone() {
    var random = SeededRandom(1)
    for _ in 0..<2000 {
      let flow = (0..<60).map { _ in
        var bytes = (0..<Int.random(in: 12...80, using: &random)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        bytes[0] = 0x80 | bytes[0] & 0x3f
        return bytes
      }
      #expect(!claims(flow))
    }
  }

  @Test func countersInOtherPlacesAreNone() {
    var random = SeededRandom(2)
    let tail = (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let flows: [(String, (Int) -> [UInt8])] = [
      // RakNet: a set of frames, a 24-bit little-endian number.
      ("raknet", { [0x84, UInt8($0 & 255), UInt8($0 >> 8), 0] + tail }),
      // Source engine: two little-endian numbers of 32 bits.
      ("source", { [UInt8(0x80 + $0), 0, 0, 0, UInt8($0), 0, 0, 0] + tail }),
      // ESP: SPI and number.
      ("esp", { [0x9a, 0x10, 0x20, 0x30, 0, 0, 0, UInt8($0)] + tail }),
      // KCP: conversation, command, window, time, number.
      ("kcp", { [0x81, 2, 3, 4, 81, 0, 128, 0, UInt8($0 * 20 & 255), 1, 0, 0, UInt8($0), 0, 0, 0] + tail }),
      // NTP's mode 7 and control answers.
      ("ntp", { [0x97, UInt8($0), 0x03, 0x2a, 0, 6, 0, 72] + tail }),
      // DNS, one question after another: identifier, flags, counts.
      ("dns", { [0x80, UInt8($0 & 63), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0] + tail }),
      // BACnet/IP: type, function, the datagram's length.
      ("bacnet", { [0x81, 0x0a] + Sample.u16(4 + 8 + $0) + [1, 4, 0, 5, 1, 12, 12, 0] + tail.prefix($0) }),
      // QUIC with the fixed bit off (RFC 9287): version and connection IDs.
      ("quic", { [0x80 | UInt8($0 & 3), 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8] + tail }),
      // IAX2's full frames: calls, time, numbers, type.
      ("iax2", { [0x80, 4, 0x80, 9, 0, 0, 0, UInt8($0 * 20 & 255), UInt8($0), UInt8($0), 6, 11] }),
      // A counter with a session, but no clock.
      ("clockless", { [0x80, 1] + Sample.u16($0) + [7, 7, 7, 7] + [1, 2, 3, 4] + tail }),
      // A counter and random time.
      ("timeless", { [0x80, 1] + Sample.u16($0) + RTPSample.u32(UInt32($0) &* 0x9e37_79b9) + [1, 2, 3, 4] + tail }),
    ]
    for (name, make) in flows {
      #expect(!claims((1...40).map(make)), "\(name) passes for RTP")
    }
  }

  @Test func hopelessAttemptsEnd() {
    var conversation = RTPConversation()
    var random = SeededRandom(5)
    var readings = 0
    while !conversation.isDisproved, readings < 1000 {
      let bytes = (0..<40).map { _ in UInt8(truncatingIfNeeded: random.next()) }
      _ = conversation.consume(bytes.rawSpan, from: .client)
      readings += 1
    }
    #expect(conversation.isDisproved && readings <= 200)
    #expect(conversation.feed([RTPSample.packet(1, timestamp: 1)]) == [.notMine])
  }
}
