import CourierProtocol

/// Numbers in the key `c` of a payload: what an identity services' message is (beeper/imessage, rustpush).
public enum IDSCommand: Int64, Sendable, CaseIterable {
  case devicesUpdated = 34
  case httpRequest = 96
  case httpResponse = 97
  case message = 100
  case delivered = 101
  case read = 102
  case edit = 118
  case peerCacheInvalidate = 130
  case uploadAuthorization = 150
  case downloadAuthorization = 151
  case quickRelay = 200
  case faceTimeJoin = 207
  case faceTimeLeave = 208
  case faceTimeUpdate = 209
  case statusKeys = 227
  case alloy = 242
  case serverAck = 255
}

/// A device that a message goes to.
public struct Destination: Sendable, Equatable {
  /// `mailto:` or `tel:` and the address.
  public var handle: String
  /// 32 bytes.
  public var token: [UInt8]
  /// 46 bytes in the size model; assumed.
  public var session: [UInt8]

  /// A device by its owner's handle, its push token and the session token of the sender's look-up.
  public init(handle: String, token: [UInt8], session: [UInt8]) {
    (self.handle, self.token, self.session) = (handle, token, session)
  }
}

/// The payload of an identity services' message, as it leaves a device.
///
/// Keys: beeper/imessage `sendmessagepayload.go`, rustpush `src/ids/identity_manager.rs`.
public struct OutgoingMessage: Sendable {
  /// What it is.
  public var command: IDSCommand
  /// The sender's handle.
  public var sender: String
  /// `[macOS,14.4,23E214,Mac14,2]` in the size model.
  public var userAgent = "[macOS,14.4,23E214,Mac14,2]"
  /// 16 bytes that name the message.
  public var uuid: [UInt8]
  /// The number that acks refer to.
  public var number: UInt32
  /// All devices of the receivers, and the sender's own others.
  public var destinations: [Destination]
  /// What is encrypted for each device, in bytes; nil where the message has no ciphertext.
  public var clearBytes: Int?
  /// How.
  public var encryption = Encryption.pairEC
  /// Whether the courier leaves out its word per device.
  public var wantsNoResponse = false
  /// Whether it is worth nothing later (typing).
  public var expiresAtOnce = false
  /// Entries that only this kind of message has.
  public var extra: [Value.Entry] = []

  /// A message of a device.
  public init(
    _ command: IDSCommand, sender: String, uuid: [UInt8], number: UInt32, destinations: [Destination],
    clearBytes: Int? = nil
  ) {
    (self.command, self.sender, self.uuid, self.number) = (command, sender, uuid, number)
    (self.destinations, self.clearBytes) = (destinations, clearBytes)
  }

  /// The payload, with a ciphertext for each device.
  public func payload(using random: inout SeededGenerator) -> Value {
    let devices = destinations.map { destination -> Value in
      var entries: [Value.Entry] = [
        .init("tP", .string(destination.handle)), .init("D", .bool(true)), .init("sT", .data(destination.session)),
        .init("t", .data(destination.token)),
      ]
      if let clearBytes {
        entries.append(.init("P", .data(encryption.ciphertext(of: clearBytes, using: &random))))
        if encryption == .pairEC { entries.append(.init("E", .string(encryption.rawValue))) }
      }
      return .dictionary(entries)
    }
    var entries: [Value.Entry] = [
      .init("fcn", .integer(1)), .init("c", .integer(command.rawValue)), .init("ua", .string(userAgent)),
      .init("v", .integer(8)), .init("i", .integer(Int64(number))), .init("U", .data(uuid)),
      .init("dtl", .array(devices)),
      .init("sP", .string(sender)),
    ]
    if clearBytes != nil { entries.append(.init("E", .string("pair"))) }
    if wantsNoResponse { entries.append(.init("nr", .bool(true))) }
    if expiresAtOnce { entries.append(.init("eX", .integer(0))) }
    return .dictionary(entries + extra)
  }
}

/// The payload of an identity services' message, as it comes to a device.
public enum IncomingMessage {
  /// What the courier makes of an outgoing message for one of its destinations.
  ///
  /// - Parameters:
  ///   - payload: as the sender's device wrote it.
  ///   - destination: the entry of `dtl`.
  ///   - senderToken: 32 bytes.
  ///   - time: nanoseconds since 1970.
  /// - Returns: the payload of the receiver's notification.
  public static func payload(from payload: Value, for destination: Value, senderToken: [UInt8], time: Int64) -> Value {
    var entries: [Value.Entry] = []
    func take(_ key: String, _ value: Value?) { if let value { entries.append(.init(key, value)) } }
    take("c", payload["c"])
    take("U", payload["U"])
    take("e", .integer(time))
    take("t", .data(senderToken))
    take("sP", payload["sP"])
    take("tP", destination["tP"])
    take("v", payload["v"])
    take("i", payload["i"])
    take("P", destination["P"])
    if destination["P"] != nil { take("E", destination["E"] ?? payload["E"]) }
    // What belongs to one kind of message goes along; what only the courier needs does not.
    let own: Set<String> = ["fcn", "c", "ua", "v", "i", "U", "dtl", "sP", "E", "nr", "eX"]
    if case .dictionary(let all) = payload { entries += all.filter { !own.contains($0.key) } }
    return .dictionary(entries)
  }

  /// The courier's word that a message was taken for a device (c = 255).
  public static func serverAck(uuid: [UInt8], token: [UInt8], number: UInt32, status: Int64 = 0) -> Value {
    .dictionary([
      .init("c", .integer(IDSCommand.serverAck.rawValue)), .init("U", .data(uuid)), .init("s", .integer(status)),
      .init("t", .data(token)), .init("i", .integer(Int64(number))),
    ])
  }
}

/// Requests that a device makes of Apple's servers over the courier connection, and their answers.
public enum CourierRequest {
  /// HTTP over the courier (c = 96): a look-up of a person's keys. `bytes` counts the request's body; no published
  /// lengths were found, the caller assumes one. Names of headers are pypush's; nonce and signature have the lengths of
  /// the connect command's, the certificate's 1,000 bytes are assumed.
  public static func lookup(uuid: [UInt8], number: UInt32, bytes: Int, using random: inout SeededGenerator) -> Value {
    .dictionary([
      .init("c", .integer(IDSCommand.httpRequest.rawValue)), .init("U", .data(uuid)),
      .init("i", .integer(Int64(number))),
      .init("u", .string("https://query.ess.apple.com/WebObjects/QueryService.woa/wa/query")),
      .init("b", .data(random.bytes(bytes))), .init("cT", .string("application/x-apple-plist")),
      .init("v", .integer(2)),
      .init(
        "h",
        .dictionary([
          .init("x-id-self-uri", .string("mailto:phone@example.com")), .init("x-protocol-version", .string("1640")),
          .init("user-agent", .string("com.apple.madrid-lookup [macOS,14.4,23E214,Mac14,2]")),
          .init("x-push-token", .string(String(repeating: "A", count: 44))),
          .init("x-id-sig", .data(random.bytes(130))), .init("x-id-nonce", .data(random.bytes(17))),
          .init("x-id-cert", .data(random.bytes(1_000))),
        ])),
    ])
  }

  /// The answer to a request (c = 97), with a body of so many bytes.
  public static func answer(uuid: [UInt8], bytes: Int, using random: inout SeededGenerator) -> Value {
    .dictionary([
      .init("c", .integer(IDSCommand.httpResponse.rawValue)), .init("U", .data(uuid)), .init("hs", .integer(200)),
      .init("b", .data(random.bytes(bytes))), .init("v", .integer(2)),
    ])
  }

  /// Asks where an attachment may be put (c = 150) or fetched (c = 151). Keys are beeper's; a signature of 21 bytes
  /// (SHA-1 and a byte) and all other lengths are assumed.
  public static func attachment(
    _ command: IDSCommand, uuid: [UInt8], number: UInt32, bytes: Int, using random: inout SeededGenerator
  ) -> Value {
    .dictionary([
      .init("c", .integer(command.rawValue)), .init("U", .data(uuid)), .init("i", .integer(Int64(number))),
      .init("mL", .integer(Int64(bytes))), .init("mS", .data(random.bytes(21))),
      .init("mA", .string("com.apple.Messenger")),
      .init("ua", .string("[macOS,14.4,23E214,Mac14,2]")), .init("cV", .integer(2)), .init("v", .integer(3)),
    ])
  }

  /// Where to: a host that the server names (`mR`), and leave to go there, whose 360 bytes are assumed.
  public static func attachmentAnswer(
    _ command: IDSCommand, uuid: [UInt8], host: String, using random: inout SeededGenerator
  ) -> Value {
    .dictionary([
      .init("c", .integer(command.rawValue)), .init("U", .data(uuid)),
      .init("mR", .string("https://\(host)/\(random.uuid())")),
      .init("mA", .data(random.bytes(360))), .init("mU", .string("M\(random.uuid()).C01USN00")),
      .init("s", .integer(0)),
    ])
  }

  /// Asks for relays of a call (c = 200, `qat` 3, `qv` 25: rustpush `src/facetime.rs`). The lengths of `qai` (96) and of
  /// the texts are assumed.
  public static func relay(
    uuid: [UInt8], number: UInt32, session: String, participants: Int, using random: inout SeededGenerator
  )
    -> Value
  {
    .dictionary([
      .init("c", .integer(IDSCommand.quickRelay.rawValue)), .init("U", .data(uuid)),
      .init("i", .integer(Int64(number))),
      .init("qv", .integer(25)), .init("qat", .integer(3)), .init("qids", .string(session)),
      .init("qgid", .string(random.uuid())), .init("qgmc", .integer(Int64(participants))),
      .init("qai", .data(random.bytes(96))), .init("ua", .string("[macOS,14.4,23E214,Mac14,2]")),
      .init("v", .integer(8)),
    ])
  }

  /// Relays of a call: an address, a token and a number for each participant. That there is one of each is rustpush's,
  /// the names of the inner keys and the 16 bytes of tokens and keys are assumed.
  public static func relayAnswer(
    uuid: [UInt8], session: String, relay: [UInt8], port: Int64, participants: Int, using random: inout SeededGenerator
  ) -> Value {
    let allocations = (0..<participants).map { participant -> Value in
      .dictionary([
        .init("qrip", .data(relay)), .init("qrp", .integer(port)), .init("qst", .data(random.bytes(16))),
        .init("qsk", .data(random.bytes(16))), .init("qpid", .integer(Int64(bitPattern: random.next() >> 1))),
        .init("qal", .integer(Int64(participant))),
      ])
    }
    return .dictionary([
      .init("c", .integer(IDSCommand.quickRelay.rawValue)), .init("U", .data(uuid)), .init("qids", .string(session)),
      .init("qat", .integer(3)), .init("s", .integer(0)), .init("qal", .array(allocations)), .init("v", .integer(8)),
    ])
  }
}
