import Truth

/// Messages that wait for a tick and go together.
struct Batching {
  /// Nanoseconds between ticks, counted from each connection's beginning.
  let interval: Int64

  /// The judged connections with one record for each direction and tick; it counts as the target's if any message in it
  /// is, and as content if any of that class's is. A batch above 2^14 bytes counts as one record all the same.
  func applied(to index: TrafficIndex) -> DefendedTraffic {
    let old = index.traffic
    var isJudged = [Bool](repeating: false, count: old.flows.count)
    for flow in index.judgedFlows { isJudged[flow] = true }
    var records: [LabelledRecord] = []
    var roles: [RecordRole] = []
    var holds: [Int32] = []
    var delays: [Double] = []
    for number in old.records.indices {
      let flow = Int(old.records[number].flow)
      if isJudged.indices.contains(flow), isJudged[flow] { continue }
      records.append(old.records[number])
      roles.append(index.roles[number])
      holds.append(1)
    }
    for flow in index.judgedFlows {
      let numbers = index.order[index.places(of: flow)]
      let departures = Lateness.departures(of: numbers, in: old) { ready, _ in
        let elapsed = max(0, ready - index.flowStarts[flow])
        return index.flowStarts[flow] + (elapsed + interval - 1) / interval * interval
      }
      let sorted = zip(numbers, departures).enumerated()
        .map { (time: $1.1, isUp: old.records[Int($1.0)].isUp, number: Int($1.0), place: $0) }
        .sorted { ($0.time, $0.isUp ? 0 : 1, $0.place) < ($1.time, $1.isUp ? 0 : 1, $1.place) }
      var first = 0
      while first < sorted.count {
        var end = first
        while end < sorted.count, sorted[end].time == sorted[first].time, sorted[end].isUp == sorted[first].isUp {
          end += 1
        }
        let batch = sorted[first..<end].map(\.number)
        records.append(Self.merged(batch.map { old.records[$0] }, time: sorted[first].time))
        roles.append(Self.merged(batch.map { index.roles[$0] }))
        holds.append(Int32(clamping: batch.count))
        for entry in sorted[first..<end] where index.roles[entry.number].contains(.content) {
          delays.append(Double(entry.time - old.records[entry.number].time) / 1e9)
        }
        first = end
      }
    }
    var traffic = old
    traffic.records = records
    return DefendedTraffic(traffic: traffic, roles: roles, holds: holds, delays: delays)
  }

  private static func merged(_ records: [LabelledRecord], time: Int64) -> LabelledRecord {
    var merged = records.first ?? LabelledRecord()
    merged.time = time
    guard records.count > 1 else { return merged }
    let content = records.reduce(0) { $0 + Padding.content(of: $1) }
    let largest = records.map(\.size).max() ?? 0
    merged.size = max(largest, Int32(clamping: content + Int(Padding.overhead)))
    merged.plaintext = Int32(clamping: content)
    return merged
  }

  private static func merged(_ roles: [RecordRole]) -> RecordRole {
    for wanted in [RecordRole.target, .background] {
      let own = roles.filter { $0.contains(wanted) }
      if own.isEmpty { continue }
      return own.contains { $0.contains(.content) } ? [wanted, .content] : wanted
    }
    return roles.first ?? []
  }
}

/// When messages leave that have to wait; an answer waits anew after what it answers has come.
enum Lateness {
  /// The departure of each of a connection's records, in their order.
  ///
  /// `departure` says when a record leaves that is ready at a time; records are asked in the order of their old times.
  static func departures(
    of numbers: ArraySlice<Int32>, in traffic: LabelledTraffic, departure: (_ ready: Int64, _ record: Int) -> Int64
  ) -> [Int64] {
    var late: [UInt32: Int64] = [:]
    return numbers.map { number in
      let record = traffic.records[Int(number)]
      let ready = record.time + (record.message == 0 ? 0 : late[record.message] ?? 0)
      let leaves = max(ready, departure(ready, Int(number)))
      if record.message != 0 { late[record.message] = leaves - record.time }
      return leaves
    }
  }
}
