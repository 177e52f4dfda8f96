import Bytes
import Digest
import Synchronization

/// Fingerprints and certificate names that were computed before, by the bytes that they are a function of.
///
/// Hashing costs more than the rest of a hello, and few client stacks make most hellos. An entry answers only for
/// exactly its own bytes, so hostile input cannot make it lie; the table has one place for each hash value and a
/// newcomer takes the place of the one before, so hostile input can only make it useless. One cache serves any number
/// of flows.
public final class FingerprintCache: Sendable {
  /// Places for fingerprints; with keys of at most `maximumKeyLength` bytes that is 4 MiB at worst.
  public static let maximumFingerprints = 4096
  /// Places for certificates; with `maximumCertificateLength` bytes each that is 4 MiB at worst.
  public static let maximumCertificates = 1024
  /// The longest key that is kept; a longer one is computed each time.
  public static let maximumKeyLength = 1024
  /// The longest certificate that is kept; a longer one is read each time.
  public static let maximumCertificateLength = 4096

  /// Places for what a ClientHello says of its program; with `HelloKey.maximumWords` and as much text that is 4 MiB at
  /// worst.
  static let maximumHellos = 1024

  /// What the cache has done.
  public struct Counters: Sendable, Equatable {
    /// Look-ups that were answered.
    public var hits: UInt64 = 0
    /// Look-ups that were computed.
    public var misses: UInt64 = 0
    /// Entries that a newcomer took the place of.
    public var replaced: UInt64 = 0
  }

  private struct State {
    var fingerprints = Places<String>(count: maximumFingerprints, longestKey: maximumKeyLength)
    var certificates = Places<CertificateNames>(count: maximumCertificates, longestKey: maximumCertificateLength)
    var hellos: [KnownHello?] = []
    var counters = Counters()
  }

  /// A hello that came before. Some programs draw the order of their extensions anew for each connection: all but JA3
  /// is the same in any order.
  private struct KnownHello {
    var key: [UInt64]
    var order: [UInt64]
    var traits: HelloTraits
  }

  private let state = Mutex(State())

  /// An empty cache; it takes memory with its first entry.
  public init() {}

  /// What the cache has done so far.
  public var counters: Counters { state.withLock { $0.counters } }

  /// JA3 of a ClientHello.
  public func ja3(of hello: borrowing ClientHello) -> String {
    traits(of: hello, over: .tcp, wantsFingerprints: true).ja3 ?? JA3.fingerprint(of: hello)
  }

  /// JA3S of a ServerHello.
  public func ja3s(of hello: borrowing ServerHello) -> String {
    fingerprint(JA3.key(of: hello).bytes) { md5(JA3.serverText(key: $0)).hex }
  }

  /// JA4 of a ClientHello.
  public func ja4(of hello: borrowing ClientHello, over transport: JA4.Transport) -> String {
    traits(of: hello, over: transport, wantsFingerprints: true).ja4 ?? JA4.fingerprint(of: hello, over: transport)
  }

  /// What a ClientHello says of the program that sent it; flows with the same share one copy.
  func traits(
    of hello: borrowing ClientHello, over transport: JA4.Transport, wantsFingerprints: Bool
  ) -> HelloTraits {
    let key = HelloKey(hello, over: transport, wantsFingerprints: wantsFingerprints)
    guard key.isWhole else {
      state.withLock { $0.counters.misses &+= 1 }
      return HelloTraits(hello, over: transport, wantsFingerprints: wantsFingerprints)
    }
    let place = Int(truncatingIfNeeded: key.hash % UInt64(Self.maximumHellos))
    let known: (traits: HelloTraits, isSameOrder: Bool)? = state.withLock { state in
      guard place < state.hellos.count, let hello = state.hellos[place], key.matches(hello.key) else {
        state.counters.misses &+= 1
        return nil
      }
      let isSameOrder = hello.traits.ja3 == nil || key.matches(order: hello.order)
      if isSameOrder { state.counters.hits &+= 1 } else { state.counters.misses &+= 1 }
      return (hello.traits, isSameOrder)
    }
    if let known {
      var traits = known.traits
      if !known.isSameOrder { traits.ja3 = JA3.fingerprint(of: hello) }
      return traits
    }
    let traits = HelloTraits(hello, over: transport, wantsFingerprints: wantsFingerprints)
    let new = KnownHello(key: key.keptWords, order: key.keptOrder, traits: traits)
    state.withLock { state in
      if state.hellos.isEmpty { state.hellos = Array(repeating: nil, count: Self.maximumHellos) }
      if state.hellos[place] != nil { state.counters.replaced &+= 1 }
      state.hellos[place] = new
    }
    return traits
  }

  /// The names of a certificate.
  func names(ofCertificate der: [UInt8]) -> CertificateNames {
    let hash = hash(der)
    if let known = state.withLock({ $0.certificates.value(for: der, hash, &$0.counters) }) { return known }
    let value = CertificateNames(der: der)
    state.withLock { $0.certificates.keep(value, for: der, hash, &$0.counters) }
    return value
  }

  private func fingerprint(_ key: [UInt8], compute: ([UInt8]) -> String) -> String {
    let hash = hash(key)
    if let known = state.withLock({ $0.fingerprints.value(for: key, hash, &$0.counters) }) { return known }
    let value = compute(key)
    state.withLock { $0.fingerprints.keep(value, for: key, hash, &$0.counters) }
    return value
  }
}

/// A table with one place for each hash value.
private struct Places<Value: Sendable>: Sendable {
  private struct Place: Sendable {
    var key: [UInt8]
    var value: Value
  }

  private let count: Int
  private let longestKey: Int
  private var places: [Place?] = []

  init(count: Int, longestKey: Int) {
    self.count = count
    self.longestKey = longestKey
  }

  private func index(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash % UInt64(max(count, 1))) }

  func value(for key: [UInt8], _ hash: UInt64, _ counters: inout FingerprintCache.Counters) -> Value? {
    guard !places.isEmpty, let place = places[index(hash)], place.key == key else {
      counters.misses &+= 1
      return nil
    }
    counters.hits &+= 1
    return place.value
  }

  mutating func keep(_ value: Value, for key: [UInt8], _ hash: UInt64, _ counters: inout FingerprintCache.Counters) {
    guard key.count <= longestKey else { return }
    if places.isEmpty { places = Array(repeating: nil, count: count) }
    if places[index(hash)] != nil { counters.replaced &+= 1 }
    places[index(hash)] = Place(key: key, value: value)
  }
}

/// A hash of speed only: what it cannot tell apart, the comparison of the bytes does.
private func hash(_ key: [UInt8]) -> UInt64 {
  let bytes = key.rawSpan
  var hash = UInt64(bytes.byteCount) &* 0x9e37_79b9_7f4a_7c15
  var i = 0
  while bytes.holds(8, at: i) {
    hash = (hash ^ bytes.u64(i)) &* 0xff51_afd7_ed55_8ccd
    hash ^= hash >> 32
    i &+= 8
  }
  while bytes.holds(1, at: i) {
    hash = (hash ^ UInt64(bytes.u8(i))) &* 0xff51_afd7_ed55_8ccd
    i &+= 1
  }
  return hash ^ hash >> 29
}
