/// Whole words and their rows: ALPN protocol names, JA3, JA4, application protocols.
struct TokenTable: Sendable {
  private struct Place: Sendable {
    var hash: UInt64
    var offset: Int32
    var length: Int32
    var row: Int32
  }

  /// Words by hash, linear probing; a free place has `length` 0. The number of places is a power of two.
  private var places: [Place]
  private var text: [UInt8] = []

  /// A table of words; of two equal ones the later wins.
  init(_ entries: [(word: String, row: Int32)]) {
    var size = 8
    while size < entries.count * 2 { size *= 2 }
    places = [Place](repeating: Place(hash: 0, offset: 0, length: 0, row: -1), count: size)
    for entry in entries where !entry.word.isEmpty {
      let word = entry.word.utf8Span.span
      let hash = Self.hash(word)
      var place = Int(truncatingIfNeeded: hash) & (size - 1)
      while places[place].length != 0, !holds(place, hash, word) { place = (place + 1) & (size - 1) }
      let offset = text.count
      text += entry.word.utf8
      places[place] = Place(
        hash: hash, offset: Int32(clamping: offset), length: Int32(clamping: word.count), row: entry.row)
    }
  }

  /// The row of a word, or nil.
  func row(for word: String) -> Int32? {
    let bytes = word.utf8Span.span
    return row(for: bytes)
  }

  /// The row of an ALPN protocol name, or of what stands before its first colon: `apns-pack-v1:4096:4096` is
  /// `apns-pack-v1` with its table sizes.
  func row(forALPN name: String) -> Int32? {
    let bytes = name.utf8Span.span
    if let row = row(for: bytes) { return row }
    var length = 0
    while length < bytes.count, bytes[length] != UInt8(ascii: ":") { length += 1 }
    return length < bytes.count ? row(for: bytes.extracting(0..<length)) : nil
  }

  private func row(for word: Span<UInt8>) -> Int32? {
    guard word.count > 0, word.count <= NameTable.maximumLength else { return nil }
    let hash = Self.hash(word)
    var place = Int(truncatingIfNeeded: hash) & (places.count - 1)
    while places[place].length != 0 {
      if holds(place, hash, word) { return places[place].row }
      place = (place + 1) & (places.count - 1)
    }
    return nil
  }

  /// Eight bytes a step, because most words are fingerprints of 32 bytes and more that no row has.
  private static func hash(_ word: Span<UInt8>) -> UInt64 {
    var hash = NameTable.seed ^ UInt64(word.count)
    var i = 0
    while i < word.count {
      var bytes: UInt64 = 0
      for j in i..<min(i + 8, word.count) { bytes = bytes << 8 | UInt64(word[j]) }
      hash = (hash ^ bytes) &* 0x9e37_79b9_7f4a_7c15
      hash ^= hash >> 29
      i += 8
    }
    return hash
  }

  private func holds(_ place: Int, _ hash: UInt64, _ word: Span<UInt8>) -> Bool {
    guard places[place].hash == hash, Int(places[place].length) == word.count else { return false }
    let offset = Int(places[place].offset)
    for i in 0..<word.count where text[offset + i] != word[i] { return false }
    return true
  }
}
