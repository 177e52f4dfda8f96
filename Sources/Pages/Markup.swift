/// Markup that is well-formed as XML and as HTML.
///
/// Only literals of the source are markup: a `String` that is interpolated is escaped, so that no name out of traffic
/// can become an element. Interpolate a `Markup` to nest.
public struct Markup: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The markup as text.
  public private(set) var source: String

  /// No markup.
  public init() { source = "" }

  /// Text as markup that shows just that text.
  public init(text: String) { source = Markup.escaped(text) }

  /// Markup of a literal; never call it with a value, which would not be escaped.
  public init(stringLiteral value: String) { source = value }

  /// Markup of a literal with interpolated values.
  public init(stringInterpolation: Interpolation) { source = stringInterpolation.source }

  /// Markup that is known to be safe because this module wrote it.
  init(trusted source: String) { self.source = source }

  /// Whether there is nothing.
  public var isEmpty: Bool { source.isEmpty }

  /// One after the other.
  public static func + (left: Markup, right: Markup) -> Markup { Markup(trusted: left.source + right.source) }

  /// Appends.
  public static func += (left: inout Markup, right: Markup) { left.source += right.source }

  /// How literals and values are put together.
  public struct Interpolation: StringInterpolationProtocol {
    var source = ""
    /// Begins with room for the literal.
    public init(literalCapacity: Int, interpolationCount: Int) {
      source.reserveCapacity(literalCapacity + 16 * interpolationCount)
    }
    /// Markup of the source file.
    public mutating func appendLiteral(_ literal: String) { source += literal }
    /// Text, escaped.
    public mutating func appendInterpolation(_ text: String) { source += Markup.escaped(text) }
    /// Markup as it is.
    public mutating func appendInterpolation(_ markup: Markup) { source += markup.source }
    /// A whole number without separators, as attributes want it.
    public mutating func appendInterpolation(_ number: Int) { source += String(number) }
    /// A coordinate with at most two decimals.
    public mutating func appendInterpolation(_ number: Double) { source += Numbers.coordinate(number) }
  }

  /// A name out of traffic or from a user, set apart so that right-to-left script cannot reorder its neighbours.
  ///
  /// - Parameters:
  ///   - name: the name; what is beyond `limit` is cut out of its middle.
  ///   - limit: the most characters that are shown.
  /// - Returns: the name in a `bdi` element.
  public static func name(_ name: String, limit: Int = 120) -> Markup {
    "<bdi>\(TextMetrics.shortened(name, characters: limit))</bdi>"
  }

  /// Text with every character made harmless: markup escaped, and what cannot be seen made visible.
  static func escaped(_ text: String) -> String {
    var result = ""
    result.reserveCapacity(text.utf8.count)
    for scalar in visible(text).unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }

  /// Text whose control characters, direction overrides and characters that XML forbids are shown by a sign.
  public static func visible(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { sign(for: $0) != nil }) else { return text }
    var result = ""
    for scalar in text.unicodeScalars {
      if let sign = sign(for: scalar) { result += sign } else { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  private static func sign(for scalar: Unicode.Scalar) -> String? {
    switch scalar.value {
    case 0...0x1F: Unicode.Scalar(0x2400 + scalar.value).map { String($0) }
    case 0x7F: "\u{2421}"
    case 0x80...0x9F, 0xFFFE, 0xFFFF: "\u{FFFD}"
    // Marks, embeddings, overrides and isolates of the bidirectional algorithm (UAX #9, 2).
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069:
      "\u{2039}U+" + String(scalar.value, radix: 16, uppercase: true) + "\u{203A}"
    default: nil
    }
  }
}

extension Sequence where Element == Markup {
  /// All, one after the other, with something between.
  public func joined(separator: Markup = "") -> Markup {
    Markup(trusted: map(\.source).joined(separator: separator.source))
  }
}
