public import Protocols

// Courier may hold: what the plaintext of a push connection says, for truth and for reading. Nothing of it reaches a
// verdict.

/// How the commands of a push connection are written.
public enum CourierFraming: String, Sendable, Codable, CaseIterable {
  /// ALPN `apns-security-v2` and `-v3`: command, length, fields with lengths.
  case tlv
  /// ALPN `apns-pack-v1`: attributes with tables of keys and values, in the manner of HPACK.
  case pack
}

/// How the ciphertext of a message was made, as field `E` names it.
public enum CourierEncryption: String, Sendable, Codable, CaseIterable {
  /// RSA and AES, the older scheme.
  case pair
  /// Ephemeral elliptic-curve keys; ciphertexts grow in steps of 16 bytes.
  case pairEC = "pair-ec"
}

/// One command of a push connection: its measures and its kind. Handles, tokens and text are not kept.
public struct CourierMessage: Sendable, Equatable {
  /// Who sent it.
  public var side: FlowSide
  /// The command's number (0x07 is Connect).
  public var command: UInt8
  /// Bytes of the command with its header.
  public var length: Int
  /// Ordinals of the TLS records with its first and its last byte, as they were given to `consume`.
  public var firstRecord: Int, lastRecord: Int
  /// What it is for; nil where the command names no topic, or the name was lost.
  public var topic: CourierTopic?
  /// The number that pairs it with its ack.
  public var messageID: UInt32?
  /// Bytes of the payload as it was written.
  public var payloadLength: Int?
  /// "imessage", "notification", "facetime", "identity", "status", "courier"; "unknown" for a message that does not show
  /// what it belongs to, or whose bytes were lost. An ack has the class of what it acknowledges.
  public var messageClass = CourierClass.courier.rawValue
  /// What it is, as far as it is not encrypted once more: "imessage.read", "notification.alert", "courier.ack".
  public var kind = "courier.unknown"
  /// Recipient devices of a message that a phone sends: entries of its list `dtl`.
  public var devices: Int?
  /// Field `c` of an identity-services message: 100 message, 102 read.
  public var idsCommand: Int?
  /// Bytes of all ciphertexts in it, fields `P`.
  public var ciphertextLength: Int?
  /// How the ciphertexts were made.
  public var encryption: CourierEncryption?
  /// Whether it waited on the server for the device.
  public var isFromStorage = false
  /// Status of an answer: 0 is success.
  public var status: Int?
  /// Field 28 of a notification. Its values are not published.
  public var pushType: Int?
  /// Field 13 of a notification: 10 at once, 5 when power allows (Apple's documentation of providers).
  public var priority: Int?
  /// Whether something of it could not be read: bytes that were lost, an entry of a table that was filled before the
  /// capture began, or a broken body.
  public var isIncomplete = false

  /// The command's name: "Notification"; "Command 0x2A" for one of no known name.
  public var commandName: String { CourierCommand(number: command).name }

  /// A command of which nothing but its place and length is known.
  public init(side: FlowSide, command: UInt8, length: Int, firstRecord: Int, lastRecord: Int) {
    self.side = side
    self.command = command
    self.length = length
    self.firstRecord = firstRecord
    self.lastRecord = lastRecord
  }
}

/// What a message belongs to.
public enum CourierClass: String, Sendable, Codable, CaseIterable {
  /// A push of an app.
  case notification
  /// iMessage and its receipts.
  case imessage
  /// Ringing and relays of FaceTime.
  case facetime
  /// Lookups and registration of identities.
  case identity
  /// Find My, Focus, and the synchronisation of devices and of iCloud.
  case status
  /// The connection itself.
  case courier
  /// A message that does not show what it belongs to.
  case unknown
}

/// What went wrong on a connection, and what the caps cost. All zero on a sound one.
public struct CourierDamage: Sendable, Equatable {
  /// Commands whose body is not what its framing says.
  public var malformedCommands = 0
  /// Commands longer than `CourierConnection.maximumBodyLength`.
  public var commandsTooLong = 0
  /// Times that the beginning of the next command was lost.
  public var lostPlaces = 0
  /// Bytes that were passed over while no beginning of a command was found.
  public var bytesPassedOver = 0
  /// Gaps that the caller told of.
  public var gaps = 0
  /// References to table entries from before the capture or a gap.
  public var lostReferences = 0
  /// Payloads that are no property list or JSON, though they begin like one, or exceed `PropertyListWalk`'s or
  /// `JSONPayload`'s caps.
  public var payloadsNotRead = 0
  /// Messages that were not acknowledged before `CourierConnection.maximumUnacknowledged` others came.
  public var forgottenMessages = 0
  /// No damage.
  public init() {}
}
