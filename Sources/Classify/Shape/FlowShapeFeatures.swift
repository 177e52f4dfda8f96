public import Flows

/// The answers to all questions about a flow's shape.
public struct FlowShapeFeatures: Sendable {
  /// TCP, as opposed to UDP: the two are judged by different cards.
  public let isTCP: Bool
  /// By the feature's position, of which there are fewer; not a number where unknown.
  private var values = [20 of Double](repeating: .nan)

  /// The answer to a question; nil where the flow is too short to tell. Never infinite.
  public subscript(feature: ShapeFeature) -> Double? {
    let value = values[feature.position]
    return value.isNaN ? nil : value
  }

  /// Packets with payload.
  public var packets: Int { Int(values[ShapeFeature.packets.position]) }

  /// The features of a flow.
  /// - Parameters:
  ///   - isTCP: TCP, as opposed to UDP.
  ///   - nanoseconds: from the first packet to the last; below 0 counts as 0.
  ///   - shape: what the meter has seen.
  public init(isTCP: Bool, nanoseconds: Int64, shape: borrowing ShapeMeter) {
    self.isTCP = isTCP
    let first = FirstPackets(shape)
    let toServer = Side(shape, first: 0), toClient = Side(shape, first: 8)
    let packets = toServer.count + toClient.count
    let seconds = Double(max(nanoseconds, 0)) / 1e9
    set(.packets, packets)
    if packets > 1, seconds > 0 { set(.duration, seconds) }
    if packets >= 6, seconds > 0 { set(.rate, packets / seconds) }
    if packets >= 4 { set(.toServer, toServer.count / packets) }
    if first.count >= 4 { set(.turns, Double(first.turns) / Double(first.count - 1)) }
    set(first.toServer, .firstToServer, .secondToServer)
    set(first.toClient, .firstToClient, .secondToClient)
    if first.count > 0 { set(.largest, max(first.toServer.largest, first.toClient.largest)) }
    if let variation = Self.variation(first.toClient) { set(.variationToClient, variation) }
    if toServer.count > 0 {
      set(.smallToServer, toServer.share(0..<1))
      set(.mediumToServer, toServer.share(2..<3))
    }
    if toClient.count > 0 {
      set(.largeToClient, toClient.share(3..<5))
      set(.fullToClient, toClient.share(5..<8))
    }
    setGaps(shape)
    if let period = first.period { set(.period, period) }
    if isTCP, packets > 0 { set(.records, Double(min(Int(shape.recordCount), ShapeMeter.firstRecords))) }
  }

  private mutating func set(_ feature: ShapeFeature, _ value: Double) {
    values[feature.position] = value.isFinite ? value : .nan
  }

  private mutating func set(_ side: FirstPackets.Side, _ first: ShapeFeature, _ second: ShapeFeature) {
    if side.count > 0 { set(first, side.sizes[0]) }
    if side.count > 1 { set(second, side.sizes[1]) }
  }

  /// Standard deviation over mean of the sizes but the first; nil of fewer than four.
  private static func variation(_ side: FirstPackets.Side) -> Double? {
    guard side.count >= 5 else { return nil }
    let count = Double(side.count - 1)
    var sum = 0.0
    for i in 1..<side.count { sum += side.sizes[i] }
    let mean = sum / count
    guard mean > 0 else { return nil }
    var squares = 0.0
    for i in 1..<side.count { squares += (side.sizes[i] - mean) * (side.sizes[i] - mean) }
    return (squares / count).squareRoot() / mean
  }

  private mutating func setGaps(_ shape: borrowing ShapeMeter) {
    let bins = shape.gapBins
    var sum = 0.0
    for i in bins.indices { sum += Double(bins[i]) }
    guard sum >= 3 else { return }
    set(.bursts, Double(bins[0]) / sum)
    set(.paced, Double(bins[2]) / sum)
  }
}

/// The size bins of a side.
private struct Side {
  private var bins = [8 of Double](repeating: 0)
  private(set) var count = 0.0

  init(_ shape: borrowing ShapeMeter, first: Int) {
    let sizes = shape.sizeBins
    for i in 0..<8 {
      bins[i] = Double(sizes[first + i])
      count += bins[i]
    }
  }

  func share(_ range: Range<Int>) -> Double {
    var sum = 0.0
    for i in range { sum += bins[i] }
    return sum / count
  }
}

/// The packets that the meter keeps one by one. In arrays of fixed size, since most flows without a name are asked.
private struct FirstPackets {
  /// Gaps that differ from their median by less than half of it are in step; so many of them make a period.
  static let inStep = 0.7

  /// What one side sent.
  struct Side {
    var sizes = [16 of Double](repeating: 0)
    /// Milliseconds since the first packet of the flow.
    var times = [16 of Double](repeating: 0)
    var count = 0

    mutating func append(_ size: Double, at time: Double) {
      sizes[count] = size
      times[count] = time
      count += 1
    }

    var largest: Double {
      var largest = 0.0
      for i in 0..<count { largest = max(largest, sizes[i]) }
      return largest
    }

    /// How far the gaps between its packets are alike, and their median; nil of fewer than six packets.
    var step: (share: Double, period: Double)? {
      guard count >= 6 else { return nil }
      let number = count - 1
      var gaps = [16 of Double](repeating: 0)
      for i in 0..<number {
        // Kept in order as they come.
        let gap = times[i + 1] - times[i]
        var j = i
        while j > 0, gaps[j - 1] > gap {
          gaps[j] = gaps[j - 1]
          j -= 1
        }
        gaps[j] = gap
      }
      let middle = number / 2
      let median = number % 2 == 1 ? gaps[middle] : (gaps[middle - 1] + gaps[middle]) / 2
      guard median > 0 else { return (0, 0) }
      var even = 0
      for i in 0..<number where abs(gaps[i] - median) < median / 2 { even += 1 }
      return (Double(even) / Double(number), median)
    }
  }

  private(set) var count = 0
  private(set) var turns = 0
  private(set) var toServer = Side()
  private(set) var toClient = Side()
  /// Milliseconds between the packets of the side that keeps time better; 0 where neither does, nil where neither has
  /// sent six packets.
  private(set) var period: Double?

  init(_ shape: borrowing ShapeMeter) {
    count = min(Int(shape.packetCount), ShapeMeter.firstPackets)
    let sizes = shape.sizes
    let gaps = shape.gaps
    var now = 0.0
    for i in 0..<count {
      let size = Double(sizes[i])
      now += Double(gaps[i]) / 1000
      if i > 0, (size > 0) != (sizes[i - 1] > 0) { turns += 1 }
      if size > 0 { toServer.append(size, at: now) } else { toClient.append(-size, at: now) }
    }
    guard var best = toServer.step ?? toClient.step else { return }
    if let other = toClient.step, other.share > best.share { best = other }
    period = best.share < Self.inStep ? 0 : best.period
  }
}
