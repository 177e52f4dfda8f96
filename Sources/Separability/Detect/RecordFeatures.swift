import Truth

/// What a box on the path can measure of one record: its size and direction, its neighbours, and the time between.
enum RecordFeatures {
  /// Gaps count as at most so many seconds; so does the gap where there is no neighbour.
  static let longestGap = 3_600.0
  /// Neighbours that are summed lie within so many nanoseconds before and after.
  static let near: Int64 = 1_000_000_000
  /// A record up is large above what an ack in either framing needs, and small below it; bytes of the record.
  static let large: Int32 = 256, small: Int32 = 128
  /// An echo's records follow each other within so many nanoseconds.
  static let echoReach: Int64 = 500_000_000

  /// The features, the plainest first.
  static let all: [Feature] = [
    Feature(name: "record size", unit: "bytes"),
    Feature(name: "direction (1 is up)", unit: ""),
    Feature(name: "time since the previous record up", unit: "seconds"),
    Feature(name: "time since the previous record down", unit: "seconds"),
    Feature(name: "time to the next record up", unit: "seconds", needsFuture: true),
    Feature(name: "time to the next record down", unit: "seconds", needsFuture: true),
    Feature(name: "size of the previous record up", unit: "bytes"),
    Feature(name: "size of the previous record down", unit: "bytes"),
    Feature(name: "size of the next record up", unit: "bytes", needsFuture: true),
    Feature(name: "size of the next record down", unit: "bytes", needsFuture: true),
    Feature(name: "other bytes up within a second", unit: "bytes", needsFuture: true),
    Feature(name: "other bytes down within a second", unit: "bytes", needsFuture: true),
    Feature(name: "echo (0 none, 1 large up then down, 2 and small up)", unit: "", needsFuture: true),
    Feature(name: "time since the connection began", unit: "seconds"),
  ]

  /// The features of the given records, in their order.
  static func columns(of records: [Int32], in index: TrafficIndex) -> [[Double]] {
    var rowOf = [Int32](repeating: -1, count: index.traffic.records.count)
    var flows: Set<Int32> = []
    for (row, record) in records.enumerated() {
      rowOf[Int(record)] = Int32(clamping: row)
      flows.insert(index.traffic.records[Int(record)].flow)
    }
    var columns = [[Double]](repeating: [Double](repeating: 0, count: records.count), count: all.count)
    for flow in flows.sorted() {
      let connection = ConnectionRecords(index, flow: Int(flow))
      for place in 0..<connection.count {
        let row = Int(rowOf[Int(connection.numbers[place])])
        if row >= 0 { connection.fill(&columns, row: row, place: place) }
      }
    }
    return columns
  }
}

/// One connection's records, with the neighbours of each.
struct ConnectionRecords {
  let count: Int
  /// Record numbers, times in nanoseconds, sizes in bytes and directions, rising in time.
  let numbers: ArraySlice<Int32>.SubSequence
  let times: [Int64], sizes: [Int32], isUp: [Bool]
  /// Of each record whether it begins or belongs to an echo: 0, 1 or 2 as the feature says.
  let echoes: [Int8]
  private let previousUp: [Int32], previousDown: [Int32], nextUp: [Int32], nextDown: [Int32]
  /// Bytes up and down before each record.
  private let sumUp: [Int64], sumDown: [Int64]
  private let nearFirst: [Int32], nearEnd: [Int32]
  private let start: Int64

  init(_ index: TrafficIndex, flow: Int) {
    let slice = index.order[index.places(of: flow)]
    let count = slice.count
    self.count = count
    numbers = ArraySlice(Array(slice))
    times = slice.map { index.traffic.records[Int($0)].time }
    sizes = slice.map { index.traffic.records[Int($0)].size }
    isUp = slice.map { index.traffic.records[Int($0)].isUp }
    start = index.flowStarts[flow]

    var previousUp = [Int32](repeating: -1, count: count)
    var previousDown = previousUp
    var nextUp = previousUp
    var nextDown = previousUp
    var nextSmallUp = previousUp
    var sumUp = [Int64](repeating: 0, count: count + 1)
    var sumDown = sumUp
    var nearFirst = previousUp
    var nearEnd = previousUp
    var up: Int32 = -1
    var down: Int32 = -1
    var first = 0
    var end = 0
    for place in 0..<count {
      (previousUp[place], previousDown[place]) = (up, down)
      if isUp[place] { up = Int32(clamping: place) } else { down = Int32(clamping: place) }
      sumUp[place + 1] = sumUp[place] + (isUp[place] ? Int64(sizes[place]) : 0)
      sumDown[place + 1] = sumDown[place] + (isUp[place] ? 0 : Int64(sizes[place]))
      while times[place] - times[first] > RecordFeatures.near { first += 1 }
      while end < count, times[end] - times[place] <= RecordFeatures.near { end += 1 }
      (nearFirst[place], nearEnd[place]) = (Int32(clamping: first), Int32(clamping: end))
    }
    (up, down) = (-1, -1)
    var smallUp: Int32 = -1
    for place in (0..<count).reversed() {
      (nextUp[place], nextDown[place], nextSmallUp[place]) = (up, down, smallUp)
      if isUp[place] { up = Int32(clamping: place) } else { down = Int32(clamping: place) }
      if isUp[place], sizes[place] < RecordFeatures.small { smallUp = Int32(clamping: place) }
    }
    echoes = Self.echoes(times: times, sizes: sizes, isUp: isUp, nextDown: nextDown, nextSmallUp: nextSmallUp)
    (self.previousUp, self.previousDown, self.nextUp, self.nextDown) = (previousUp, previousDown, nextUp, nextDown)
    (self.sumUp, self.sumDown, self.nearFirst, self.nearEnd) = (sumUp, sumDown, nearFirst, nearEnd)
  }

  /// A large record up, a record down soon after it, and a small record up soon after that; whoever is within a second
  /// of the first belongs to it.
  private static func echoes(
    times: [Int64], sizes: [Int32], isUp: [Bool], nextDown: [Int32], nextSmallUp: [Int32]
  ) -> [Int8] {
    var echoes = [Int8](repeating: 0, count: times.count)
    var latest: [Int64?] = [nil, nil, nil]
    for place in times.indices {
      let answer = Int(nextDown[place])
      if isUp[place], sizes[place] >= RecordFeatures.large, answer >= 0,
        times[answer] - times[place] <= RecordFeatures.echoReach
      {
        let last = Int(nextSmallUp[answer])
        let isWhole = last >= 0 && times[last] - times[answer] <= RecordFeatures.echoReach
        latest[isWhole ? 2 : 1] = times[place]
      }
      for level in [2, 1] {
        guard let begun = latest[level], times[place] - begun <= RecordFeatures.near else { continue }
        echoes[place] = Int8(level)
        break
      }
    }
    return echoes
  }

  private func gap(_ place: Int, _ other: Int32) -> Double {
    guard other >= 0 else { return RecordFeatures.longestGap }
    return min(RecordFeatures.longestGap, abs(Double(times[Int(other)] - times[place])) / 1e9)
  }

  private func size(_ other: Int32) -> Double { other >= 0 ? Double(sizes[Int(other)]) : 0 }

  /// Writes a record's features, in the order of `RecordFeatures.all`.
  func fill(_ columns: inout [[Double]], row: Int, place: Int) {
    let size = Int64(sizes[place])
    columns[0][row] = Double(size)
    columns[1][row] = isUp[place] ? 1 : 0
    columns[2][row] = gap(place, previousUp[place])
    columns[3][row] = gap(place, previousDown[place])
    columns[4][row] = gap(place, nextUp[place])
    columns[5][row] = gap(place, nextDown[place])
    columns[6][row] = self.size(previousUp[place])
    columns[7][row] = self.size(previousDown[place])
    columns[8][row] = self.size(nextUp[place])
    columns[9][row] = self.size(nextDown[place])
    let near = Int(nearFirst[place])..<Int(nearEnd[place])
    columns[10][row] = Double(sumUp[near.upperBound] - sumUp[near.lowerBound] - (isUp[place] ? size : 0))
    columns[11][row] = Double(sumDown[near.upperBound] - sumDown[near.lowerBound] - (isUp[place] ? 0 : size))
    columns[12][row] = Double(echoes[place])
    columns[13][row] = Double(times[place] - start) / 1e9
  }
}
