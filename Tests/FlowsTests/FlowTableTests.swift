import Bytes
import Decode
import TestSupport
import Testing

@testable import Flows

private let second: Int64 = 1_000_000_000

/// Synthetic headers of a packet between two hosts.
private func headers(
  _ source: UInt32, _ sourcePort: UInt16, _ destination: UInt32, _ destinationPort: UInt16,
  _ transport: TransportProtocol = .tcp, flags: TCPFlags = .ack, payload: Int32 = 0, sequence: UInt32 = 0
) -> Headers {
  var headers = Headers()
  headers.source = IPAddress(v4: source)
  headers.destination = IPAddress(v4: destination)
  headers.sourcePort = sourcePort
  headers.destinationPort = destinationPort
  headers.transport = transport
  headers.tcpFlags = flags
  headers.tcpSequence = sequence
  headers.payloadLength = payload
  headers.payloadCaptured = payload
  return headers
}

extension FlowTable {
  /// Sends one packet through the table.
  @discardableResult
  fileprivate mutating func see(_ headers: Headers, at time: Int64) -> FlowTouch {
    var batch = FlowBatch()
    batch.append(headers, timestamp: time, wire: 60 + headers.payloadLength, base: 0, seed: seed)
    makeRoom()
    _ = apply(&batch)
    return batch.items[0]
  }

  fileprivate mutating func takeEnded() -> [(record: UInt32, end: FlowEnd)] {
    defer { ended.removeAll() }
    return ended.map { ($0.record, $0.end) }
  }
}

@Suite struct FlowTableTests {
  @Test func bothDirectionsAreOneFlowAndCountApart() {
    var table = FlowTable(maximumFlows: 100)
    let syn = table.see(headers(1, 1000, 2, 443, flags: .syn), at: second)
    let answer = table.see(headers(2, 443, 1, 1000, flags: [.syn, .ack]), at: second + 1)
    table.see(headers(1, 1000, 2, 443, payload: 517), at: second + 2)
    #expect(syn.isNew && !answer.isNew)
    #expect(syn.record == answer.record)
    #expect(syn.isToServer && !answer.isToServer)
    let flow = table[syn.record]
    #expect(flow.client.packets == 2 && flow.server.packets == 1)
    #expect(flow.client.bytes == 60 + 577 && flow.server.bytes == 60)
    #expect(flow.clientPort == 1000 && flow.serverPort == 443)
    #expect(flow.state == .established)
    #expect(table.count == 1 && table.made == 1)
  }

  @Test func anAnswerSeenFirstTellsTheOpener() {
    var table = FlowTable(maximumFlows: 100)
    let answer = table.see(headers(2, 443, 1, 1000, flags: [.syn, .ack]), at: second)
    #expect(!answer.isToServer)
    #expect(table[answer.record].clientPort == 1000)
    #expect(table[answer.record].isOpenerKnown)
  }

  @Test func aSynAfterItsAnswerPutsTheOpenerRight() {
    var table = FlowTable(maximumFlows: 100)
    let data = table.see(headers(2, 443, 1, 1000, payload: 10), at: second)
    #expect(table[data.record].clientPort == 443)
    table.see(headers(1, 1000, 2, 443, flags: .syn), at: second + 1)
    #expect(table[data.record].clientPort == 1000)
    #expect(table.shape(of: data.record).sizes[0] == -10)
  }

  @Test func vlanAndTunnelSeparateFlows() {
    var table = FlowTable(maximumFlows: 100)
    var tagged = headers(1, 1000, 2, 443)
    tagged.scope.add(vlan: 7)
    var tunnelled = headers(1, 1000, 2, 443)
    tunnelled.scope.add(tunnel: .vxlan, network: 9)
    table.see(headers(1, 1000, 2, 443), at: second)
    table.see(tagged, at: second)
    table.see(tunnelled, at: second)
    #expect(table.count == 3)
  }

  @Test(arguments: [(FlowState.new, Int64(60)), (.established, 3600), (.closed, 10)])
  func silenceEndsATCPFlowExactlyAfterItsTimeout(state: FlowState, timeout: Int64) {
    func run(silence: Int64) -> Bool {
      var table = FlowTable(maximumFlows: 100)
      table.see(headers(1, 1000, 2, 443, flags: .syn), at: 0)
      if state != .new { table.see(headers(2, 443, 1, 1000, flags: [.syn, .ack]), at: 0) }
      if state == .closed { table.see(headers(2, 443, 1, 1000, flags: .rst), at: 0) }
      return table.see(headers(1, 1000, 2, 443), at: silence).isNew
    }
    #expect(!run(silence: timeout * second))
    #expect(run(silence: timeout * second + 1))
  }

  @Test func aNameServiceFlowEndsSooner() {
    var table = FlowTable(maximumFlows: 100)
    table.see(headers(1, 1000, 2, 53, .udp), at: 0)
    table.see(headers(2, 53, 1, 1000, .udp), at: second)
    #expect(!table.see(headers(1, 1000, 2, 53, .udp), at: 21 * second).isNew)
    #expect(table.see(headers(1, 1000, 2, 53, .udp), at: 41 * second + 1).isNew)
  }

  @Test func theWheelEndsWhatTheNextPacketWouldEnd() {
    var table = FlowTable(maximumFlows: 100)
    table.advance(to: 0)
    table.see(headers(1, 1000, 2, 54, .udp), at: second / 2)
    for t in 1...60 { table.advance(to: Int64(t) * second) }
    #expect(table.takeEnded().isEmpty)
    table.advance(to: 61 * second)
    #expect(table.takeEnded().map(\.end) == [.timeout])
    #expect(table.count == 0)
  }

  @Test func aFlowLongerThanOneTurnOfTheWheelLives() {
    var timeouts = FlowTimeouts()
    timeouts.udpNew = 10_000
    var table = FlowTable(maximumFlows: 100, timeouts: timeouts)
    table.advance(to: 0)
    table.see(headers(1, 1000, 2, 54, .udp), at: 0)
    for t in stride(from: Int64(0), through: 9_990, by: 7) { table.advance(to: t * second) }
    #expect(table.count == 1)
    table.advance(to: 10_002 * second)
    #expect(table.count == 0)
  }

  @Test func aSynOnAClosedConnectionBeginsANewFlow() {
    var table = FlowTable(maximumFlows: 100)
    let first = table.see(headers(1, 1000, 2, 443, flags: .syn), at: 0)
    table.see(headers(2, 443, 1, 1000, flags: [.rst, .ack]), at: 1)
    let late = table.see(headers(1, 1000, 2, 443), at: 2)
    let again = table.see(headers(1, 1000, 2, 443, flags: .syn), at: 3)
    #expect(!late.isNew && again.isNew)
    let ended = table.takeEnded()
    #expect(ended.map(\.record) == [first.record] && ended.map(\.end) == [.closed])
    #expect(table[first.record].hasReset)
  }

  @Test func theCapEvictsTheLongestIdleAndCounts() {
    var table = FlowTable(maximumFlows: 80)
    table.advance(to: 0)
    for i in 0..<200 { table.see(headers(UInt32(i), 1000, 0xffff, 54, .udp), at: Int64(i) * 1_000_000) }
    #expect(table.count <= 80)
    let ended = table.takeEnded()
    #expect(table.evicted == UInt64(ended.count) && ended.count == 200 - table.count)
    #expect(ended.allSatisfy { $0.end == .evicted })
    let last = table.see(headers(199, 1000, 0xffff, 54, .udp), at: second)
    #expect(!last.isNew)
  }

  @Test func theCapHoldsAtTheLastMomentThatThereIs() {
    var table = FlowTable(maximumFlows: 64)
    // More than the table could hold beyond its cap.
    for i in 0..<2000 { table.see(headers(UInt32(i), 1000, 0xffff, 54, .udp), at: .max) }
    #expect(table.count <= 64)
    #expect(table.evicted == UInt64(2000 - table.count))
  }

  @Test func endAllGivesEveryFlowInOrder() {
    var table = FlowTable(maximumFlows: 1000)
    for i in 0..<300 { table.see(headers(UInt32(i), 1000, 0xffff, 54, .udp), at: Int64(i) * second / 10) }
    let ended = table.endAll()
    #expect(ended.map { table[$0].id } == Array(1...300))
    #expect(table.count == 0)
  }

  @Test func aClockThatJumpsBackKeepsFlows() {
    var table = FlowTable(maximumFlows: 100)
    let first = table.see(headers(1, 1000, 2, 443, payload: 5), at: 1_000_000 * second)
    let second = table.see(headers(1, 1000, 2, 443, payload: 5), at: 5)
    #expect(first.record == second.record)
    #expect(table.shape(of: first.record).gaps[1] == 0)
  }

  @Test(arguments: [Int64.min, -1, 0, Int64.max])
  func hostileTimesDoNotTrap(time: Int64) {
    var table = FlowTable(maximumFlows: 100)
    table.see(headers(1, 1000, 2, 443, payload: 5), at: time)
    table.advance(to: time)
    table.see(headers(1, 1000, 2, 443, flags: [.rst], payload: 5), at: ~time)
    table.advance(to: ~time)
    table.see(headers(3, 1000, 2, 443, payload: 5), at: 0)
    #expect(table.endAll().count + table.takeEnded().count == Int(table.made))
  }

  /// The table against a dictionary, over random packets.
  @Test func agreesWithADictionary() {
    var random = SeededRandom(1)
    var table = FlowTable(maximumFlows: 5000)
    var counts: [String: UInt64] = [:]
    var records: [String: UInt32] = [:]
    for step in 0..<20_000 {
      let (x, y) = (UInt32.random(in: 0..<40, using: &random), UInt32.random(in: 0..<40, using: &random))
      let port = UInt16.random(in: 1...2, using: &random)
      let touch = table.see(headers(x, port, y, 80, .udp), at: Int64(step))
      let name = (x, port) < (y, 80) ? "\(x):\(port) \(y):80" : "\(y):80 \(x):\(port)"
      counts[name, default: 0] += 1
      records[name] = touch.record
    }
    #expect(table.count == counts.count)
    for (name, record) in records { #expect(table[record].packets == counts[name]) }
  }
}

@Suite struct FlowIndexTests {
  @Test func insertAndRemoveAgreeWithASet() {
    var random = SeededRandom(2)
    var index = FlowIndex(bits: 4)
    var present: [UInt32: UInt32] = [:]
    for step in 0..<30_000 {
      if Bool.random(using: &random) || present.isEmpty {
        // Few distinct home slots, so that runs and wrap-around happen all the time.
        let tag = UInt32.random(in: 0..<64, using: &random) &* 0x0400_0001
        index.insert(tag: tag, record: UInt32(step))
        present[UInt32(step)] = tag
      } else if let (record, tag) = present.randomElement(using: &random) {
        index.remove(tag: tag, record: record)
        present[record] = nil
      }
      #expect(index.count == present.count)
    }
    for (record, tag) in present {
      var i = Int(tag) & index.mask
      while index.slots[i].record != 0, index.slots[i].record != record + 1 { i = (i + 1) & index.mask }
      #expect(index.slots[i].record == record + 1)
    }
  }
}
