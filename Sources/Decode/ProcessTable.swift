import Bytes

/// The names of processes and apps that a capture puts beside its packets, by small numbers: a known name costs no
/// allocation.
///
/// The capture decides on the names, so that there is a cap on them and a random seed in their hash.
struct ProcessTable {
  /// Names that are kept: 4,096, beyond which a packet goes without and is counted in `lost`.
  static var capacity: Int { 4096 }
  /// Bytes of a name that are kept: PKTAP and PCAPdroid give no more.
  static var nameLength: Int { 20 }

  /// The bytes of a name, padded with zeros.
  private struct Name: Equatable {
    var words: (UInt64, UInt64, UInt64) = (0, 0, 0)

    static func == (a: Name, b: Name) -> Bool { a.words == b.words }

    func hash(seed: UInt64) -> Int {
      var hash = seed ^ words.0
      hash = (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15 ^ words.1
      hash = (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15 ^ words.2
      hash = (hash ^ hash >> 32) &* 0x9e37_79b9_7f4a_7c15
      return Int(truncatingIfNeeded: hash >> 32)
    }
  }

  private var names: [Name] = []
  /// Numbers of names, 0 for none; twice as many places as there can be names. Made with the first name.
  private var places: [UInt16] = []
  private let seed = UInt64.random(in: .min ... .max)
  private(set) var lost: UInt64 = 0

  /// The number of the name in `length` bytes at an offset, up to a zero; 0 for an empty one.
  mutating func number(_ p: RawSpan, at offset: Int, length: Int) -> UInt16 {
    var name = Name()
    var count = 0
    while count < min(length, Self.nameLength), p.holds(1, at: offset &+ count) {
      let byte = UInt64(p.u8(offset &+ count))
      if byte == 0 { break }
      let shift = UInt64(count & 7) &* 8
      switch count >> 3 {
      case 0: name.words.0 |= byte << shift
      case 1: name.words.1 |= byte << shift
      default: name.words.2 |= byte << shift
      }
      count &+= 1
    }
    return count == 0 ? 0 : number(name)
  }

  private mutating func number(_ name: Name) -> UInt16 {
    if places.isEmpty { places = [UInt16](repeating: 0, count: Self.capacity * 2) }
    let mask = Self.capacity * 2 - 1
    var place = name.hash(seed: seed) & mask
    while places[place] != 0 {
      if names[Int(places[place]) - 1] == name { return places[place] }
      place = (place + 1) & mask
    }
    guard names.count < Self.capacity else {
      lost &+= 1
      return 0
    }
    names.append(name)
    places[place] = UInt16(names.count)
    return UInt16(names.count)
  }

  func name(_ number: UInt16) -> String? {
    guard number > 0, Int(number) <= names.count else { return nil }
    let words = names[Int(number) - 1].words
    var bytes: [UInt8] = []
    for word in [words.0, words.1, words.2] {
      for shift in stride(from: UInt64(0), to: 64, by: 8) {
        let byte = UInt8(truncatingIfNeeded: word >> shift)
        if byte != 0 { bytes.append(byte) }
      }
    }
    var text = String.UnicodeScalarView()
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      text.append(scalar.properties.generalCategory == .control ? "\u{fffd}" : scalar)
    }
    return String(text)
  }
}
