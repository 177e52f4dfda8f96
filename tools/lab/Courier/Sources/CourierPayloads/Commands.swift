import CourierProtocol

/// The courier's commands with the fields that real clients and servers send (apns.md section 7: pypush, rustpush,
/// beeper/imessage, pushproxy). Lengths of fields are theirs; a length that no source gives is called assumed.
public enum Commands {
  /// What a device says of itself when it connects.
  public struct DeviceDescription: Sendable {
    /// Field 9.
    public var operatingSystem = "26.5"
    /// Field 10.
    public var build = "23F77"
    /// Field 11.
    public var hardware = "iPhone13,2"
    /// Field 8.
    public var carrier = "WiFi"
    /// Bytes of the push certificate (about 820: pushproxy).
    public var certificateBytes = 820

    /// An iPhone of 2026.
    public init() {}
  }

  /// The first command of a connection. The nonce has 17 bytes and the signature 130, as rustpush makes them.
  public static func connect(
    token: [UInt8]?, device: DeviceDescription = DeviceDescription(), milliseconds: Int64,
    using random: inout SeededGenerator
  ) -> Command {
    var fields: [Field] = []
    if let token { fields.append(Field(1, .data(token), cached: true)) }
    fields += [
      Field(2, .integer(1)), Field(5, .integer(0x41)), Field(6, .integer(1)), Field(8, .string(device.carrier)),
      Field(9, .string(device.operatingSystem)), Field(10, .string(device.build)), Field(11, .string(device.hardware)),
      Field(12, .data([0x30, 0x82] + random.bytes(device.certificateBytes - 2))),
      Field(13, .data([0] + time(milliseconds) + random.bytes(8))), Field(14, .data([1, 1] + random.bytes(128))),
      Field(16, .integer(11)), Field(17, .integer(0)), Field(19, .integer(300)), Field(20, .integer(300)),
    ]
    return Command(.connect, fields)
  }

  /// The server's greeting. Message sizes of pushproxy and beeper; keep-alive intervals in seconds as seen in 2026.
  public static func connected(token: [UInt8], milliseconds: Int64, address: [UInt8]) -> Command {
    Command(
      .connected,
      [
        Field(1, .integer(0)), Field(3, .data(token), cached: true), Field(4, .integer(4_096)), Field(6, .integer(7)),
        Field(8, .integer(15_360)), Field(10, .integer(milliseconds)), Field(11, .string("EU")),
        Field(16, .integer(600)),
        Field(17, .integer(900)), Field(18, .integer(1_800)), Field(19, .data(address)),
      ])
  }

  /// The device is in use.
  public static func setState() -> Command {
    Command(.setState, [Field(1, .integer(1)), Field(2, .integer(0x7FFF_FFFF))])
  }

  /// Topics that the device wants: all but some are enabled, the last ones opportunistic or ignored (shares assumed).
  public static func filter(token: [UInt8], topics: [Topic]) -> Command {
    let fields = topics.enumerated().map { number, topic in
      Field(number % 20 == 18 ? 4 : number % 20 == 19 ? 3 : 2, .data(topic.hash))
    }
    return Command(.filter, [Field(1, .data(token), cached: true)] + fields)
  }

  /// Nothing (more) is stored for the device.
  public static func noStorage(token: [UInt8]) -> Command {
    Command(.noStorage, [Field(1, .data(token), cached: true)])
  }

  /// A notification on its way down; `time` counts nanoseconds since 1970, `isStored` and `isLast` say whether it comes
  /// from storage and whether it is the last that does.
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

  /// A message on its way up.
  public static func up(token: [UInt8], topic: Topic, payload: Value, number: UInt32) -> Command {
    Command(
      .notification,
      [
        Field(1, .data(topic.hash), cached: true), Field(2, .data(token), cached: true), Field(3, payload),
        Field(4, .integer(Int64(number))),
      ])
  }

  /// A device's answer to a notification.
  public static func ack(token: [UInt8], number: UInt32, status: Int64 = 0) -> Command {
    Command(
      .ack, [Field(1, .data(token), cached: true), Field(4, .integer(Int64(number))), Field(8, .integer(status))])
  }

  /// The courier's answer to a message.
  public static func serverAck(number: UInt32, status: Int64 = 0) -> Command {
    Command(.ack, [Field(4, .integer(Int64(number))), Field(8, .integer(status))])
  }

  /// What a device says when keep-alives are agreed on anew; empty where `minutes` is nil.
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

  /// Zero bytes that were asked for: Apple's own padding (64, 128, 256 and 512 were seen in 2013).
  public static func flush(padding: Int) -> Command {
    Command(
      .flush, [Field(1, .integer(Int64(padding))), Field(2, .data([UInt8](repeating: 0, count: max(0, padding))))])
  }

  /// Go to another courier.
  public static func redirect(host: String) -> Command {
    Command(.redirect, [Field(2, .string(host)), Field(9, .integer(1))])
  }

  /// Asks for a token that only one app uses.
  public static func scopedTokenRequest(token: [UInt8], topic: Topic) -> Command {
    Command(
      .scopedTokenRequest,
      [Field(1, .data(token), cached: true), Field(2, .data(topic.hash)), Field(3, .string(topic.name))])
  }

  /// The token that was asked for.
  public static func scopedTokenResponse(topic: [UInt8], token: [UInt8]) -> Command {
    Command(.scopedTokenResponse, [Field(1, .integer(0)), Field(2, .data(token)), Field(3, .data(topic))])
  }

  /// Follows a channel (presence, Live Activities).
  public static func subscribe(token: [UInt8], topic: Topic, number: UInt32) -> Command {
    Command(
      .channelSubscribe,
      [Field(1, .integer(Int64(number))), Field(2, .data(topic.hash)), Field(3, .data(token), cached: true)])
  }

  /// News of a channel.
  public static func channelUpdate(number: UInt32, payload: [UInt8]) -> Command {
    Command(.channelUpdate, [Field(1, .integer(Int64(number))), Field(2, .data(payload)), Field(4, .integer(0))])
  }

  private static func time(_ milliseconds: Int64) -> [UInt8] {
    (0..<8).reversed().map { UInt8(truncatingIfNeeded: milliseconds >> (8 * Int64($0))) }
  }
}
