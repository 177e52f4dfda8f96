import Bytes

/// What a ClientHello says of the program that sent it, in words to compare: all that JA3, JA4, the offered protocols
/// and the offered versions are a function of, and nothing that changes with the connection.
///
/// GREASE is left out, as it counts nowhere. The order of the extensions, which some programs draw anew for each
/// connection, lies apart from the rest. It lives on the stack: one that does not fit `maximumWords` is not whole.
struct HelloKey: ~Copyable {
  /// The most words of eight bytes; a hello of today takes some forty.
  static let maximumWords = 64

  /// The words of everything but the order.
  private var words = [64 of UInt64](repeating: 0)
  private(set) var wordCount = 0
  /// The types of the extensions as they came, four in a word.
  private var order = [16 of UInt64](repeating: 0)
  private(set) var orderCount = 0
  /// A hash of the words, of speed only: what it cannot tell apart, the comparison does.
  private(set) var hash: UInt64 = 0x9e37_79b9_7f4a_7c15
  /// Whether all of the hello is in it. Where not, it stands for no hello.
  private(set) var isWhole = true
  private var pending: UInt64 = 0
  private var pendingCount = 0

  /// The key of a hello, by what carried it, with which JA4 begins, and by whether JA3 and JA4 are asked for.
  init(_ hello: borrowing ClientHello, over transport: JA4.Transport, wantsFingerprints: Bool) {
    let suites = append(pairs: hello.cipherSuites)
    let groups = append(pairs: hello.groups)
    let algorithms = append(pairs: hello.signatureAlgorithms)
    let versions = append(pairs: hello.versionList)
    append(singles: hello.pointFormats)
    append(singles: hello.alpnList)
    let types = append(typesOf: hello.extensions)
    flush()
    // Behind the lists, since a list's length without GREASE is known only then; read from the end, the lengths say
    // where each list begins, so that two hellos with equal words are equal in all of them.
    append(word: lengths(suites, groups, algorithms, versions))
    append(word: lengths(hello.pointFormats.byteCount, hello.alpnList.byteCount, types, 0))
    var flags = UInt64(transport.rawValue) << 24 | UInt64(hello.legacyVersion.rawValue)
    if wantsFingerprints { flags |= 1 << 16 }
    if hello.hasServerNameExtension { flags |= 1 << 17 }
    if hello.versionList.byteCount >= 2 { flags |= 1 << 18 }
    append(word: flags)
  }

  /// Whether `known` are the same words.
  func matches(_ known: [UInt64]) -> Bool {
    guard known.count == wordCount else { return false }
    for i in 0..<wordCount where known[i] != words[i] { return false }
    return true
  }

  /// Whether `known`, of a hello with the same words and so with as many extensions, is the same order of them.
  func matches(order known: [UInt64]) -> Bool {
    guard known.count == orderCount else { return false }
    for i in 0..<orderCount where known[i] != order[i] { return false }
    return true
  }

  /// A copy of the words, to keep.
  var keptWords: [UInt64] { (0..<wordCount).map { words[$0] } }
  /// A copy of the order, to keep.
  var keptOrder: [UInt64] { (0..<orderCount).map { order[$0] } }

  private func lengths(_ a: Int, _ b: Int, _ c: Int, _ d: Int) -> UInt64 {
    UInt64(UInt16(clamping: a)) << 48 | UInt64(UInt16(clamping: b)) << 32 | UInt64(UInt16(clamping: c)) << 16
      | UInt64(UInt16(clamping: d))
  }

  private mutating func append(word: UInt64) {
    guard wordCount < words.count else {
      isWhole = false
      return
    }
    words[wordCount] = word
    wordCount &+= 1
    hash = (hash ^ word) &* 0xff51_afd7_ed55_8ccd
    hash ^= hash >> 32
  }

  private mutating func append(_ value: UInt16) {
    pending = pending << 16 | UInt64(value)
    pendingCount &+= 1
    if pendingCount == 4 { flush() }
  }

  private mutating func flush() {
    guard pendingCount > 0 else { return }
    append(word: pending)
    pending = 0
    pendingCount = 0
  }

  /// Appends the two-byte values of a list on the wire, without GREASE.
  /// - Returns: how many there are.
  private mutating func append(pairs: RawSpan) -> Int {
    guard pairs.byteCount <= Self.maximumWords * 8 else {
      isWhole = false
      return 0
    }
    var count = 0
    for i in 0..<pairs.byteCount / 2 {
      let value = pairs.u16(2 &* i)
      if isGREASE(value) { continue }
      append(value)
      count &+= 1
    }
    return count
  }

  private mutating func append(singles: RawSpan) {
    guard singles.byteCount <= Self.maximumWords * 8 else {
      isWhole = false
      return
    }
    flush()
    var i = 0
    while singles.holds(8, at: i) {
      append(word: singles.u64(i))
      i &+= 8
    }
    var last: UInt64 = 0
    let hasLast = i < singles.byteCount
    while i < singles.byteCount {
      last = last << 8 | UInt64(singles.u8(i))
      i &+= 1
    }
    if hasLast { append(word: last) }
  }

  /// Appends the types of an extensions block without their order: those below 64 as a set, the others sorted.
  /// - Returns: how many of them are 64 and more.
  private mutating func append(typesOf block: RawSpan) -> Int {
    var low: UInt64 = 0
    var high = [16 of UInt16](repeating: 0)
    var highCount = 0
    var count = 0
    var place: UInt64 = 0
    var walk = ExtensionTypes(block)
    while let type = walk.next() {
      if isGREASE(type) { continue }
      place = place << 16 | UInt64(type)
      count &+= 1
      if count & 3 == 0 {
        appendOrder(place)
        place = 0
      }
      if type < 64 {
        // A set cannot tell two of a type from one.
        if low >> UInt64(type) & 1 == 1 { isWhole = false }
        low |= 1 << UInt64(type)
        continue
      }
      guard highCount < high.count else {
        isWhole = false
        continue
      }
      var at = highCount
      while at > 0, high[at &- 1] > type {
        high[at] = high[at &- 1]
        at &-= 1
      }
      high[at] = type
      highCount &+= 1
    }
    if count & 3 != 0 { appendOrder(place) }
    flush()
    append(word: low)
    for i in 0..<highCount { append(high[i]) }
    return highCount
  }

  private mutating func appendOrder(_ word: UInt64) {
    guard orderCount < order.count else {
      isWhole = false
      return
    }
    order[orderCount] = word
    orderCount &+= 1
  }
}
