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

  private var origins: [Origin] = []
  private var places: [QUICConnectionID: Int32] = [:]
  private var oldest = 0
  /// Lengths of the IDs that are there, a bit each.
  private var lengths: UInt32 = 0

  /// Whether none is known.
  var isEmpty: Bool { origins.isEmpty }

  /// Remembers a connection by the ID that its client writes to: what a client sends from another address.
  mutating func learn(_ origin: Origin) {
    guard origin.id.count >= Self.shortestID else { return }
    lengths |= 1 << UInt32(origin.id.count)
    if origins.count < Self.maximumConnections {
      places[origin.id] = Int32(origins.count)
      return origins.append(origin)
    }
    places[origins[oldest].id] = nil
    places[origin.id] = Int32(oldest)
    origins[oldest] = origin
    oldest = (oldest + 1) % Self.maximumConnections
  }

  /// The connection that a datagram with a short header belongs to.
  func origin(of datagram: borrowing RawSpan) -> Origin? {
    guard datagram.byteCount > 0, datagram.u8(0) & 0xc0 == 0x40 else { return nil }
    for length in Self.shortestID...QUICConnectionID.maximumLength where lengths & 1 << UInt32(length) != 0 {
      guard let id = QUICConnectionID(ofShortHeader: datagram, length: length), let place = places[id] else { continue }
      return origins[Int(place)]
    }
    return nil
  }
}
