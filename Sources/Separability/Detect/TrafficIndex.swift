import Bytes
import Truth

/// The records of each connection in the order of time, and what a box on the path knows of other flows, in index arrays.
struct TrafficIndex {
  /// Another flow counts as begun by a message if it begins within so many nanoseconds.
  static let secondFlowReach: Int64 = 10_000_000_000

  let traffic: LabelledTraffic
  let roles: [RecordRole]
  /// Record numbers, connection after connection, rising in time.
  let order: [Int32]
  /// Where each flow begins in `order`; one more than there are flows.
  let starts: [Int]
  /// Of each flow: its capture, and when its first packet was seen.
  let captures: [Int32], flowStarts: [Int64]
  /// Flows that hold target or background.
  let judgedFlows: [Int]
  /// Of each flow the line that it came by, and of each line the rising starts of its flows.
  private let lines: [Int32], lineStarts: [[Int64]]

  init(_ traffic: LabelledTraffic, roles: [RecordRole]) {
    self.traffic = traffic
    self.roles = roles
    let flowCount = traffic.flows.count
    var counts = [Int](repeating: 0, count: flowCount + 1)
    let usable = { (record: LabelledRecord) in record.flow >= 0 && Int(record.flow) < flowCount }
    for record in traffic.records where usable(record) { counts[Int(record.flow) + 1] += 1 }
    for flow in 0..<flowCount { counts[flow + 1] += counts[flow] }
    starts = counts
    var next = counts
    var order = [Int32](repeating: 0, count: counts[flowCount])
    var isJudged = [Bool](repeating: false, count: flowCount)
    for (number, record) in traffic.records.enumerated() where usable(record) {
      order[next[Int(record.flow)]] = Int32(clamping: number)
      next[Int(record.flow)] += 1
      if !roles[number].isDisjoint(with: [.target, .background]) { isJudged[Int(record.flow)] = true }
    }
    for flow in 0..<flowCount {
      let range = counts[flow]..<counts[flow + 1]
      let isSorted = range.dropFirst().allSatisfy {
        traffic.records[Int(order[$0 - 1])].time <= traffic.records[Int(order[$0])].time
      }
      if isSorted { continue }
      order[range].sort { (traffic.records[Int($0)].time, $0) < (traffic.records[Int($1)].time, $1) }
    }
    self.order = order
    judgedFlows = (0..<flowCount).filter { isJudged[$0] }
    captures = traffic.flows.map { Int32(clamping: $0.capture) }
    flowStarts = (0..<flowCount).map { flow in
      let stated = traffic.flows[flow].start
      guard counts[flow] < counts[flow + 1] else { return stated }
      let first = traffic.records[Int(order[counts[flow]])].time
      return stated > 0 ? min(stated, first) : first
    }
    (lines, lineStarts) = Self.lines(traffic, starts: flowStarts)
  }

  /// An access network knows which addresses are one subscriber's. Where a capture has at most one client address of
  /// each version, both are one line; else each address is one.
  private static func lines(_ traffic: LabelledTraffic, starts: [Int64]) -> ([Int32], [[Int64]]) {
    struct Line: Hashable {
      var capture: Int
      var client: IPAddress?
    }
    var clients: [Int: (v4: Set<IPAddress>, v6: Set<IPAddress>)] = [:]
    for flow in traffic.flows {
      if flow.client.isV4 {
        clients[flow.capture, default: ([], [])].v4.insert(flow.client)
      } else {
        clients[flow.capture, default: ([], [])].v6.insert(flow.client)
      }
    }
    var numbers: [Line: Int32] = [:]
    var lineStarts: [[Int64]] = []
    var lines: [Int32] = []
    for (number, flow) in traffic.flows.enumerated() {
      let isOneLine = clients[flow.capture].map { $0.v4.count < 2 && $0.v6.count < 2 } ?? false
      let line = Line(capture: flow.capture, client: isOneLine ? nil : flow.client)
      let place = numbers[line, default: Int32(clamping: lineStarts.count)]
      if Int(place) == lineStarts.count {
        numbers[line] = place
        lineStarts.append([])
      }
      lines.append(place)
      // Each flow has its lookup of a name; that is no flow of its own.
      if flow.serverPort != 53 { lineStarts[Int(place)].append(starts[number]) }
    }
    return (lines, lineStarts.map { $0.sorted() })
  }

  /// The places in `order` of a flow's records.
  func places(of flow: Int) -> Range<Int> { starts[flow]..<starts[flow + 1] }

  /// Whether another flow of the same line begins from `time` to `secondFlowReach` later.
  func beginsAnother(than flow: Int, from time: Int64) -> Bool {
    let starts = lineStarts[Int(lines[flow])]
    var low = 0
    var high = starts.count
    while low < high {
      let middle = (low + high) / 2
      if starts[middle] < time { low = middle + 1 } else { high = middle }
    }
    while low < starts.count, starts[low] - time <= Self.secondFlowReach {
      if starts[low] != flowStarts[flow] { return true }
      low += 1
    }
    return false
  }

  /// Days of phones that were watched: of each capture the span of its judged connections, times its lines.
  var phoneDays: Double {
    var spans: [Int32: (first: Int64, last: Int64, lines: Set<Int32>)] = [:]
    for flow in judgedFlows {
      let places = places(of: flow)
      guard let first = places.first, let last = places.last else { continue }
      var span = spans[captures[flow]] ?? (Int64.max, Int64.min, [])
      span.first = min(span.first, traffic.records[Int(order[first])].time)
      span.last = max(span.last, traffic.records[Int(order[last])].time)
      span.lines.insert(lines[flow])
      spans[captures[flow]] = span
    }
    return spans.values.map { Double($0.last - $0.first) / 86_400e9 * Double($0.lines.count) }.sorted().reduce(0, +)
  }
}
