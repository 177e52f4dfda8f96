/// The tables of the packed framing in one direction. Index 0 is the newest entry.
///
/// An entry is found by counting from the newest, and the oldest ones leave first: so entries that were added after a
/// loss are found as if nothing was lost, and only references beyond them are lost.
struct PackedTables {
  /// Keys that a table holds.
  static let maximumKeys = 32
  /// What an entry counts beside its bytes.
  static let entryOverhead = 32
  /// The most bytes that a value table may have: more than any server was seen to offer (4,096).
  static let maximumSize = 1 << 16

  /// Bytes of the value table.
  let size: Int
  /// Whether entries were lost, so that a reference to an unknown one is no mistake of the sender.
  private(set) var hasLost = false
  private var keys: [FieldKey] = []
  private var values: [(value: FieldValue, bytes: Int)] = []
  private var valueBytes = 0

  init(size: Int) { self.size = min(max(size, 0), Self.maximumSize) }

  mutating func lose() {
    keys.removeAll(keepingCapacity: true)
    values.removeAll(keepingCapacity: true)
    valueBytes = 0
    hasLost = true
  }

  mutating func add(_ key: FieldKey) {
    if keys.count >= Self.maximumKeys { keys.removeFirst() }
    keys.append(key)
  }

  /// Adds a value that was written with `bytes` bytes. One that is larger than the table stays until the next comes.
  mutating func add(_ value: FieldValue, bytes: Int) {
    valueBytes &+= bytes &+ Self.entryOverhead
    var leaving = 0
    while valueBytes > size, leaving < values.count {
      valueBytes &-= values[leaving].bytes &+ Self.entryOverhead
      leaving &+= 1
    }
    values.removeFirst(leaving)
    values.append((value, bytes))
  }

  /// The key that an index names; nil where there can be none.
  func key(at index: Int) -> FieldKey? {
    guard index >= 0, index < Self.maximumKeys else { return nil }
    return index < keys.count ? keys[keys.count &- 1 &- index] : hasLost ? .lost : nil
  }

  /// The value that an index names; nil where there can be none.
  func value(at index: Int) -> FieldValue? {
    guard index >= 0, index <= size / Self.entryOverhead else { return nil }
    return index < values.count ? values[values.count &- 1 &- index].value : hasLost ? .lost : nil
  }
}
