import Bytes
import Testing

@testable import Protocols

/// Synthetic messages after Q.931, H.225.0 and H.245.
@Suite struct H323Tests {
  private func framed(_ packet: [UInt8]) -> [UInt8] { [3, 0] + Sample.u16(packet.count + 4) + packet }
  private func element(_ type: UInt8, _ value: [UInt8]) -> [UInt8] { [type, UInt8(value.count)] + value }
  private func userUser(_ value: [UInt8]) -> [UInt8] { [0x7e] + Sample.u16(value.count + 1) + [5] + value }
  private let identifier: [UInt8] = [0x06, 0, 0x08, 0x91, 0x4a, 0, 4]

  private var setup: [UInt8] {
    framed(
      [8, 2, 0x12, 0x34, 5] + element(4, [0x88, 0x93, 0xa5]) + element(0x6c, [0x01, 0x81] + Array("4711".utf8))
        + element(0x70, [0x81] + Array("0815".utf8)) + userUser([0x20, 0xa8] + identifier + [1, 0x40, 0]))
  }
  private var connect: [UInt8] {
    framed([8, 2, 0x92, 0x34, 7] + userUser([0x22, 0xc0] + identifier + [0, 192, 0, 2, 7, 0x04, 0xd2, 0x22, 0xc0]))
  }

  @Test(arguments: [1, 3, 4, 1000])
  func readsACall(chunk: Int) {
    #expect(SignallingKind.of(stream: setup) == .mine(.h323))
    #expect(SignallingKind.of(stream: Array(setup.prefix(4))) == .needMore)
    var conversation = SignallingConversation(.h323)
    conversation.feed(stream: setup, chunk: chunk)
    conversation.feed(stream: connect + framed([8, 2, 0x92, 0x34, 0x5a]), from: .server, chunk: chunk)
    let facts = conversation.facts
    #expect(facts.methods == ["SETUP", "CONNECT", "RELEASE COMPLETE"])
    #expect(facts.caller == "4711" && facts.callee == "0815" && facts.callerSide == .client && facts.callID == "4660")
    #expect(shown(conversation.takeAnnouncements()) == ["192.0.2.7:1234"])
    #expect(conversation.bufferedBytes == 0)
  }

  @Test func readsMediaOfH245() {
    let capabilities = framed([2, 0x70, 1, 6, 0, 8, 0x81, 0x75, 0, 5, 0x80])
    let open = framed([3, 0, 0, 0x64, 0x0c, 0x20, 0x1d, 0x80, 0x0b, 0x0d, 0, 1, 0, 192, 0, 2, 7, 0x13, 0x89, 0x80])
    let answer = framed(
      [0x22, 0xc0, 0, 0x3c, 2, 0x80, 0x13, 0x5c, 0, 0, 192, 0, 2, 8, 0x13, 0x88, 0, 192, 0, 2, 8, 0x13, 0x89, 1, 1])
    #expect(SignallingKind.of(stream: capabilities) == .mine(.h323))
    var conversation = SignallingConversation(.h323)
    conversation.feed(stream: capabilities + open, chunk: 7)
    conversation.feed(stream: answer, from: .server, chunk: 7)
    #expect(conversation.facts.methods == ["terminalCapabilitySet", "openLogicalChannel", "openLogicalChannelAck"])
    #expect(
      shown(conversation.takeAnnouncements()) == ["192.0.2.7:5001", "192.0.2.8:5000", "192.0.2.8:5001"])
  }

  @Test func readsRAS() {
    let registration: [UInt8] = [0x0e, 0xc0, 0, 1] + identifier + [0, 0x80]
    #expect(SignallingKind.of(registration) == .h323)
    let admission: [UInt8] = [0x26, 0x48, 0, 2, 0x18, 0xc0, 0, 0]
    #expect(SignallingKind.of(admission, port: 1719) == .h323 && SignallingKind.of(admission) == nil)
    #expect(SignallingKind.of([UInt8](repeating: 0, count: 20), port: 1719) == nil)
    var conversation = SignallingConversation(.h323)
    #expect(conversation.feed([registration, admission]) == [.mine, .mine])
    #expect(conversation.facts.methods == ["RRQ", "ARQ"] && conversation.application.rawValue == "h323")
  }

  @Test func otherUsersOfTPKTAreNone() {
    // RDP's connection request (X.224), and ISO 8073 of S7.
    #expect(SignallingKind.of(stream: [3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, 3, 0, 0, 0]) == .notMine)
    #expect(SignallingKind.of(stream: [3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 0xa]) == .notMine)
  }
}
