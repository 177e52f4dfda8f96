/// What a field or an entry of a payload holds.
public indirect enum Value: Sendable, Equatable {
  case data([UInt8])
  case string(String)
  case integer(Int64)
  case bool(Bool)
  /// Entries keep their order: sizes and caches depend on it.
  case dictionary([Entry])
  case array([Value])

  /// One entry of a dictionary.
  public struct Entry: Sendable, Equatable {
    /// Its name.
    public var key: String
    /// What stands under the name.
    public var value: Value

    /// An entry of a name and what stands under it.
    public init(_ key: String, _ value: Value) { (self.key, self.value) = (key, value) }
  }

  /// The value under a key, if this is a dictionary that has it.
  public subscript(key: String) -> Value? {
    guard case .dictionary(let entries) = self else { return nil }
    return entries.first { $0.key == key }?.value
  }

  /// The bytes, if this is data.
  public var bytes: [UInt8]? { if case .data(let bytes) = self { bytes } else { nil } }
  /// The text, if this is a string.
  public var text: String? { if case .string(let text) = self { text } else { nil } }
  /// The number, if this is an integer.
  public var number: Int64? { if case .integer(let number) = self { number } else { nil } }
  /// The elements, if this is an array.
  public var elements: [Value]? { if case .array(let elements) = self { elements } else { nil } }

  /// This dictionary with an entry changed, added at its end, or (with nil) taken away; other values stay as they are.
  public func setting(_ key: String, _ value: Value?) -> Value {
    guard case .dictionary(var entries) = self else { return self }
    if let at = entries.firstIndex(where: { $0.key == key }) {
      if let value { entries[at].value = value } else { entries.remove(at: at) }
    } else if let value {
      entries.append(Entry(key, value))
    }
    return .dictionary(entries)
  }

  /// As a binary property list, the form of payloads in the older framing.
  public func propertyList() -> [UInt8] { PropertyListWriter.bytes(of: self) }

  /// From a binary property list, with the entries of dictionaries in its order.
  ///
  /// - Throws: `FramingError.payload` where it is none, or one past `Limits`.
  public init(propertyList bytes: [UInt8]) throws(FramingError) { self = try PropertyListReader.value(of: bytes) }

  /// Whether it holds other values. The packed framing does not cache those.
  var isContainer: Bool {
    switch self {
    case .dictionary, .array: true
    default: false
    }
  }
}

/// What a reader takes before it gives up on the other side.
public enum Limits {
  /// Bytes of one command's body.
  public static let body = 65_536
  /// Nesting of values.
  public static let depth = 16
  /// Fields of a command, entries of a dictionary, elements of an array.
  public static let count = 4_096
  /// Bytes that one command may become when references to caches, or to objects of a property list, are followed.
  public static let expanded = 262_144
}
