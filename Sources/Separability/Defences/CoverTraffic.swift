import Statistics
import Truth

/// Sends that are none: each has the sizes, directions and times of an exchange that a real send began.
struct CoverTraffic {
  /// Decoys of one phone in a day.
  let perDay: Int
  let seed: UInt64
  /// Decoys that each connection has at least, so that there is something to judge in a short capture.
  static let minimumOnConnection = 10

  /// The traffic with decoys at random times of the judged connections, after each other in the order of flows.
  func applied(to index: TrafficIndex) -> DefendedTraffic {
    var defended = DefendedTraffic(
      traffic: index.traffic, roles: index.roles, holds: [Int32](repeating: 1, count: index.traffic.records.count))
    var generator = SeededGenerator(seed: seed)
    let exchanges = Self.exchanges(in: index)
    for flow in index.judgedFlows {
      let framing = index.traffic.flows[flow].framing
      let alike = exchanges.filter { index.traffic.flows[$0.flow].framing == framing }
      let pool = alike.isEmpty ? exchanges : alike
      let places = index.places(of: flow)
      guard !pool.isEmpty, let first = places.first, let last = places.last else { continue }
      let begin = index.traffic.records[Int(index.order[first])].time
      let span = Double(index.traffic.records[Int(index.order[last])].time - begin)
      guard span > 0 else { continue }
      let decoys = max(Self.minimumOnConnection, Int((Double(perDay) * span / 86_400e9).rounded()))
      for _ in 0..<decoys {
        let exchange = pool[generator.index(below: pool.count)]
        let shift = begin + Int64(span * generator.unit()) - index.traffic.records[exchange.records[0]].time
        for (place, number) in exchange.records.enumerated() {
          var record = index.traffic.records[number]
          record.time += shift
          record.flow = Int32(clamping: flow)
          (record.messageClass, record.kind, record.message, record.textLength) = (0, 0, 0, -1)
          defended.traffic.records.append(record)
          defended.roles.append(place == 0 ? [.background, .decoy] : .decoy)
          defended.holds.append(0)
        }
      }
    }
    return defended
  }

  /// A real send and what follows of its exchange.
  struct Exchange {
    let flow: Int
    /// Record numbers, the send first.
    let records: [Int]
  }

  /// The exchanges that sends of the target began.
  static func exchanges(in index: TrafficIndex) -> [Exchange] {
    var exchanges: [Exchange] = []
    for flow in index.judgedFlows {
      var placeOf: [UInt32: Int] = [:]
      var found: [[Int]] = []
      for number in index.order[index.places(of: flow)].map(Int.init) {
        let record = index.traffic.records[number]
        if let place = placeOf[record.message], record.message != 0 {
          found[place].append(number)
        } else if record.isUp, index.roles[number].isSuperset(of: [.target, .content]) {
          placeOf[record.message] = found.count
          found.append([number])
        }
      }
      exchanges += found.map { Exchange(flow: flow, records: $0) }
    }
    return exchanges
  }

  /// Bytes of the mean exchange.
  static func meanBytes(in index: TrafficIndex) -> Double {
    let exchanges = exchanges(in: index)
    guard !exchanges.isEmpty else { return 0 }
    let bytes = exchanges.reduce(0.0) { sum, exchange in
      exchange.records.reduce(sum) { $0 + Double(index.traffic.records[$1].size) }
    }
    return bytes / Double(exchanges.count)
  }
}
