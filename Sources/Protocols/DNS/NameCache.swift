public import Bytes

/// Which names lead to an address, as seen in DNS answers: first for the client that asked, then for anybody.
///
/// The clock is the packets' own. Names are kept longer than their TTL (`lifetime(of:)`). A fixed number of entries is
/// kept in a ring: the newest takes the place of the oldest, which is counted where it still was valid.
public struct NameCache: Sendable {
  /// Entries of a cache, unless asked otherwise: some 100 bytes each.
  public static let defaultCapacity = 1 << 16
  /// The most names that a look-up returns.
  public static let maximumNames = 8
  /// The most entries that a look-up goes through.
  static let maximumSteps = 64

  /// Entries that were still valid when a newer one took their place.
  public private(set) var evictions: UInt64 = 0

  private let capacity: Int
  private var entries: [Entry] = []
  /// Number of the next entry; entry `n` lies at `n % capacity` until entry `n + capacity` takes its place.
  private var next = 1
  private var newestOfPair: [Pair: Int] = [:]
  private var newestOfServer: [IPAddress: Int] = [:]

  private struct Pair: Hashable {
    var client: IPAddress
    var server: IPAddress
  }

  private struct Entry {
    var number: Int
    var pair: Pair
    var name: String
    var learned: Int64
    var expiry: Int64
    /// The entry before this of the same pair, and of the same server; 0 for none.
    var olderOfPair: Int
    var olderOfServer: Int
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
    let pair = Pair(client: client, server: answer.address)
    let expiry = time.addingReportingOverflow(Self.lifetime(of: answer.timeToLive)).partialValue
    if let newest = newestOfPair[pair], let index = index(of: newest), entries[index].name == answer.name {
      entries[index].learned = min(entries[index].learned, time)
      entries[index].expiry = max(entries[index].expiry, expiry)
      return
    }
    let number = next
    next += 1
    let entry = Entry(
      number: number, pair: pair, name: answer.name, learned: time, expiry: expiry,
      olderOfPair: newestOfPair[pair] ?? 0, olderOfServer: newestOfServer[pair.server] ?? 0)
    let index = number % capacity
    if index < entries.count {
      forget(entries[index], at: time)
      entries[index] = entry
    } else {
      // Entry 0 does not exist: its place is filled so that the index of an entry is its number modulo the capacity.
      while entries.count <= index { entries.append(entry) }
    }
    newestOfPair[pair] = number
    newestOfServer[pair.server] = number
  }

  private mutating func forget(_ entry: Entry, at time: Int64) {
    guard entry.number <= next - 1 - capacity else { return }
    if entry.expiry >= time { evictions &+= 1 }
    if newestOfPair[entry.pair] == entry.number { newestOfPair[entry.pair] = nil }
    if newestOfServer[entry.pair.server] == entry.number { newestOfServer[entry.pair.server] = nil }
  }

  private func index(of number: Int) -> Int? {
    let index = number % capacity
    guard number > 0, index < entries.count, entries[index].number == number else { return nil }
    return index
  }

  /// Names that this client was told for the server's address, newest first.
  /// - Parameters:
  ///   - client: the side that opened the flow.
  ///   - server: the address it went to.
  ///   - time: when the flow began, in nanoseconds since 1970; an answer after that does not count.
  /// - Returns: at most `maximumNames` names.
  public func names(client: IPAddress, server: IPAddress, at time: Int64) -> [String] {
    guard !entries.isEmpty else { return [] }
    let pair = Pair(client: client, server: server)
    return collect(from: newestOfPair[pair], at: time, older: { $0.olderOfPair }, where: { _ in true })
  }

  /// Names that others were told for the server's address, newest first: weaker, but all there is where the capture
  /// lies behind a resolver or a forwarder that asks on its clients' behalf.
  /// - Parameters:
  ///   - client: the side that opened the flow; its own answers are left out.
  ///   - server: the address it went to.
  ///   - time: when the flow began, in nanoseconds since 1970.
  /// - Returns: at most `maximumNames` names.
  public func namesToldToOthers(client: IPAddress, server: IPAddress, at time: Int64) -> [String] {
    guard !entries.isEmpty else { return [] }
    return collect(
      from: newestOfServer[server], at: time, older: { $0.olderOfServer }, where: { $0.pair.client != client })
  }

  private func collect(
    from newest: Int?, at time: Int64, older: (Entry) -> Int, where isWanted: (Entry) -> Bool
  ) -> [String] {
    var names: [String] = []
    var number = newest ?? 0
    for _ in 0..<Self.maximumSteps {
      guard names.count < Self.maximumNames, let index = index(of: number) else { break }
      let entry = entries[index]
      let isValid = entry.learned <= time && time <= entry.expiry
      if isValid, isWanted(entry), !names.contains(entry.name) { names.append(entry.name) }
      number = older(entry)
    }
    return names
  }
}
