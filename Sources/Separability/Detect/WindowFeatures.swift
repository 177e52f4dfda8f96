import Truth

/// What a box on the path can measure of a stretch of a connection: a burst, a minute, or all of it.
enum WindowFeatures {
  /// Records of one connection belong to one burst while the gap between them is below so many nanoseconds.
  static let burstGap: Int64 = 1_000_000_000
  /// A minute in nanoseconds, counted from the connection's beginning.
  static let minute: Int64 = 60_000_000_000

  /// How a connection is cut.
  enum Cut: Sendable { case burst, minute, connection }

  /// The features, the plainest first; a burst has not the last one.
  static let all: [Feature] = [
    Feature(name: "largest record up", unit: "bytes"),
    Feature(name: "largest record down", unit: "bytes"),
    Feature(name: "records up", unit: ""),
    Feature(name: "records down", unit: ""),
    Feature(name: "bytes up", unit: "bytes"),
    Feature(name: "bytes down", unit: "bytes"),
    Feature(name: "large records up", unit: ""),
    Feature(name: "direction of the first record (1 is up)", unit: ""),
    Feature(name: "duration", unit: "seconds"),
    Feature(name: "mean gap between its records", unit: "seconds"),
    Feature(name: "time since the record before it", unit: "seconds"),
    Feature(name: "echo (0 none, 1 large up then down, 2 and small up)", unit: ""),
    Feature(name: "another flow begins within 10 s (1 is yes)", unit: ""),
    Feature(name: "bursts", unit: ""),
  ]

  /// Windows that hold target or background; of the judged connections.
  static func samples(_ cut: Cut, in index: TrafficIndex) -> Samples {
    var samples = Samples(features: cut == .burst ? Array(all.dropLast()) : all)
    for flow in index.judgedFlows {
      let connection = ConnectionRecords(index, flow: flow)
      var first = 0
      while first < connection.count {
        let end = end(of: first, cut, connection, start: index.flowStarts[flow])
        add(first..<end, of: connection, flow: flow, index, to: &samples)
        first = end
      }
    }
    return thinned(samples)
  }

  private static func end(of first: Int, _ cut: Cut, _ connection: ConnectionRecords, start: Int64) -> Int {
    guard cut != .connection else { return connection.count }
    let minute = (connection.times[first] - start) / Self.minute
    var end = first + 1
    while end < connection.count {
      let isWithin =
        cut == .burst
        ? connection.times[end] - connection.times[end - 1] < burstGap
        : (connection.times[end] - start) / Self.minute == minute
      guard isWithin else { break }
      end += 1
    }
    return end
  }

  private static func add(
    _ range: Range<Int>, of connection: ConnectionRecords, flow: Int, _ index: TrafficIndex, to samples: inout Samples
  ) {
    var roles: RecordRole = []
    var values = [Double](repeating: 0, count: all.count)
    var bursts = 1.0
    for place in range {
      let size = Double(connection.sizes[place])
      let isUp = connection.isUp[place]
      values[isUp ? 0 : 1] = max(values[isUp ? 0 : 1], size)
      values[isUp ? 2 : 3] += 1
      values[isUp ? 4 : 5] += size
      if isUp, connection.sizes[place] >= RecordFeatures.large { values[6] += 1 }
      values[11] = max(values[11], Double(connection.echoes[place]))
      roles.formUnion(index.roles[Int(connection.numbers[place])])
      if place > range.lowerBound, connection.times[place] - connection.times[place - 1] >= burstGap { bursts += 1 }
    }
    guard !roles.isDisjoint(with: [.target, .background]) else { return }
    let begin = connection.times[range.lowerBound]
    let duration = Double(connection.times[range.upperBound - 1] - begin) / 1e9
    values[7] = connection.isUp[range.lowerBound] ? 1 : 0
    values[8] = duration
    values[9] = range.count > 1 ? duration / Double(range.count - 1) : 0
    values[10] =
      range.lowerBound == 0
      ? RecordFeatures.longestGap
      : min(RecordFeatures.longestGap, Double(begin - connection.times[range.lowerBound - 1]) / 1e9)
    values[12] = index.beginsAnother(than: flow, from: begin) ? 1 : 0
    values[13] = bursts
    for feature in samples.features.indices { samples.columns[feature].append(values[feature]) }
    samples.isPositive.append(roles.contains(.target))
    samples.captures.append(index.captures[flow])
    samples.times.append(begin)
    samples.records.append(connection.numbers[range.lowerBound])
  }

  /// At most `Samples.maximumRows` of each class.
  static func thinned(_ samples: Samples) -> Samples {
    let positives = samples.isPositive.indices.filter { samples.isPositive[$0] }
    let negatives = samples.isPositive.indices.filter { !samples.isPositive[$0] }
    guard max(positives.count, negatives.count) > Samples.maximumRows else { return samples }
    let kept = [positives, negatives].flatMap { Samples.thinned($0, to: Samples.maximumRows) }.sorted()
    var thinned = samples.selecting(kept)
    thinned.notKept = samples.count - kept.count
    return thinned
  }
}
