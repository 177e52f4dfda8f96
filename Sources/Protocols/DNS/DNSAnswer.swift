public import Bytes

/// A name that an answer gave to an address, after following CNAMEs.
public struct DNSAnswer: Sendable, Equatable {
  /// The name that was asked for.
  public var name: String
  /// The address it leads to.
  public var address: IPAddress
  /// Seconds that the answer may be kept: the smallest TTL on the way.
  public var timeToLive: UInt32
  /// An answer.
  public init(name: String, address: IPAddress, timeToLive: UInt32) {
    self.name = name
    self.address = address
    self.timeToLive = timeToLive
  }
}
