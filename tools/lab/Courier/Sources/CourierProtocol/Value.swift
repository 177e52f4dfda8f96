import Foundation

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
    public var key: String
    public var value: Value

    public init(_ key: String, _ value: Value) { (self.key, self.value) = (key, value) }
  }

  /// The value under a key, if this is a dictionary that has it.
  public subscript(key: String) -> Value? {
    guard case .dictionary(let entries) = self else { return nil }
    return entries.first { $0.key == key }?.value
  }

  public var bytes: [UInt8]? { if case .data(let bytes) = self { bytes } else { nil } }
  public var text: String? { if case .string(let text) = self { text } else { nil } }
  public var number: Int64? { if case .integer(let number) = self { number } else { nil } }
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
  ///
  /// - Throws: what `PropertyListSerialization` says of values that a property list cannot hold.
  public func propertyList() throws -> [UInt8] {
    [UInt8](try PropertyListSerialization.data(fromPropertyList: foundation, format: .binary, options: 0))
  }

  /// From a binary property list; keys come in the order of their names, as a property list has none.
  ///
  /// - Throws: `FramingError.payload` where it is none, or nested deeper than `Limits.depth`.
  public init(propertyList bytes: [UInt8]) throws(FramingError) {
    guard let object = try? PropertyListSerialization.propertyList(from: Data(bytes), format: nil),
      let value = Value(foundation: object, depth: 0)
    else { throw .payload }
    self = value
  }

  private var foundation: Any {
    switch self {
    case .data(let bytes): Data(bytes)
    case .string(let text): text
    case .integer(let number): number
    case .bool(let flag): flag
    case .dictionary(let entries): Dictionary(entries.map { ($0.key, $0.value.foundation) }) { $1 }
    case .array(let elements): elements.map(\.foundation)
    }
  }

  private init?(foundation: Any, depth: Int) {
    guard depth < Limits.depth else { return nil }
    switch foundation {
    case let data as Data: self = .data([UInt8](data))
    case let text as String: self = .string(text)
    case let number as NSNumber:
      // Foundation's booleans are numbers of one C type.
      self =
        String(cString: number.objCType) == "c" && (number == 0 || number == 1)
        ? .bool(number.boolValue) : .integer(number.int64Value)
    case let list as [Any]:
      var elements: [Value] = []
      for item in list {
        guard let element = Value(foundation: item, depth: depth + 1) else { return nil }
        elements.append(element)
      }
      self = .array(elements)
    case let table as [String: Any]:
      var entries: [Entry] = []
      for key in table.keys.sorted() {
        guard let item = table[key], let value = Value(foundation: item, depth: depth + 1) else { return nil }
        entries.append(Entry(key, value))
      }
      self = .dictionary(entries)
    default: return nil
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
}
