public import Decode

/// How long a flow may be silent before it has ended, in seconds of packet time.
@frozen public struct FlowTimeouts: Sendable, Equatable {
  /// TCP of which only one side was heard, or whose handshake is under way.
  public var tcpNew: Int64 = 60
  /// TCP under way. Longer than the longest keep-alive seen on a courier connection: 1,800 s and 35 s of grace.
  public var tcpEstablished: Int64 = 3600
  /// TCP after a reset or both FINs: late retransmissions still belong to it.
  public var tcpClosed: Int64 = 10
  /// UDP of which only one side was heard.
  public var udpNew: Int64 = 60
  /// UDP heard from both sides: RFC 4787, section 4.3, asks NATs for at least two minutes.
  public var udpEstablished: Int64 = 180
  /// UDP from or to port 53, whose exchanges are over with the answer: resolvers repeat an unanswered query within
  /// seconds (RFC 1035, section 4.2.1, asks for 2 to 5).
  public var nameService: Int64 = 20
  /// The default times.
  public init() {}

  /// The nanoseconds of silence after which a flow in a state has ended.
  @inlinable @inline(__always)
  func nanoseconds(_ key: FlowKey, _ state: FlowState) -> Int64 {
    let seconds: Int64
    if key.transport == .tcp {
      seconds = state == .new ? tcpNew : state == .established ? tcpEstablished : tcpClosed
    } else if key.ports & 0xffff == 53 || key.ports >> 16 == 53 {
      seconds = nameService
    } else {
      seconds = state == .new ? udpNew : udpEstablished
    }
    return seconds &* 1_000_000_000
  }
}
