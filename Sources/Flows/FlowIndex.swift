/// Where a flow's record lies, by hash: open addressing over 8-byte slots.
///
/// The slots of a quarter of a million flows fit into a second-level cache or nearly so; the dear miss is the one on
/// the record, and that one is overlapped by `FlowTable.apply`.
struct FlowIndex {
  /// One slot: the low half of the hash, and the record's index + 1.
  struct Slot {
    var tag: UInt32
    var record: UInt32
    init(tag: UInt32, record: UInt32) {
      self.tag = tag
      self.record = record
    }
  }
  var slots: [Slot]
  var mask: Int
  var count = 0

  init(bits: Int) {
    slots = Array(repeating: Slot(tag: 0, record: 0), count: 1 << bits)
    mask = 1 << bits - 1
  }

  mutating func insert(tag: UInt32, record: UInt32) {
    if (count + 1) * 8 > slots.count * 5 { grow() }
    var i = Int(tag) & mask
    while slots[i].record != 0 { i = (i &+ 1) & mask }
    slots[i] = Slot(tag: tag, record: record &+ 1)
    count += 1
  }

  /// Removes a record and closes the gap, so that no tombstones pile up.
  mutating func remove(tag: UInt32, record: UInt32) {
    var hole = Int(tag) & mask
    while slots[hole].record != record &+ 1 {
      guard slots[hole].record != 0 else { return }
      hole = (hole &+ 1) & mask
    }
    var i = hole
    while true {
      i = (i &+ 1) & mask
      let slot = slots[i]
      guard slot.record != 0 else { break }
      let home = Int(slot.tag) & mask
      guard (i &- home) & mask >= (i &- hole) & mask else { continue }
      slots[hole] = slot
      hole = i
    }
    slots[hole] = Slot(tag: 0, record: 0)
    count -= 1
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: Slot(tag: 0, record: 0), count: old.count * 2)
    mask = slots.count - 1
    for slot in old where slot.record != 0 {
      var i = Int(slot.tag) & mask
      while slots[i].record != 0 { i = (i &+ 1) & mask }
      slots[i] = slot
    }
  }
}
