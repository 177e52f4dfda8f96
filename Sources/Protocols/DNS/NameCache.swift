public import Bytes

/// Which names lead to an address, as seen in DNS answers: first for the client that asked, then for anybody.
///
/// The clock is the packets' own. Names are kept longer than their TTL (`lifetime(of:)`). A fixed number of entries is
/// kept in a ring: the newest takes the place of the oldest, which is counted where it still was valid.
///
/// Two hash tables lead into the ring, one by client and server, one by server. Their places hold the number of the
/// newest entry, and each entry that of an older one of the same place. Numbers only grow, so a chain ends by itself at
/// the first number that the ring has let go of: nothing is ever taken out of it.
public struct NameCache: Sendable {
  /// Entries of a cache, unless asked otherwise: some 100 bytes each.
  public static let defaultCapacity = 1 << 16
  /// The most names that a look-up returns.
  public static let maximumNames = 8
  /// The most entries that a look-up goes through; what clients make collide on purpose costs no more.
  static let maximumSteps = 64

  /// Entries that were still valid when a newer one took their place.
  public private(set) var evictions: UInt64 = 0

  private let capacity: Int
  private let seed = UInt64.random(in: .min ... .max)
  private var entries: [Entry] = []
  /// Number of the next entry; entry `n` lies at `n % capacity` until entry `n + capacity` takes its place.
  private var next = 1
  /// Numbers of the newest entries, by hash. Both have the same power of two of places, at least as many as there are
  /// entries.
  private var newestOfPair: [Number] = []
  private var newestOfServer: [Number] = []

  /// The low 32 bits of an entry's number; 0 for none. That of an entry from 2^32 ago may name a newer one, which then
  /// is another client's or server's and is passed over as any other of its place.
  private typealias Number = UInt32

  private struct Entry {
    var number: Number
    var client: IPAddress
    var server: IPAddress
    var name: String
    var learned: Int64
    var expiry: Int64
    /// The entry before this in the same place of each table; 0 for none.
    var olderOfPair: Number
    var olderOfServer: Number
  }

  /// An empty cache; it takes memory as it learns.
  /// - Parameter capacity: the most entries, at least 1.
  public init(capacity: Int = NameCache.defaultCapacity) { self.capacity = max(capacity, 1) }

  /// Whether nothing was ever learned.
  public var isEmpty: Bool { entries.isEmpty }

  /// Nanoseconds for which an answer may explain new connections: twice its TTL, at least ten minutes, at most a day.
  ///
  /// A TTL bounds what resolvers keep, not what programs do: names answered with 20 to 60 seconds are held by the
  /// client's own caches and connection pools for minutes, clocks of two caches in a row add up to twice the TTL at
  /// worst, and a resolver may serve a stale answer (RFC 8767). A name kept too long costs little, since a newer name
  /// of the same address comes first.
  public static func lifetime(of timeToLive: UInt32) -> Int64 {
    let seconds = min(max(2 * Int64(timeToLive), 600), 86_400)
    return seconds * 1_000_000_000
  }

  /// Remembers what a client was told.
  /// - Parameters:
  ///   - client: who asked.
  ///   - answers: what it was told.
  ///   - time: when, in nanoseconds since 1970.
  public mutating func learn(client: IPAddress, answers: [DNSAnswer], at time: Int64) {
    for answer in answers { learn(client, answer, at: time) }
  }

  private mutating func learn(_ client: IPAddress, _ answer: DNSAnswer, at time: Int64) {
    let server = answer.address
    let expiry = time.addingReportingOverflow(Self.lifetime(of: answer.timeToLive)).partialValue
    if let index = newestIndex(client, server), entries[index].name == answer.name {
      entries[index].learned = min(entries[index].learned, time)
      entries[index].expiry = max(entries[index].expiry, expiry)
      return
    }
    let entry = Entry(
      number: Number(truncatingIfNeeded: next), client: client, server: server, name: answer.name, learned: time,
      expiry: expiry, olderOfPair: 0,
      olderOfServer: 0)
    let index = next % capacity
    next += 1
    if index < entries.count {
      if self.index(of: entries[index].number) == nil, entries[index].expiry >= time { evictions &+= 1 }
      entries[index] = entry
    } else {
      // Entry 0 does not exist: its place is filled so that the index of an entry is its number modulo the capacity.
      while entries.count <= index { entries.append(entry) }
    }
    if newestOfPair.count < entries.count { rebuild() } else { link(index) }
  }

  /// Puts an entry before those of its places.
  private mutating func link(_ index: Int) {
    let pair = place(entries[index].client, entries[index].server)
    entries[index].olderOfPair = newestOfPair[pair]
    newestOfPair[pair] = entries[index].number
    let server = place(entries[index].server)
    var older = newestOfServer[server]
    // Of entries that tell others the same name, only the one that stays valid longest is walked through.
    if let before = self.index(of: older), entries[before].server == entries[index].server,
      entries[before].expiry <= entries[index].expiry, entries[before].name == entries[index].name
    {
      older = entries[before].olderOfServer
    }
    entries[index].olderOfServer = older
    newestOfServer[server] = entries[index].number
  }

  /// Makes the tables anew for four times as many entries, so that this seldom happens.
  private mutating func rebuild() {
    var places = 64
    while places < 4 * entries.count { places *= 2 }
    newestOfPair = Array(repeating: 0, count: places)
    newestOfServer = newestOfPair
    for number in max(next - capacity, 1)..<next { link(number % capacity) }
  }

  private func place(_ address: IPAddress, _ other: IPAddress = IPAddress(high: 0, low: 0)) -> Int {
    let hash = Self.mix(Self.mix(Self.mix(Self.mix(seed, address.high), address.low), other.high), other.low)
    return Int(truncatingIfNeeded: hash) & (newestOfPair.count - 1)
  }

  private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let product = (hash ^ word) &* 0x9e37_79b9_7f4a_7c15
    return product ^ product >> 32
  }

  /// Where an entry lies that the ring still has.
  private func index(of number: Number) -> Int? {
    let steps = Int(Number(truncatingIfNeeded: next &- 1) &- number)
    guard number != 0, steps < capacity, steps < next &- 1 else { return nil }
    let index = (next &- 1 &- steps) % capacity
    guard index < entries.count, entries[index].number == number else { return nil }
    return index
  }

  /// Where the newest entry of a client and server lies.
  private func newestIndex(_ client: IPAddress, _ server: IPAddress) -> Int? {
    guard !newestOfPair.isEmpty else { return nil }
    var number = newestOfPair[place(client, server)]
    for _ in 0..<Self.maximumSteps {
      guard let index = index(of: number) else { return nil }
      if entries[index].client == client, entries[index].server == server { return index }
      number = entries[index].olderOfPair
    }
    return nil
  }

  /// Names that this client was told for the server's address, newest first.
  /// - Parameters:
  ///   - client: the side that opened the flow.
  ///   - server: the address it went to.
  ///   - time: when the flow began, in nanoseconds since 1970; an answer after that does not count.
  /// - Returns: at most `maximumNames` names.
  public func names(client: IPAddress, server: IPAddress, at time: Int64) -> [String] {
    guard !newestOfPair.isEmpty else { return [] }
    var names: [String] = []
    var number = newestOfPair[place(client, server)]
    for _ in 0..<Self.maximumSteps {
      guard names.count < Self.maximumNames, let index = index(of: number) else { break }
      if entries[index].client == client, entries[index].server == server { add(index, at: time, to: &names) }
      number = entries[index].olderOfPair
    }
    return names
  }

  /// Names that others were told for the server's address, newest first: weaker, but all there is where the capture
  /// lies behind a resolver or a forwarder that asks on its clients' behalf.
  /// - Parameters:
  ///   - client: the side that opened the flow; what it was told itself is left out.
  ///   - server: the address it went to.
  ///   - time: when the flow began, in nanoseconds since 1970.
  /// - Returns: at most `maximumNames` names.
  public func namesToldToOthers(client: IPAddress, server: IPAddress, at time: Int64) -> [String] {
    guard !newestOfServer.isEmpty else { return [] }
    var names: [String] = []
    var number = newestOfServer[place(server)]
    for _ in 0..<Self.maximumSteps {
      guard names.count < Self.maximumNames, let index = index(of: number) else { break }
      if entries[index].server == server, entries[index].client != client { add(index, at: time, to: &names) }
      number = entries[index].olderOfServer
    }
    return names
  }

  private func add(_ index: Int, at time: Int64, to names: inout [String]) {
    guard entries[index].learned <= time, time <= entries[index].expiry, !names.contains(entries[index].name) else {
      return
    }
    names.append(entries[index].name)
  }
}
