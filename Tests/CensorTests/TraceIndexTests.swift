import Bytes
import Testing

@testable import Censor

@Suite("Which messages end in which packets")
struct TraceIndexTests {
  static func push(_ client: String, service: String? = "APNs", port: UInt16 = 50_000) -> FlowSight {
    var flow = Sketch.tls("1-courier.push.apple.com", client: client, port: port, serverPort: 5223)
    flow.service = service
    return flow
  }

  @Test("Connections of one address with messages are one phone's, in the order of their first packets")
  func phones() {
    var sketch = TraceSketch()
    let first = sketch.add(Self.push("198.51.100.1"), at: [0, 1, 2, 3])
    let other = sketch.add(Self.push("198.51.100.2"), at: [0.5, 1.5, 2.5])
    let second = sketch.add(Self.push("198.51.100.1", port: 50_001), at: [10, 11, 12])
    let silent = sketch.add(Self.push("198.51.100.3"), at: [0, 1, 2])
    let elsewhere = sketch.add(Self.push("198.51.100.4", service: "WhatsApp"), at: [0, 1, 2])
    sketch.message("imessage.text", in: first, at: 2, up: true)
    sketch.message("imessage.text", in: second, at: 12, up: true)
    sketch.message("notification.chat", in: other, at: 1.5, up: false)
    sketch.message("whatsapp.text", in: elsewhere, at: 2, up: true)
    let trace = sketch.trace()
    let index = TraceIndex(trace)
    #expect(index.phones.map(\.flows) == [[first, second], [other]])
    #expect(index.phones.first.map { $0.packets.map { Int(trace.packets[$0].flow) } } == [0, 0, 0, 0, 2, 2, 2])
    #expect(!index.phones.contains { $0.flows.contains(silent) })
  }

  @Test("A message is found in the packet of its flow, way and moment, and with payload, among others of that moment")
  func moments() {
    var sketch = TraceSketch()
    let other = sketch.add(Self.push("198.51.100.2"), [Sketch.packet(1, up: true), Sketch.packet(1, up: false)])
    let flow = sketch.add(
      Self.push("198.51.100.1"),
      [
        Sketch.packet(1, up: true), Sketch.packet(1, up: false, 0), Sketch.packet(1, up: false),
        Sketch.packet(2, up: false),
      ])
    sketch.message("notification.chat", in: flow, at: 1, up: false)
    sketch.message("imessage.text", in: flow, at: 1.5, up: true)
    sketch.message("imessage.text", in: other, at: 1, up: true)
    let trace = sketch.trace()
    let index = TraceIndex(trace)
    let found = trace.packets.indices.filter { !index.messages($0).isEmpty }
    #expect(found.map { [Int(trace.packets[$0].flow), Int(trace.packets[$0].ordinal)] } == [[other, 1], [flow, 3]])
    #expect(
      found.flatMap { index.kinds($0) }.sorted() == ["imessage", "imessage.text", "notification", "notification.chat"])
    #expect(index.end == Sketch.time(2))
  }

  @Test("A connection is complete with the first message that is not its own; the shortest of a phone counts")
  func handshake() {
    var sketch = TraceSketch()
    let long = sketch.add(Self.push("198.51.100.1"), at: [0, 0.1, 0.2, 0.3, 0.4], payload: 1000)
    let short = sketch.add(Self.push("198.51.100.1", port: 50_001), at: [10, 10.1, 10.2, 10.3], payload: 500)
    for flow in [long, short] {
      let start = flow == long ? 0.0 : 10
      sketch.message("courier.connect", in: flow, at: start + 0.2, up: true, isContent: false)
      sketch.message("notification.chat", in: flow, at: start + 0.3, up: false)
    }
    let handshake = TraceIndex(sketch.trace()).phones.first?.handshake
    // Three packets of 554 bytes precede the notification of the second.
    #expect(handshake == SessionRule.Carried(packets: 3, bytes: 3 * 554))
  }

  @Test("A trace of nothing, and messages of flows that are not there, have no phones")
  func nothing() {
    #expect(TraceIndex(Trace()).phones.isEmpty)
    var trace = Trace()
    var message = TraceMessage()
    message.flow = 7
    trace.messages = [message]
    #expect(TraceIndex(trace).phones.isEmpty)
  }
}
