/// Finds the records that a truth file's messages went in, on a connection that nobody could open.
///
/// A cipher adds the same number of bytes to every record (block ciphers: within a block). The number that explains
/// most of the messages, in their order, is taken for the connection's.
struct TruthAlignment {
  /// Bytes that TLS adds to a plaintext, header included: TLS 1.3 with AEAD; TLS 1.2 with GCM and with ChaCha20.
  static let overheads = [22, 29, 21]

  /// Records in a row that may belong to no message.
  static let maximumSkipped = 2

  /// A record's index by its number and direction (`FlowFollower.Piece.place`).
  private(set) var places: [Int64: Int] = [:]

  init(_ pieces: [FlowFollower.Piece], _ messages: [TruthFile.Message]) {
    for isUp in [true, false] {
      let wanted = messages.filter { $0.isUp == isUp && $0.records.count == 1 && $0.plaintext != nil }
      let there = pieces.indices.filter { pieces[$0].isUp == isUp }
      var best: [Int64: Int] = [:]
      for overhead in Self.overheads {
        let found = Self.matches(wanted, there, pieces, overhead: overhead, isUp: isUp)
        if found.count > best.count { best = found }
      }
      // A match of less than half of what was seen is chance.
      if best.count * 2 >= there.count { places.merge(best) { first, _ in first } }
    }
  }

  /// Greedy, in order: a message that fits the next record takes it; one that does not was not captured.
  private static func matches(
    _ wanted: [TruthFile.Message], _ there: [Int], _ pieces: [FlowFollower.Piece], overhead: Int, isUp: Bool
  ) -> [Int64: Int] {
    var found: [Int64: Int] = [:]
    // The capture's records are the last ones of the connection, so both are walked from their ends.
    var at = there.count - 1
    for message in wanted.reversed() {
      guard at >= 0, let plaintext = message.plaintext, let ordinal = message.records.first else { break }
      // A record in between may be nobody's message: an alert, a ticket.
      let near = (0...maximumSkipped).first { at - $0 >= 0 && Int(pieces[there[at - $0]].size) == plaintext + overhead }
      guard let near else { continue }
      found[FlowFollower.Piece.place(ordinal, isUp: isUp)] = there[at - near]
      at -= near + 1
    }
    return found
  }
}
