/// A table from the exact length and direction of a payload to the class seen most often with it: the classifier of user
/// actions of Coull and Dyer, "Traffic Analysis of Encrypted Messaging Services", ACM SIGCOMM CCR 44(5), 2014.
public struct LengthLookup: Sendable {
  /// A payload as an observer sees it.
  public struct Key: Sendable, Codable, Hashable {
    /// The length in bytes.
    public var length: Int
    /// Whether the client sent it.
    public var isOutgoing: Bool
    /// A payload of a length and direction.
    public init(length: Int, isOutgoing: Bool) {
      self.length = length
      self.isOutgoing = isOutgoing
    }
  }

  /// What is said of a length that training did not have in that direction.
  public enum Unseen: String, Sendable, Codable, Hashable {
    /// The class of the nearest length in the same direction, of two as near the shorter; without any, the majority.
    case nearest
    /// The class seen most often of all.
    case majority
  }

  private let table: [Key: Int]
  private let outgoing: [Int], incoming: [Int]
  private let majority: Int
  private let unseen: Unseen

  /// Learns from payloads and their classes, numbered from 0 to below `classCount`; of classes as frequent the first is
  /// taken. Nil without a payload, or where a class is out of range.
  public init?(_ keys: [Key], classes: [Int], classCount: Int, unseen: Unseen = .nearest) {
    guard !keys.isEmpty, keys.count == classes.count, classes.allSatisfy({ $0 >= 0 && $0 < classCount }) else {
      return nil
    }
    var counts: [Key: [Int]] = [:]
    var totals = [Int](repeating: 0, count: classCount)
    for (key, one) in zip(keys, classes) {
      counts[key, default: [Int](repeating: 0, count: classCount)][one] += 1
      totals[one] += 1
    }
    table = counts.mapValues(Self.mostFrequent)
    majority = Self.mostFrequent(totals)
    outgoing = table.keys.filter(\.isOutgoing).map(\.length).sorted()
    incoming = table.keys.filter { !$0.isOutgoing }.map(\.length).sorted()
    self.unseen = unseen
  }

  private static func mostFrequent(_ counts: [Int]) -> Int {
    var best = 0
    for place in counts.indices where counts[place] > counts[best] { best = place }
    return best
  }

  /// Whether training had a payload of this length and direction.
  public func hasSeen(_ key: Key) -> Bool { table[key] != nil }

  /// The class of a payload.
  public func predict(_ key: Key) -> Int {
    if let known = table[key] { return known }
    guard unseen == .nearest else { return majority }
    let lengths = key.isOutgoing ? outgoing : incoming
    var low = 0
    var high = lengths.count
    while low < high {
      let middle = (low + high) / 2
      if lengths[middle] < key.length { low = middle + 1 } else { high = middle }
    }
    let neighbours = [low - 1, low].filter(lengths.indices.contains).map { lengths[$0] }
    let target = Double(key.length)
    let nearest = neighbours.min { abs(Double($0) - target) < abs(Double($1) - target) }
    return nearest.flatMap { table[Key(length: $0, isOutgoing: key.isOutgoing)] } ?? majority
  }
}
