/// A JSON value: what requests carry and what is printed.
indirect enum JSON: Sendable, Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  case number(Double)
  case string(String)
  case array([JSON])
  case object([String: JSON])
}

extension JSON: Codable {
  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSON].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSON].self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null: try value.encodeNil()
    case .bool(let bool): try value.encode(bool)
    case .integer(let integer): try value.encode(integer)
    case .number(let number): try value.encode(number)
    case .string(let string): try value.encode(string)
    case .array(let array): try value.encode(array)
    case .object(let object): try value.encode(object)
    }
  }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  init(stringLiteral value: String) { self = .string(value) }
  init(integerLiteral value: Int64) { self = .integer(value) }
  init(booleanLiteral value: Bool) { self = .bool(value) }
  init(arrayLiteral elements: JSON...) { self = .array(elements) }
  init(dictionaryLiteral elements: (String, JSON)...) {
    self = .object(Dictionary(elements) { $1 })
  }

  init(_ value: Int) { self = .integer(Int64(value)) }
}

/// A sentence for the person who runs the lab.
struct Complaint: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}

/// The fields of a request; each is asked for by name, and those that nobody asked for are an error.
struct Fields {
  private var values: [String: JSON]

  init(_ values: [String: JSON]) { self.values = values }

  /// Takes a field out; nil if it is absent or null.
  private mutating func take(_ name: String) -> JSON? {
    let value = values.removeValue(forKey: name)
    return value == .null ? nil : value
  }

  mutating func string(_ name: String) throws -> String? {
    guard let value = take(name) else { return nil }
    guard case .string(let string) = value else { throw Complaint("'\(name)' has to be a string") }
    return string
  }

  mutating func required(_ name: String) throws -> String {
    guard let string = try string(name) else { throw Complaint("'\(name)' is missing") }
    return string
  }

  mutating func integer(_ name: String, in range: ClosedRange<Int>) throws -> Int? {
    guard let value = take(name) else { return nil }
    guard case .integer(let integer) = value, let integer = Int(exactly: integer), range.contains(integer) else {
      throw Complaint("'\(name)' has to be a whole number from \(range.lowerBound) to \(range.upperBound)")
    }
    return integer
  }

  /// A time in seconds, more than zero.
  mutating func seconds(_ name: String) throws -> Double? {
    guard let value = take(name) else { return nil }
    let seconds: Double? =
      switch value {
      case .integer(let integer): Double(integer)
      case .number(let number): number
      default: nil
      }
    guard let seconds, seconds >= 0, seconds <= 86400 else {
      throw Complaint("'\(name)' has to be seconds, from 0 to 86400")
    }
    return seconds
  }

  mutating func bool(_ name: String) throws -> Bool? {
    guard let value = take(name) else { return nil }
    guard case .bool(let bool) = value else { throw Complaint("'\(name)' has to be true or false") }
    return bool
  }

  mutating func integers(_ name: String, in range: ClosedRange<Int>, most: Int) throws -> [Int]? {
    guard let value = take(name) else { return nil }
    guard case .array(let array) = value, array.count <= most else {
      throw Complaint("'\(name)' has to be a list of at most \(most) numbers")
    }
    return try array.map {
      guard case .integer(let integer) = $0, let integer = Int(exactly: integer), range.contains(integer) else {
        throw Complaint("'\(name)' has to hold numbers from \(range.lowerBound) to \(range.upperBound)")
      }
      return integer
    }
  }

  mutating func strings(_ name: String, most: Int) throws -> [String]? {
    guard let value = take(name) else { return nil }
    guard case .array(let array) = value, array.count <= most else {
      throw Complaint("'\(name)' has to be a list of at most \(most) strings")
    }
    return try array.map {
      guard case .string(let string) = $0 else { throw Complaint("'\(name)' has to hold strings") }
      return string
    }
  }

  /// One of the words of an enumeration.
  mutating func word<Word: RawRepresentable & CaseIterable>(_ name: String, _: Word.Type) throws -> Word?
  where Word.RawValue == String {
    guard let string = try string(name) else { return nil }
    guard let word = Word(rawValue: string) else {
      let words = Word.allCases.map(\.rawValue).joined(separator: ", ")
      throw Complaint("'\(name)' has to be one of: \(words)")
    }
    return word
  }

  /// A map of strings.
  mutating func map(_ name: String) throws -> [String: String]? {
    guard let value = take(name) else { return nil }
    guard case .object(let object) = value else { throw Complaint("'\(name)' has to be an object") }
    return try object.mapValues {
      guard case .string(let string) = $0 else { throw Complaint("'\(name)' has to hold strings") }
      return string
    }
  }

  /// Refuses what no one asked for.
  func end() throws {
    if let name = values.keys.min() { throw Complaint("there is no field '\(name)' here") }
  }
}
