/// A field of a command: its number and what it holds.
public struct Field: Sendable, Equatable {
  /// Its number in the command.
  public var id: UInt8
  /// What it holds.
  public var value: Value
  /// Whether the packed framing puts the value into its cache; both sides have to agree, as the bytes say it.
  public var isCached: Bool

  /// A field of a number and what it holds.
  public init(_ id: UInt8, _ value: Value, cached: Bool = false) {
    (self.id, self.value, self.isCached) = (id, value, cached)
  }
}

/// One message of the courier protocol. Fields keep their order and may repeat.
public struct Command: Sendable, Equatable {
  /// The number; see `CommandID`. Unknown ones are kept.
  public var number: UInt8
  /// What it says, in the order of the wire.
  public var fields: [Field]

  /// A command that is known.
  public init(_ id: CommandID, _ fields: [Field] = []) { (number, self.fields) = (id.rawValue, fields) }
  /// A command of any number.
  public init(number: UInt8, fields: [Field]) { (self.number, self.fields) = (number, fields) }

  /// What it is, if the number is known.
  public var id: CommandID? { CommandID(rawValue: number) }

  /// The first field with this number.
  public subscript(id: UInt8) -> Value? { fields.first { $0.id == id }?.value }
}

/// Why bytes are no command: mine, but broken. Too few bytes are no error.
public enum FramingError: Error, Equatable, CustomStringConvertible {
  /// A body longer than `Limits.body`.
  case tooLong(Int)
  /// A field, attribute or value that does not end where its lengths say.
  case cut
  /// A reference to a cache entry that is not there.
  case reference(Int)
  /// A kind of value or key that the format does not have.
  case kind(UInt8)
  /// A dictionary's key without a letter.
  case key
  /// More nested, more numerous, or longer when references are followed, than `Limits` allows.
  case limits
  /// A payload that is no property list.
  case payload

  /// What is wrong, in words.
  public var description: String {
    switch self {
    case .tooLong(let bytes): "a command of \(bytes) bytes, more than \(Limits.body)"
    case .cut: "a field does not end where its lengths say"
    case .reference(let index): "no cache entry \(index)"
    case .kind(let byte): "no value begins with the byte \(byte)"
    case .key: "a dictionary with an empty key"
    case .limits: "nested deeper or longer than a reader takes"
    case .payload: "a payload that is no property list"
    }
  }
}

/// What a reader finds at the beginning of its bytes.
public enum Reading: Sendable, Equatable {
  /// The command is not whole yet.
  case needsMore
  /// A whole command and the number of bytes it took.
  case command(Command, length: Int)
}

/// The two framings of the courier protocol.
public enum Framing: String, Sendable, CaseIterable {
  /// `apns-security-*`: fields by type, length, value.
  case tlv
  /// `apns-pack-v1`: compressed with caches.
  case pack
}
