/// Which flows' payloads are being read, oldest first: who must give way when a cap is reached.
///
/// Readers that end by themselves stay in the queue until they come to its head or it is tidied.
struct ReadingQueue {
  /// A flow that was being read when it was added; its number tells whether the record still is that flow's.
  struct Entry {
    var record: UInt32
    var flow: UInt64
  }
  private var entries: [Entry] = []
  private var head = 0

  /// How many entries there are, ended readers included.
  var count: Int { entries.count - head }

  mutating func append(_ entry: Entry) { entries.append(entry) }

  /// The oldest entry, taken out.
  mutating func popFirst() -> Entry? {
    guard head < entries.count else { return nil }
    defer {
      head += 1
      if head > 1024, head * 2 > entries.count {
        entries.removeFirst(head)
        head = 0
      }
    }
    return entries[head]
  }

  /// Drops the entries whose readers have ended.
  mutating func tidy(_ isReading: (Entry) -> Bool) {
    entries.removeFirst(head)
    head = 0
    entries.removeAll { !isReading($0) }
  }
}
