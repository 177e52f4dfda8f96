import Bytes
import Protocols

/// QUIC connections by their connection IDs, so that one is known again when its addresses change (RFC 9000,
/// section 9).
///
/// A client that moves on purpose takes an ID that the server gave it under encryption; what is found here are
/// connections that a translator gave another port, and clients that keep their ID.
struct QUICPaths {
  /// The most connections that are remembered; the oldest go first.
  static let maximumConnections = 16_384
  /// IDs shorter than this meet by chance.
  static let shortestID = 4

  /// A connection that was read.
  struct Origin {
    var flow: UInt64
    var id: QUICConnectionID
    /// What was read of it; of use where it has QUIC's facts.
    var facts: FlowFacts
  }

  private struct Entry {
    var origin: Origin
    /// The entry learned before it whose ID has the same place, by number; 0 for none.
    var older: Int
  }

  /// A ring: entry `n` lies at `n % maximumConnections` until entry `n + maximumConnections` takes its place.
  private var entries: [Entry] = []
  /// Number of the next entry, from 1.
  private var next = 1
  /// Numbers of the newest entries, by the hash of their IDs; 0 for none. An entry that the ring has let go of ends the
  /// chain of its place, since those behind it are older.
  private var newest: [Int] = []
  private let seed = UInt64.random(in: .min ... .max)
  /// Lengths of the IDs that are there, a bit each.
  private var lengths: UInt32 = 0
  /// The most entries that a look-up goes through; what clients make collide on purpose costs no more.
  private static let maximumSteps = 32

  /// Whether none is known.
  var isEmpty: Bool { entries.isEmpty }

  /// Remembers a connection by the ID that its client writes to: what a client sends from another address.
  mutating func learn(_ origin: Origin) {
    guard origin.id.count >= Self.shortestID else { return }
    lengths |= 1 << UInt32(origin.id.count)
    if newest.isEmpty { newest = Array(repeating: 0, count: 2 * Self.maximumConnections) }
    let place = place(of: origin.id)
    let entry = Entry(origin: origin, older: newest[place])
    newest[place] = next
    let index = next % Self.maximumConnections
    next += 1
    // Entry 0 does not exist; its place is filled so that an entry lies at its number.
    while entries.count <= index { entries.append(entry) }
    entries[index] = entry
  }

  /// The connection that a datagram with a short header belongs to.
  func origin(of datagram: borrowing RawSpan) -> Origin? {
    guard datagram.byteCount > 0, datagram.u8(0) & 0xc0 == 0x40 else { return nil }
    for length in Self.shortestID...QUICConnectionID.maximumLength where lengths & 1 << UInt32(length) != 0 {
      guard let id = QUICConnectionID(ofShortHeader: datagram, length: length), let origin = origin(of: id) else {
        continue
      }
      return origin
    }
    return nil
  }

  private func origin(of id: QUICConnectionID) -> Origin? {
    var number = newest[place(of: id)]
    for _ in 0..<Self.maximumSteps {
      guard number > 0, number + Self.maximumConnections >= next else { return nil }
      let index = number % Self.maximumConnections
      if entries[index].origin.id == id { return entries[index].origin }
      number = entries[index].older
    }
    return nil
  }

  private func place(of id: QUICConnectionID) -> Int {
    Int(truncatingIfNeeded: id.hash(seed: seed)) & (2 * Self.maximumConnections - 1)
  }
}
