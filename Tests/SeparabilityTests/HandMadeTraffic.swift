import Statistics
import Truth

/// Synthetic courier traffic, made by hand: every size and time is stated where it is made.
struct HandMadeTraffic {
  var traffic = LabelledTraffic()
  private var time: Int64 = 1_000_000_000_000_000_000

  /// Begins a capture with one connection in today's framing.
  mutating func beginCapture(framing: String = "pack") {
    traffic.captures.append("capture \(traffic.captures.count)")
    var flow = LabelledFlow()
    flow.capture = traffic.captures.count - 1
    flow.serverPort = 5223
    flow.framing = framing
    time += 1_000_000_000
    flow.start = time
    flow.end = time
    traffic.flows.append(flow)
  }

  /// Adds a record on the latest connection, so many seconds after the one before.
  mutating func add(
    _ kind: String, of messageClass: String, up isUp: Bool, size: Int, after seconds: Double = 10, message: UInt32 = 0,
    text: Int = -1
  ) {
    time += Int64(seconds * 1e9)
    var record = LabelledRecord()
    record.time = time
    record.flow = Int32(traffic.flows.count - 1)
    record.size = Int32(size)
    record.plaintext = Int32(size - 22)
    record.isUp = isUp
    record.messageClass = traffic.number(of: messageClass)
    record.kind = traffic.number(of: kind)
    record.message = message
    record.textLength = Int32(text)
    record.devices = 1
    traffic.records.append(record)
    traffic.flows[traffic.flows.count - 1].end = time
  }

  /// Messages that the phone sends (400 to 799 bytes up, answered by 32 down) and pushes (100 to 299 down, answered by
  /// 34 up), by turns, in some captures.
  static func separable(captures: Int = 4, each: Int = 20, seed: UInt64 = 7) -> LabelledTraffic {
    var made = HandMadeTraffic()
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<captures {
      made.beginCapture()
      for turn in 0..<UInt32(each) {
        let pauses = (0..<3).map { _ in 2 + 20 * generator.unit() }
        made.add(
          "imessage.text", of: "imessage", up: true, size: 400 + generator.index(below: 400), after: pauses[0],
          message: 2 * turn + 1)
        made.add("courier.ack", of: "imessage", up: false, size: 32, after: 0.1, message: 2 * turn + 1)
        made.add("imessage.text", of: "imessage", up: false, size: 400 + generator.index(below: 400), after: pauses[1])
        made.add(
          "notification.short", of: "notification", up: false, size: 100 + generator.index(below: 200),
          after: pauses[2], message: 2 * turn + 2)
        made.add("courier.ack", of: "notification", up: true, size: 34, after: 0.1, message: 2 * turn + 2)
      }
    }
    return made.traffic
  }

  /// Records up of both classes with sizes and gaps out of the same hat.
  static func identical(captures: Int = 4, each: Int = 150, seed: UInt64 = 3) -> LabelledTraffic {
    var made = HandMadeTraffic()
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<captures {
      made.beginCapture()
      for _ in 0..<each {
        let isTarget = generator.index(below: 2) == 0
        made.add(
          isTarget ? "imessage.text" : "courier.ack", of: isTarget ? "imessage" : "notification", up: true,
          size: 100 + generator.index(below: 300), after: 1 + 20 * generator.unit())
      }
    }
    return made.traffic
  }
}
