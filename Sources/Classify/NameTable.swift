/// Server names by label, longest match first: a reversed-label trie whose edges are one hash table.
///
/// Every suffix of every entry is a node, so that a walk from the right ends at the first label that no entry has. A
/// look-up allocates nothing and reads each byte of the name at most twice.
struct NameTable: Sendable {
  /// The longest name that is looked at; RFC 1035, section 2.3.4 allows 255 octets on the wire.
  static let maximumLength = 255

  private struct Node: Sendable {
    var hash: UInt64
    var offset: Int32
    var length: Int32
    var suffixRow: Int32 = -1
    var exactRow: Int32 = -1
  }

  /// Nodes by hash, linear probing; a free place has `length` 0. The number of places is a power of two.
  private var places: [Node]
  /// The text of the nodes, lower case.
  private var text: [UInt8] = []

  /// A table of names in lower case without trailing dot. A suffix matches itself and everything below it; of two
  /// equal entries the later wins.
  init(_ entries: [(name: String, isExact: Bool, row: Int32)]) {
    let labels = entries.reduce(0) { $0 + $1.name.utf8.count { $0 == UInt8(ascii: ".") } + 1 }
    var size = 16
    while size < labels * 2 { size *= 2 }
    places = [Node](repeating: Node(hash: 0, offset: 0, length: 0), count: size)
    for entry in entries {
      let name = [UInt8](entry.name.utf8)
      guard !name.isEmpty, name.count <= Self.maximumLength else { continue }
      let base = text.count
      text += name
      var hash = Self.seed
      for i in name.indices.reversed() {
        hash = Self.mix(hash, name[i])
        guard i == 0 || name[i - 1] == UInt8(ascii: ".") else { continue }
        let place = insert(hash, base + i, name.count - i)
        guard i == 0 else { continue }
        if entry.isExact { places[place].exactRow = entry.row } else { places[place].suffixRow = entry.row }
      }
    }
  }

  private mutating func insert(_ hash: UInt64, _ offset: Int, _ length: Int) -> Int {
    let mask = places.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while places[place].length != 0 {
      let node = places[place]
      if node.hash == hash, node.length == length,
        text[Int(node.offset)..<Int(node.offset) + length].elementsEqual(text[offset..<offset + length])
      {
        return place
      }
      place = (place + 1) & mask
    }
    places[place] = Node(hash: hash, offset: Int32(clamping: offset), length: Int32(clamping: length))
    return place
  }

  /// The row of the longest entry that matches a name, exact before suffix; nil for none, and for names of more than
  /// `maximumLength` bytes or with a space, a control byte, or a backslash, by which such bytes are written: no host bears
  /// these, and a server that reads up to a NUL takes the name for another. Case and one trailing dot do not matter; a
  /// leading `*.` stands for any label below.
  func row(for name: String) -> Int32? {
    let bytes = name.utf8Span.span
    var end = bytes.count
    var begin = 0
    if end > 0, bytes[end - 1] == UInt8(ascii: ".") { end -= 1 }
    let isWildcard = end > 2 && bytes[0] == UInt8(ascii: "*") && bytes[1] == UInt8(ascii: ".")
    if isWildcard { begin = 2 }
    guard end - begin > 0, end - begin <= Self.maximumLength else { return nil }
    for i in begin..<end where bytes[i] <= 0x20 || bytes[i] == 0x7f || bytes[i] == UInt8(ascii: "\\") { return nil }
    var best: Int32 = -1
    var hash = Self.seed
    var i = end
    while i > begin {
      i -= 1
      hash = Self.mix(hash, Self.lowered(bytes[i]))
      guard i == begin || bytes[i - 1] == UInt8(ascii: ".") else { continue }
      guard let place = find(hash, bytes.extracting(i..<end)) else { break }
      if places[place].suffixRow >= 0 { best = places[place].suffixRow }
      if i == begin, !isWildcard, places[place].exactRow >= 0 { best = places[place].exactRow }
    }
    return best >= 0 ? best : nil
  }

  private func find(_ hash: UInt64, _ suffix: Span<UInt8>) -> Int? {
    let mask = places.count - 1
    var place = Int(truncatingIfNeeded: hash) & mask
    while places[place].length != 0 {
      if places[place].hash == hash, Int(places[place].length) == suffix.count {
        let offset = Int(places[place].offset)
        var i = 0
        while i < suffix.count, text[offset + i] == Self.lowered(suffix[i]) { i += 1 }
        if i == suffix.count { return place }
      }
      place = (place + 1) & mask
    }
    return nil
  }

  static let seed: UInt64 = 0xcbf2_9ce4_8422_2325

  /// FNV-1a with a rotation, because its low bits choose the place.
  static func mix(_ hash: UInt64, _ byte: UInt8) -> UInt64 {
    let product = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3
    return product ^ (product >> 29)
  }

  static func lowered(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }
}
