public import Flows

/// The answers to all questions about a flow's shape.
public struct FlowShapeFeatures: Sendable, Equatable {
  /// TCP, as opposed to UDP: the two are judged by different cards.
  public let isTCP: Bool
  /// By the feature's position; not a number where unknown.
  private var values: [Double]

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
  public init(isTCP: Bool, nanoseconds: Int64, shape: ShapeMeter) {
    self.isTCP = isTCP
    values = [Double](repeating: .nan, count: ShapeFeature.allCases.count)
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
    if let largest = (first.toServer + first.toClient).max() { set(.largest, largest) }
    if let variation = Self.variation(first.toClient.dropFirst()) { set(.variationToClient, variation) }
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

  private mutating func set(_ sizes: [Double], _ first: ShapeFeature, _ second: ShapeFeature) {
    if sizes.count > 0 { set(first, sizes[0]) }
    if sizes.count > 1 { set(second, sizes[1]) }
  }

  /// Standard deviation over mean; nil of fewer than four.
  private static func variation(_ sizes: ArraySlice<Double>) -> Double? {
    guard sizes.count >= 4 else { return nil }
    let mean = sizes.reduce(0, +) / Double(sizes.count)
    guard mean > 0 else { return nil }
    let variance = sizes.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(sizes.count)
    return variance.squareRoot() / mean
  }

  private mutating func setGaps(_ shape: ShapeMeter) {
    var sum = 0.0
    for i in shape.gapBins.indices { sum += Double(shape.gapBins[i]) }
    guard sum >= 3 else { return }
    set(.bursts, Double(shape.gapBins[0]) / sum)
    set(.paced, Double(shape.gapBins[2]) / sum)
  }
}

/// The size bins of a side.
private struct Side {
  private var bins = [8 of Double](repeating: 0)
  private(set) var count = 0.0

  init(_ shape: ShapeMeter, first: Int) {
    for i in 0..<8 {
      bins[i] = Double(shape.sizeBins[first + i])
      count += bins[i]
    }
  }

  func share(_ range: Range<Int>) -> Double {
    var sum = 0.0
    for i in range { sum += bins[i] }
    return sum / count
  }
}

/// The packets that the meter keeps one by one.
private struct FirstPackets {
  /// Gaps that differ from their median by less than half of it are in step; so many of them make a period.
  static let inStep = 0.7

  private(set) var count = 0
  private(set) var turns = 0
  private(set) var toServer: [Double] = []
  private(set) var toClient: [Double] = []
  /// Milliseconds between the packets of the side that keeps time better; 0 where neither does, nil where neither has
  /// sent six packets.
  private(set) var period: Double?

  init(_ shape: ShapeMeter) {
    count = min(Int(shape.packetCount), ShapeMeter.firstPackets)
    var times: (toServer: [Double], toClient: [Double]) = ([], [])
    var now = 0.0
    for i in 0..<count {
      let size = Double(shape.sizes[i])
      now += Double(shape.gaps[i]) / 1000
      if i > 0, (size > 0) != (shape.sizes[i - 1] > 0) { turns += 1 }
      if size > 0 {
        toServer.append(size)
        times.toServer.append(now)
      } else {
        toClient.append(-size)
        times.toClient.append(now)
      }
    }
    let sides = [Self.step(times.toServer), Self.step(times.toClient)].compactMap(\.self)
    guard let best = sides.max(by: { $0.share < $1.share }) else { return }
    period = best.share < Self.inStep ? 0 : best.period
  }

  private static func step(_ times: [Double]) -> (share: Double, period: Double)? {
    guard times.count >= 6 else { return nil }
    let gaps = zip(times, times.dropFirst()).map { $1 - $0 }
    let sorted = gaps.sorted()
    let middle = sorted.count / 2
    let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    guard median > 0 else { return (0, 0) }
    let even = gaps.count { abs($0 - median) < median / 2 }
    return (Double(even) / Double(gaps.count), median)
  }
}
