import Yams

/// How a margin in bits becomes a probability: knots of a monotone line, measured on labelled flows.
public struct Calibration: Sendable, Equatable {
  /// A point of the line.
  public struct Knot: Sendable, Equatable {
    /// Bits by which the tag leads.
    public var margin: Double
    /// How often a verdict of this margin is right; 0 to 1.
    public var confidence: Double
  }
  /// The line for the tag other, which also stands where nothing is known.
  public var other: [Knot] = []
  /// The line for push, messaging and calling.
  public var named: [Knot] = []
  /// Where the figures are from.
  public var origin = ""

  /// No line: every confidence is one half.
  public init() {}

  /// The probability that a tag is right which leads by `margin` bits: between knots along the line, beyond them the
  /// nearest knot's.
  public func confidence(of tag: Tag, margin: Double) -> Double {
    let knots = tag == .other ? other : named
    guard let first = knots.first, let last = knots.last else { return 0.5 }
    guard margin > first.margin else { return first.confidence }
    guard margin < last.margin else { return margin.isNaN ? first.confidence : last.confidence }
    var i = 1
    while i < knots.count - 1, knots[i].margin < margin { i += 1 }
    let (a, b) = (knots[i - 1], knots[i])
    return a.confidence + (b.confidence - a.confidence) * (margin - a.margin) / (b.margin - a.margin)
  }

  /// Reads a table that `tools/calibrate` wrote.
  /// - Throws: `CatalogueError` for text that is no table, or whose lines do not rise.
  public init(parsing text: String, file: String) throws {
    guard let root = YAMLFields(try CatalogueFile.compose(text, file: file)) else {
      throw CatalogueError(file: file, "is no calibration table: run tools/calibrate to write one")
    }
    origin = root["origin"]?.string ?? ""
    other = try Self.knots(root["other"], "other", file)
    named = try Self.knots(root["named"], "named", file)
  }

  private static func knots(_ node: Node?, _ name: String, _ file: String) throws -> [Knot] {
    var knots: [Knot] = []
    for item in node?.sequence ?? [] {
      let fields = YAMLFields(item)
      guard let margin = fields?["margin"]?.float, let confidence = fields?["confidence"]?.float, margin.isFinite,
        (0...1).contains(confidence)
      else {
        throw CatalogueError(
          file: file, line: item.mark?.line, "a knot needs `margin:` in bits and `confidence:` from 0 to 1")
      }
      if let last = knots.last, margin <= last.margin || confidence < last.confidence {
        throw CatalogueError(
          file: file, line: item.mark?.line, "`\(name)` must rise: margins strictly, confidences never down")
      }
      knots.append(Knot(margin: margin, confidence: confidence))
    }
    guard !knots.isEmpty else {
      throw CatalogueError(file: file, line: node?.mark?.line, "`\(name)` has no knots: run tools/calibrate")
    }
    return knots
  }
}
