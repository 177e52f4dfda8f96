import Bytes

/// A value of a field, in either framing and in a property list, as far as it is looked at.
enum FieldValue: Equatable {
  case integer(Int64)
  case boolean(Bool)
  /// Bytes; `hash` and `number` are set where they could be a topic or a number.
  case data(count: Int, hash: CourierTopicHash?, number: Int64?)
  case string(count: Int, encryption: CourierEncryption?)
  case array(count: Int)
  case dictionary(count: Int)
  /// A date, a real number, or a container behind a reference.
  case other
  /// An entry of a table that was filled before the capture began.
  case lost

  /// Bytes of a field as a value.
  static func bytes(_ bytes: RawSpan) -> FieldValue {
    var number: Int64?
    if (1...8).contains(bytes.byteCount) {
      var value: UInt64 = 0
      for i in 0..<bytes.byteCount { value = value << 8 | UInt64(bytes.u8(i)) }
      number = Int64(clamping: value)
    }
    return .data(count: bytes.byteCount, hash: CourierTopicHash(bytes), number: number)
  }

  /// Text as a value.
  static func text(_ bytes: RawSpan) -> FieldValue {
    let encryption: CourierEncryption? =
      bytes.isEqual("pair-ec") ? .pairEC : bytes.isEqual("pair") ? .pair : nil
    return .string(count: bytes.byteCount, encryption: encryption)
  }

  var number: Int64? {
    switch self {
    case .integer(let value): value
    case .data(_, _, let value): value
    case .boolean(let value): value ? 1 : 0
    default: nil
    }
  }

  var hash: CourierTopicHash? {
    if case .data(_, let hash, _) = self { hash } else { nil }
  }
}

extension RawSpan {
  /// Whether the bytes are those of an ASCII word.
  func isEqual(_ word: StaticString) -> Bool {
    guard byteCount == word.utf8CodeUnitCount else { return false }
    // Safe: a static string's code units live as long as the program, and as many are read as there are.
    let units = unsafe UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount)
    for i in 0..<byteCount where unsafe units[i] != u8(i) { return false }
    return true
  }
}

/// A key: a field's number below 256, which is also a key of one letter, or one of the words that are looked for.
struct FieldKey: Equatable {
  let raw: UInt16

  init(number: UInt8) { raw = UInt16(number) }
  private init(word: UInt16) { raw = word }

  static let devices = FieldKey(word: 0x100), aps = FieldKey(word: 0x101), alert = FieldKey(word: 0x102)
  static let contentAvailable = FieldKey(word: 0x103), other = FieldKey(word: 0x104)
  /// A key of the table that was filled before the capture began.
  static let lost = FieldKey(word: 0x105)
  static let command = FieldKey(number: UInt8(ascii: "c"))
  static let ciphertext = FieldKey(number: UInt8(ascii: "P"))
  static let encryption = FieldKey(number: UInt8(ascii: "E"))

  /// The key that these bytes are.
  init(_ bytes: RawSpan) {
    if bytes.byteCount == 1 {
      self.init(number: bytes.u8(0))
    } else if bytes.isEqual("dtl") {
      self = .devices
    } else if bytes.isEqual("aps") {
      self = .aps
    } else if bytes.isEqual("alert") {
      self = .alert
    } else if bytes.isEqual("content-available") {
      self = .contentAvailable
    } else {
      self = .other
    }
  }
}

/// Where in a command a key stands.
enum FieldPlace {
  /// A field of the command.
  case command
  /// A key of the payload's dictionary.
  case payload
  /// The list of recipient devices, and a dictionary in it.
  case deviceList, device
  /// The dictionary `aps`.
  case aps
  /// Anywhere else.
  case elsewhere

  /// The place of what is inside the value of a key here.
  func inside(_ key: FieldKey) -> FieldPlace {
    switch (self, key) {
    case (.command, FieldKey(number: 3)): .payload
    case (.payload, .devices): .deviceList
    case (.payload, .aps): .aps
    default: .elsewhere
    }
  }

  /// The place of what is inside an element of an array here.
  var insideElement: FieldPlace { self == .deviceList ? .device : .elsewhere }
}

/// What was learned of a command's fields and its payload.
struct CommandContent {
  /// Numbers or hashes of the fields 1 to 4, 7, 8, 13 and 28.
  var first: FieldValue?, second: FieldValue?, third: FieldValue?, fourth: FieldValue?
  var storage: FieldValue?, status: FieldValue?, priority: FieldValue?, pushType: FieldValue?
  var fieldCount = 0
  var payloadLength: Int?

  var idsCommand: Int?
  var ciphertexts = 0, ciphertextLength = 0
  var devices: Int?
  /// Of the whole message, and of a device's ciphertext, which differs where the device knows a newer scheme.
  var ownEncryption: CourierEncryption?, deviceEncryption: CourierEncryption?
  var encryption: CourierEncryption? { deviceEncryption ?? ownEncryption }
  var hasAPS = false, hasAlert = false, isContentAvailable = false
  /// A key or value of a table that was filled before the capture began.
  var lostReferences = 0
  var payloadsNotRead = 0

  /// Takes note of a key's value; the first of a repeated field counts.
  mutating func note(_ key: FieldKey, _ value: FieldValue, at place: FieldPlace) {
    if value == .lost || key == .lost { lostReferences &+= 1 }
    switch place {
    case .command: noteField(key, value)
    case .payload:
      switch (key, value) {
      case (.command, _): if idsCommand == nil { idsCommand = value.number.map { Int(clamping: $0) } }
      case (.devices, .array(let count)): devices = count
      case (.aps, .dictionary): hasAPS = true
      default: noteCiphertext(key, value, ofDevice: false)
      }
    case .device: noteCiphertext(key, value, ofDevice: true)
    case .aps:
      if key == .alert { hasAlert = true }
      if key == .contentAvailable, let number = value.number, number != 0 { isContentAvailable = true }
    case .deviceList, .elsewhere: break
    }
  }

  private mutating func noteCiphertext(_ key: FieldKey, _ value: FieldValue, ofDevice: Bool) {
    switch (key, value) {
    case (.ciphertext, .data(let count, _, _)):
      ciphertexts &+= 1
      ciphertextLength &+= count
    case (.encryption, .string(_, let named?)): if ofDevice { deviceEncryption = named } else { ownEncryption = named }
    default: break
    }
  }

  private mutating func noteField(_ key: FieldKey, _ value: FieldValue) {
    fieldCount &+= 1
    switch key.raw {
    case 1: first = first ?? value
    case 2: second = second ?? value
    case 3: third = third ?? value
    case 4: fourth = fourth ?? value
    case 7: storage = storage ?? value
    case 8: status = status ?? value
    case 13: priority = priority ?? value
    case 28: pushType = pushType ?? value
    default: break
    }
  }

  /// Reads a payload that is bytes: a binary property list, JSON, or anything else.
  mutating func readPayload(_ bytes: RawSpan) {
    let isRead: Bool? =
      switch bytes.byteCount > 0 ? bytes.u8(0) : 0 {
      case UInt8(ascii: "b"): PropertyListWalk.read(bytes, into: &self)
      case UInt8(ascii: "{"): JSONPayload.read(bytes, into: &self)
      default: nil
      }
    if isRead == false { payloadsNotRead &+= 1 }
  }
}
