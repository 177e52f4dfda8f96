import Protocols

/// QUIC connections by their connection IDs, so that one is known again when its addresses change (RFC 9000,
/// section 9).
///
/// A client that moves on purpose takes an ID that the server gave it under encryption; what is found here are
/// connections that a translator gave another port, and clients that keep their ID.
struct QUICPaths {
  /// The most IDs that are remembered; the oldest go first.
  static let maximumIDs = 32_768
  /// IDs shorter than this meet by chance.
  static let shortestID = 4

  /// A connection that was read.
  struct Origin {
    var flow: UInt64
    var tls: TLSFacts?
    var quic: QUICFacts
  }

  private var origins: [QUICConnectionID: Origin] = [:]
  private var order: [QUICConnectionID] = []
  private var oldest = 0
  /// Lengths of the IDs that are there, a bit each.
  private var lengths: UInt32 = 0

  /// Whether none is known.
  var isEmpty: Bool { origins.isEmpty }

  /// Remembers a connection.
  mutating func learn(_ ids: QUICConnectionIDs, _ origin: Origin) {
    for id in [ids.client, ids.server] {
      guard let id, id.count >= Self.shortestID else { continue }
      if origins.updateValue(origin, forKey: id) != nil { continue }
      lengths |= 1 << UInt32(id.count)
      if order.count < Self.maximumIDs {
        order.append(id)
      } else {
        origins[order[oldest]] = nil
        order[oldest] = id
        oldest = (oldest + 1) % Self.maximumIDs
      }
    }
  }

  /// The connection that a datagram with a short header belongs to.
  func origin(of datagram: borrowing RawSpan) -> Origin? {
    for length in Self.shortestID...QUICConnectionID.maximumLength where lengths & 1 << UInt32(length) != 0 {
      guard let id = QUICConnectionID(ofShortHeader: datagram, length: length) else { continue }
      if let origin = origins[id] { return origin }
    }
    return nil
  }
}
