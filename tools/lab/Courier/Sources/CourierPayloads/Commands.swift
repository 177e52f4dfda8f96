import CourierProtocol

/// The courier's commands with the fields that real clients and servers send (pypush, rustpush,
/// beeper/imessage, pushproxy). Lengths of fields are theirs; a length that no source gives is called assumed.
public enum Commands {
  /// What a device says of itself when it connects.
  public struct DeviceDescription: Sendable {
    /// Field 5, 4 bytes: 0x41, and 0x04 more on a connection of the system (pypush).
    public var flags: Int64 = 0x41
    /// Field 6, 1 byte; that 1 is Wi-Fi is assumed.
    public var interface: Int64 = 1
    /// Field 8: "WiFi", or the numbers of country and network.
    public var carrier = "WiFi"
    /// Field 9.
    public var operatingSystem = "26.5"
    /// Field 10.
    public var build = "23F77"
    /// Field 11.
    public var hardware = "iPhone13,2"
    /// Bytes of the push certificate, field 12: 820, as the size model has it; at least 4.
    public var certificateBytes = 820
    /// Field 16, 2 bytes: 11 in pypush, 9 in rustpush.
    public var version: Int64 = 11
    /// Field 17, 1 byte.
    public var redirects: Int64 = 0
    /// Field 19, milliseconds that the name's look-up took; its 4 bytes in the older framing are assumed.
    public var lookup: Int64 = 300
    /// Field 20, milliseconds that the TLS handshake took; its 4 bytes in the older framing are assumed.
    public var handshake: Int64 = 300

    /// An iPhone of 2026.
    public init() {}
  }

  /// The first command of a connection.
  ///
  /// The token has 32 bytes and is nil where the device has none yet; `milliseconds` since 1970 stand in the nonce and in
  /// field 22 (8 bytes: apsd; that it counts milliseconds is assumed).
  ///
  /// The nonce has 17 bytes (0, the time, 8 random ones) and the signature 130 (01 01 and RSA-1024), as pypush and
  /// rustpush make them. Certificate and signature are random bytes in the right shape.
  public static func connect(
    token: [UInt8]?, device: DeviceDescription = DeviceDescription(), milliseconds: Int64,
    using random: inout SeededGenerator
  ) -> Command {
    var fields: [Field] = []
    if let token { fields.append(Field(1, .data(token), cached: true)) }
    // DER: a sequence whose length takes two bytes.
    let inner = max(0, device.certificateBytes - 4)
    let certificate =
      [0x30, 0x82, UInt8(truncatingIfNeeded: inner >> 8), UInt8(truncatingIfNeeded: inner)] + random.bytes(inner)
    fields += [
      Field(2, .integer(1)), Field(5, .integer(device.flags)), Field(6, .integer(device.interface)),
      Field(8, .string(device.carrier)), Field(9, .string(device.operatingSystem)), Field(10, .string(device.build)),
      Field(11, .string(device.hardware)), Field(12, .data(certificate)),
      Field(13, .data([0] + time(milliseconds) + random.bytes(8))), Field(14, .data([1, 1] + random.bytes(128))),
      Field(16, .integer(device.version)), Field(17, .integer(device.redirects)), Field(19, .integer(device.lookup)),
      Field(20, .integer(device.handshake)), Field(22, .integer(milliseconds)),
    ]
    return Command(.connect, fields)
  }

  /// The server's greeting.
  ///
  /// `MessageSize` 4,096 and `LargeMessageSize` 15 KiB are pushproxy's and beeper's; the three keep-alive intervals, in
  /// seconds, those that an iPhone of 2026 agreed on, their 4 bytes in the older framing assumed, as is the region. The
  /// address is the client's, 4 or 16 bytes.
  public static func connected(token: [UInt8], milliseconds: Int64, address: [UInt8]) -> Command {
    Command(
      .connected,
      [
        Field(1, .integer(0)), Field(3, .data(token), cached: true), Field(4, .integer(4_096)), Field(6, .integer(7)),
        Field(8, .integer(15_360)), Field(10, .integer(milliseconds)), Field(11, .string("EU")),
        Field(16, .integer(600)), Field(17, .integer(900)), Field(18, .integer(1_800)), Field(19, .data(address)),
      ])
  }

  /// The device is in use: state 1 (1 byte) for an interval of 0x7FFFFFFF (4 bytes), as pypush sends it.
  public static func setState() -> Command {
    Command(.setState, [Field(1, .integer(1)), Field(2, .integer(0x7FFF_FFFF))])
  }

  /// Topics that the device wants, each 20 bytes under the number of its `attention`, and those ignored (field 3) or
  /// not worth waking for (field 6).
  public static func filter(
    token: [UInt8], topics: [Topic], ignored: [Topic] = [], nonWaking: [Topic] = []
  ) -> Command {
    func fields(_ id: UInt8, _ topics: [Topic]) -> [Field] { topics.map { Field(id, .data($0.hash)) } }
    return Command(
      .filter,
      [Field(1, .data(token), cached: true)]
        + Topic.Attention.allCases.flatMap { kind in fields(kind.rawValue, topics.filter { $0.attention == kind }) }
        + fields(3, ignored) + fields(6, nonWaking))
  }

  /// Nothing (more) is stored for the device.
  public static func noStorage(token: [UInt8]) -> Command {
    Command(.noStorage, [Field(1, .data(token), cached: true)])
  }

  /// A notification on its way down: token, topic, payload, number (4 bytes), no expiry (4), time (8).
  ///
  /// Fields 13, 21, 24, 26 and 28 are known to exist, but not when the server sends them: they are left out (assumed).
  ///
  /// `time` counts nanoseconds since 1970; `isStored` says that it comes from storage, and `isLast` that it is the last
  /// that does (field 7, 1 byte).
  public static func down(
    token: [UInt8], topic: Topic, payload: Value, number: UInt32, time: Int64, isStored: Bool = false,
    isLast: Bool = false
  ) -> Command {
    var fields = [
      Field(1, .data(token), cached: true), Field(2, .data(topic.hash), cached: true), Field(3, payload),
      Field(4, .integer(Int64(number))), Field(5, .integer(0xFFFF_FFFF)), Field(6, .integer(time)),
    ]
    if isStored { fields.append(Field(7, .integer(isLast ? 2 : 1))) }
    return Command(.notification, fields)
  }

  /// A message on its way up: topic, token, payload, number (4 bytes), as beeper and rustpush send it.
  public static func up(token: [UInt8], topic: Topic, payload: Value, number: UInt32) -> Command {
    Command(
      .notification,
      [
        Field(1, .data(topic.hash), cached: true), Field(2, .data(token), cached: true), Field(3, payload),
        Field(4, .integer(Int64(number))),
      ])
  }

  /// A device's answer to a notification: 51 bytes in the older framing, 12 in the packed one once the token is cached.
  public static func ack(token: [UInt8], number: UInt32, status: Int64 = 0) -> Command {
    Command(
      .ack, [Field(1, .data(token), cached: true), Field(4, .integer(Int64(number))), Field(8, .integer(status))])
  }

  /// The courier's answer to a message: number (4 bytes) and status (1); that it has no token is assumed.
  public static func serverAck(number: UInt32, status: Int64 = 0) -> Command {
    Command(.ack, [Field(4, .integer(Int64(number))), Field(8, .integer(status))])
  }

  /// What a device says when keep-alives are agreed on anew; empty where `minutes` is nil. Fields 1 to 5 are pushproxy's,
  /// the width of the interval (4 bytes) in the older framing is assumed.
  public static func keepAlive(minutes: Int64? = nil) -> Command {
    guard let minutes else { return Command(.keepAlive) }
    return Command(
      .keepAlive,
      [
        Field(1, .string("WiFi")), Field(2, .string("26.5")), Field(3, .string("23F77")),
        Field(4, .string("iPhone13,2")),
        Field(5, .integer(minutes)),
      ])
  }

  /// The server's keep-alive: 4 bytes in the packed framing, the record of 26 bytes that was seen in 2026.
  public static func keepAliveResponse() -> Command { Command(.keepAliveResponse, [Field(1, .integer(0))]) }

  /// Zero bytes that were asked for, and their number (2 bytes): Apple's own padding (64, 128, 256 and 512 were seen in 2013).
  public static func flush(padding: Int) -> Command {
    Command(
      .flush, [Field(1, .integer(Int64(padding))), Field(2, .data([UInt8](repeating: 0, count: max(0, padding))))])
  }

  /// Go to another courier. What the server's metadata hold is not published: a host's name is assumed.
  public static func redirect(host: String) -> Command {
    Command(.redirect, [Field(2, .string(host)), Field(9, .integer(1))])
  }

  /// Asks for a token that only one app uses: token (32 bytes), topic (20), name (pypush, rustpush).
  public static func scopedTokenRequest(token: [UInt8], topic: Topic) -> Command {
    Command(
      .scopedTokenRequest,
      [Field(1, .data(token), cached: true), Field(2, .data(topic.hash)), Field(3, .string(topic.name))])
  }

  /// The token that was asked for.
  public static func scopedTokenResponse(topic: [UInt8], token: [UInt8]) -> Command {
    Command(.scopedTokenResponse, [Field(1, .integer(0)), Field(2, .data(token)), Field(3, .data(topic))])
  }

  /// Follows a channel (presence, Live Activities). The names of the fields are apsd's, their lengths assumed.
  public static func subscribe(token: [UInt8], topic: Topic, number: UInt32) -> Command {
    Command(
      .channelSubscribe,
      [Field(1, .integer(Int64(number))), Field(2, .data(topic.hash)), Field(3, .data(token), cached: true)])
  }

  /// News of a channel; the length of the payload is the caller's assumption.
  public static func channelUpdate(number: UInt32, payload: [UInt8]) -> Command {
    Command(.channelUpdate, [Field(1, .integer(Int64(number))), Field(2, .data(payload)), Field(4, .integer(0))])
  }

  private static func time(_ milliseconds: Int64) -> [UInt8] {
    (0..<8).reversed().map { UInt8(truncatingIfNeeded: milliseconds >> (8 * Int64($0))) }
  }
}
