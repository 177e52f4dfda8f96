// Regress may hold: expectations of captures, their file format, the comparison and its reports. It never judges a flow.

/// What an expectation can say of a flow, of a conversation, or of a whole capture.
public enum Field: String, Sendable, CaseIterable {
  case tag, service, confidence
  case decidedAt = "decided_at"
  case appProto = "app_proto"
  case evidence, names, carries, ja4, packets, media, direction
  case flowCount = "flow_count"
  case flows, bytes
  case withoutFlow = "without_flow"
  case decodeErrors = "decode_errors"
  case limits

  /// What a value may be.
  enum Kind {
    case word, number, list, named
  }

  /// The kind of the field's values in a part of an expectation.
  func kind(in part: Part) -> Kind {
    switch self {
    case .tag, .service, .appProto, .ja4, .direction: .word
    case .confidence, .decidedAt, .flowCount, .bytes: .number
    case .packets: part == .flow ? .list : .number
    case .evidence, .carries, .media: .list
    case .flows: part == .totals ? .named : .list
    case .names, .withoutFlow, .decodeErrors, .limits: .named
    }
  }
}

/// A part of an expectation.
public enum Part: Sendable {
  case flow, conversation, totals

  /// The fields that may stand in it, in the order in which they are written.
  var fields: [Field] {
    switch self {
    case .flow: [.tag, .service, .confidence, .decidedAt, .appProto, .evidence, .names, .carries, .ja4, .packets]
    case .conversation: [.tag, .service, .media, .direction, .flowCount, .flows]
    case .totals: [.packets, .bytes, .flows, .withoutFlow, .decodeErrors, .limits]
    }
  }
}

/// What a field says.
public enum FieldValue: Sendable, Equatable {
  /// That there is nothing: no service is known.
  case none
  case word(String)
  case number(Double)
  case list([String])
  /// Lists by name: `{sni: [example.org]}`.
  case named([Entry])

  /// One of the lists that have names.
  public struct Entry: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// What it lists.
    public var values: [String]
  }

  init(_ word: String?) { self = word.map { .word($0) } ?? .none }

  init(_ number: some BinaryInteger) { self = .number(Double(number)) }

  /// Counts by name, in the order of the names; zeros are left out.
  init(_ counts: [String: UInt64]) {
    self = .named(
      counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { Entry(name: $0.key, values: ["\($0.value)"]) })
  }
}

/// One flow, one conversation or the totals, as expected or as found.
public struct Record: Sendable, Equatable {
  /// What it says of one field.
  public struct Statement: Sendable, Equatable {
    /// The field.
    public var field: Field
    /// What is said of it.
    public var value: FieldValue
  }

  /// What it is about: the ends of a flow ("TCP 192.0.2.1:49822 > 192.0.2.7:443"), the first flow of a conversation.
  public var title: String
  /// The line of the file where it begins, from 1; nil for what was found.
  public var line: Int?
  /// What is said, in the order of `Part.fields`.
  public var statements: [Statement]

  init(_ title: String, line: Int? = nil, _ statements: [Statement] = []) {
    self.title = title
    self.line = line
    self.statements = statements
  }

  /// What is said of a field; nil where nothing is.
  public subscript(field: Field) -> FieldValue? { statements.first { $0.field == field }?.value }

  mutating func say(_ field: Field, _ value: FieldValue) {
    if let place = statements.firstIndex(where: { $0.field == field }) {
      statements[place].value = value
    } else {
      statements.append(Statement(field: field, value: value))
    }
  }

  func word(_ field: Field) -> String? {
    if case .word(let word) = self[field] { return word }
    return nil
  }

  func list(_ field: Field) -> [String] {
    if case .list(let values) = self[field] { return values }
    return []
  }
}

/// What a capture is expected to give, or gave.
public struct CaptureExpectation: Sendable {
  /// How far a confidence may move where nothing else is said.
  public static let defaultTolerance = 0.02
  /// The most flows of a capture that are compared.
  public static let maximumFlows = 100_000
  /// The largest file that is read, in bytes.
  public static let maximumFileSize = 32 << 20

  /// How far a confidence may move, where the file says so itself.
  public var tolerance: Double?
  /// Why the capture cannot be read to its end, where it cannot.
  public var damage: String?
  /// Packets and flows of the whole capture; nil where they are not compared.
  public var totals: Record?
  /// The calls; nil where they are not compared.
  public var conversations: [Record]?
  /// The flows, in the order of their first packets; nil where they are not compared.
  public var flows: [Record]?

  init() {}
}
