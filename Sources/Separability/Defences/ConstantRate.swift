import Truth

/// One record each way in each slot, full or empty, whatever there is to say.
struct ConstantRate {
  /// Bytes of each record with its header.
  static let size = 1_024
  /// Nanoseconds between slots, counted from each connection's beginning.
  let interval: Int64

  /// Bytes of a record that carry messages.
  private static let room = size - Int(Padding.overhead)

  /// Seconds by which each message with content comes later, and the bytes of all records.
  func cost(of index: TrafficIndex) -> (delays: [Double], bytes: Double) {
    var delays: [Double] = []
    var bytes = 0.0
    for flow in index.judgedFlows {
      let numbers = index.order[index.places(of: flow)]
      let start = index.flowStarts[flow]
      // The slot that is being filled in each direction, and how full it is.
      var slots: [(slot: Int64, used: Int)] = [(0, 0), (0, 0)]
      let departures = Lateness.departures(of: numbers, in: index.traffic) { ready, number in
        let record = index.traffic.records[number]
        let way = record.isUp ? 0 : 1
        let earliest = (max(0, ready - start) + interval - 1) / interval
        if earliest > slots[way].slot { slots[way] = (earliest, 0) }
        var left = Padding.content(of: record)
        while slots[way].used + left > Self.room {
          left -= Self.room - slots[way].used
          slots[way] = (slots[way].slot + 1, 0)
        }
        slots[way].used += left
        return start + slots[way].slot * interval
      }
      var last = departures.max() ?? start
      last = max(last, index.traffic.flows[flow].end)
      bytes += 2 * Double(Self.size) * Double((last - start) / interval + 1)
      for (number, leaves) in zip(numbers, departures) where index.roles[Int(number)].contains(.content) {
        delays.append(Double(leaves - index.traffic.records[Int(number)].time) / 1e9)
      }
    }
    return (delays, bytes)
  }
}
