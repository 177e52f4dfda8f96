/// Ranges over an ordered key, flattened so that one binary search finds every range that holds a key.
///
/// Nested and overlapping ranges are allowed: the key space is cut at every bound, and each piece keeps the rows of all
/// ranges over it, narrowest first. That is longest-prefix match for addresses, and the same for ports.
struct IntervalTable<Key: FixedWidthInteger & Sendable>: Sendable {
  /// First key of each piece, ascending; the first is `Key.min`.
  private var starts: [Key] = [.min]
  /// Where the rows of each piece begin in `members`; one more than there are pieces.
  private var offsets: [Int32] = [0, 0]
  /// Row numbers, by piece.
  private var members: [Int32] = []
  /// The keys that most look-ups are for, and the piece that each part of them begins in: a search begins there.
  private let usual: ClosedRange<Key>
  private let partShift: Int
  private var parts: [Int32] = []

  /// A table of ranges, each with the number of its row. `usual` are the keys that most look-ups are for: a power of
  /// two of them, at least 4096.
  init(_ ranges: [(keys: ClosedRange<Key>, row: Int32)], usual: ClosedRange<Key>) {
    self.usual = usual
    partShift = max(Key.bitWidth - (usual.upperBound - usual.lowerBound).leadingZeroBitCount - 12, 0)
    guard !ranges.isEmpty else { return }
    defer { cutUsual() }
    var cuts: Set<Key> = [.min]
    for range in ranges {
      cuts.insert(range.keys.lowerBound)
      if range.keys.upperBound < .max { cuts.insert(range.keys.upperBound + 1) }
    }
    let pending = ranges.enumerated().sorted {
      ($0.element.keys.lowerBound, $0.offset) < ($1.element.keys.lowerBound, $1.offset)
    }
    starts = cuts.sorted()
    offsets = []
    var next = 0
    var active: [(keys: ClosedRange<Key>, row: Int32, order: Int)] = []
    for start in starts {
      active.removeAll { $0.keys.upperBound < start }
      var changed = false
      while next < pending.count, pending[next].element.keys.lowerBound == start {
        active.append((pending[next].element.keys, pending[next].element.row, pending[next].offset))
        next += 1
        changed = true
      }
      if changed {
        active.sort { a, b in
          let (wideA, wideB) = (
            a.keys.upperBound - a.keys.lowerBound, b.keys.upperBound - b.keys.lowerBound
          )
          return (wideA, a.order) < (wideB, b.order)
        }
      }
      offsets.append(Int32(clamping: members.count))
      members += active.map(\.row)
    }
    offsets.append(Int32(clamping: members.count))
  }

  private mutating func cutUsual() {
    let count = Int(truncatingIfNeeded: (usual.upperBound - usual.lowerBound) >> Key(truncatingIfNeeded: partShift)) + 1
    parts.reserveCapacity(count + 1)
    var piece = 0
    for part in 0...count {
      let last = part == count
      let key =
        last ? usual.upperBound : usual.lowerBound + Key(truncatingIfNeeded: part) << Key(truncatingIfNeeded: partShift)
      while piece + 1 < starts.count, starts[piece + 1] <= key { piece += 1 }
      parts.append(Int32(clamping: piece))
    }
  }

  /// Positions of the rows whose ranges hold a key, narrowest range first; read them with the subscript.
  func positions(holding key: Key) -> Range<Int> {
    guard members.count > 0 else { return 0..<0 }
    var low = 0
    var high = starts.count
    if key >= usual.lowerBound, key <= usual.upperBound {
      let part = Int(truncatingIfNeeded: (key &- usual.lowerBound) >> Key(truncatingIfNeeded: partShift))
      low = Int(parts[part])
      high = Int(parts[part + 1]) + 1
    }
    while high - low > 1 {
      let middle = (low + high) / 2
      if starts[middle] <= key { low = middle } else { high = middle }
    }
    return Int(offsets[low])..<Int(offsets[low + 1])
  }

  /// The row at a position that `positions(holding:)` gave.
  subscript(position: Int) -> Int32 { members[position] }
}
