/// Names that a rule looks for, compared without case.
public struct NameMatch: Sendable {
  /// How a value is compared with a name.
  public enum Kind: String, Sendable, CaseIterable {
    /// The whole name.
    case exact
    /// The name and everything below it.
    case suffix
    /// Anywhere in the name, as TSPU's rule for "t.co" in 2021, which met microsoft.com.
    case substring
    /// A regular expression that must be found in the name.
    case regex
  }

  /// How.
  public let kind: Kind
  /// The values, lower case (expressions as written).
  public let values: [String]
  /// Whether a box takes a name with a trailing dot for the same.
  public var ignoresTrailingDot = false
  /// Whether a box takes capitals for small letters.
  public var ignoresCase = true

  private let exact: Set<String>
  private let expressions: [NameExpression]

  /// Names of a kind.
  /// - Throws: `NameMatchError` for an expression that cannot be read.
  public init(_ kind: Kind, _ values: [String]) throws(NameMatchError) {
    self.kind = kind
    self.values = kind == .regex ? values : values.map { $0.lowercased() }
    exact = kind == .exact || kind == .suffix ? Set(self.values) : []
    var expressions: [NameExpression] = []
    if kind == .regex { for value in values { expressions.append(try NameExpression(value)) } }
    self.expressions = expressions
  }

  /// The value that a name matches; nil for none.
  public func value(for name: String) -> String? {
    var name = ignoresCase ? name.lowercased() : name
    if ignoresTrailingDot, name.hasSuffix(".") { name.removeLast() }
    switch kind {
    case .exact: return exact.contains(name) ? name : nil
    case .suffix: return suffix(of: name)
    case .substring: return values.first { name.contains($0) }
    case .regex: return expressions.first { $0.matches(name) }?.text
    }
  }

  private func suffix(of name: String) -> String? {
    if exact.contains(name) { return name }
    var rest = name[...]
    while let dot = rest.firstIndex(of: ".") {
      rest = rest[rest.index(after: dot)...]
      if let found = exact.contains(String(rest)) ? String(rest) : nil { return found }
    }
    return nil
  }
}

/// An expression that cannot be read.
public struct NameMatchError: Error, Sendable, CustomStringConvertible {
  /// What to do.
  public let description: String
}

/// A regular expression over names. `Regex` is no `Sendable`; this one is built once and never changed.
struct NameExpression: @unchecked Sendable {
  let text: String
  private let regex: Regex<AnyRegexOutput>

  init(_ text: String) throws(NameMatchError) {
    self.text = text
    do {
      regex = try Regex(text).ignoresCase()
    } catch {
      throw NameMatchError(description: "\"\(text)\" is no regular expression")
    }
  }

  func matches(_ name: String) -> Bool { (try? regex.firstMatch(in: name)) ?? nil != nil }
}
