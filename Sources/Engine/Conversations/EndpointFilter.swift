import Bytes
import Protocols

/// Endpoints of which some were named before: most flows meet none, and need no search of several tables to know it.
///
/// A Bloom filter of one bit an endpoint. Nothing is taken out: what has gone, or what somebody makes collide, costs
/// the search and no more.
struct EndpointFilter {
  private static let places = 1 << 18
  private var words: [UInt64] = []

  mutating func add(_ endpoint: Endpoint) {
    if words.isEmpty { words = Array(repeating: 0, count: Self.places / 64) }
    let place = Self.place(endpoint)
    words[place / 64] |= 1 << UInt64(place % 64)
  }

  /// Whether an endpoint may have been added; false only where it was not.
  func mayHold(_ endpoint: Endpoint) -> Bool {
    guard !words.isEmpty else { return false }
    let place = Self.place(endpoint)
    return words[place / 64] >> UInt64(place % 64) & 1 == 1
  }

  private static func place(_ endpoint: Endpoint) -> Int {
    var hash = endpoint.address.high &* 0x9e37_79b9_7f4a_7c15
    hash = (hash ^ hash >> 29 ^ endpoint.address.low) &* 0xbf58_476d_1ce4_e5b9
    hash = (hash ^ hash >> 32 ^ UInt64(endpoint.port)) &* 0x94d0_49bb_1331_11eb
    return Int(truncatingIfNeeded: hash >> 46)
  }
}
