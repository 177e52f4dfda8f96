/// An SVG drawing that knows where its labels stand.
public struct Drawing: Sendable {
  /// Size in the drawing's own unit: CSS pixels where it is shown at its natural width.
  public let width: Double, height: Double
  /// Size of ordinary labels.
  public static let textSize = 12.0
  private var body = Markup()
  private var definitions = Markup()
  private(set) var labels: [Box] = []
  /// Labels for which there was no room.
  private(set) var omitted: [String] = []
  /// Where no label may stand: marks, and lines that text would hide.
  private var kept: [Box] = []

  /// An empty drawing.
  public init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

  /// A rectangle.
  public struct Box: Sendable, Equatable {
    /// Its edges.
    public var left: Double, top: Double, right: Double, bottom: Double
    /// A rectangle by its edges.
    public init(left: Double, top: Double, right: Double, bottom: Double) {
      (self.left, self.top, self.right, self.bottom) = (left, top, right, bottom)
    }
    /// Whether two share more than an edge.
    public func intersects(_ other: Box) -> Bool {
      left < other.right && other.left < right && top < other.bottom && other.top < bottom
    }
    func grown(by margin: Double) -> Box {
      Box(left: left - margin, top: top - margin, right: right + margin, bottom: bottom + margin)
    }
  }

  /// Which point of a text its x coordinate names.
  public enum Anchor: String, Sendable { case start, middle, end }

  /// What a mark, a line or an area stands for; the style sheet gives each its colour in light, dark and print.
  public enum Ink: String, Sendable { case target = "a", background = "b", other = "c", third = "d" }

  /// Shape of a mark, so that colour is never the only sign.
  public enum Shape: Sendable { case disc, square, triangle, tick }

  /// The box of a text that stands on a base line.
  public static func box(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, size: Double = textSize, isBold: Bool = false
  ) -> Box {
    let width = TextMetrics.width(text, size: size) * (isBold ? TextMetrics.boldFactor : 1)
    let left =
      switch anchor {
      case .start: x
      case .middle: x - width / 2
      case .end: x - width
      }
    return Box(left: left, top: y - 0.8 * size, right: left + width, bottom: y + 0.25 * size)
  }

  /// Whether a box lies inside the drawing and hits no label and nothing that is kept free.
  public func isFree(_ box: Box, margin: Double = 1) -> Bool {
    guard box.left >= 0, box.top >= 0, box.right <= width, box.bottom <= height else { return false }
    let grown = box.grown(by: margin)
    return !labels.contains { $0.intersects(grown) } && !kept.contains { $0.intersects(box) }
  }

  /// Keeps labels that are placed later away from a box.
  public mutating func keepFree(_ box: Box) { kept.append(box) }

  /// Writes a label where there is room for it; says whether there was.
  @discardableResult
  public mutating func label(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, size: Double = textSize, style: String = ""
  ) -> Bool {
    let text = Markup.visible(text)
    let box = Drawing.box(text, x: x, y: y, anchor: anchor, size: size, isBold: style == "strong")
    guard !text.isEmpty else { return false }
    guard isFree(box) else {
      omitted.append(text)
      return false
    }
    labels.append(box)
    body +=
      "<text x=\"\(x)\" y=\"\(y)\" text-anchor=\"\(anchor.rawValue)\" font-size=\"\(size)\" class=\"\(style)\">\(text)</text>\n"
    return true
  }

  /// A straight line of a style: "grid", "axis", "diagonal", "lead", or an ink's "line-a".
  public mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, style: String) {
    body += "<path d=\"M\(x1) \(y1)L\(x2) \(y2)\" class=\"\(style)\"/>\n"
  }

  /// A line through points, or the area that they enclose.
  public mutating func path(_ points: [(x: Double, y: Double)], closed: Bool = false, style: String) {
    guard let first = points.first, points.count > 1 else { return }
    var data = "M\(Numbers.coordinate(first.x)) \(Numbers.coordinate(first.y))"
    for point in points.dropFirst() {
      data += "L\(Numbers.coordinate(point.x)) \(Numbers.coordinate(point.y))"
    }
    if closed { data += "Z" }
    body += "<path d=\"\(data)\" class=\"\(style)\"/>\n"
  }

  /// Many separate straight lines as one element.
  public mutating func lines(_ all: [(x1: Double, y1: Double, x2: Double, y2: Double)], style: String) {
    guard !all.isEmpty else { return }
    var data = ""
    for one in all {
      data += "M\(Numbers.coordinate(one.x1)) \(Numbers.coordinate(one.y1))"
      data += "L\(Numbers.coordinate(one.x2)) \(Numbers.coordinate(one.y2))"
    }
    body += "<path d=\"\(data)\" class=\"\(style)\"/>\n"
  }

  /// A rectangle; `hatch` names one of the drawing's hatchings instead of a plain fill.
  public mutating func rectangle(_ box: Box, style: String) {
    let (width, height) = (max(box.right - box.left, 0), max(box.bottom - box.top, 0))
    body += "<rect x=\"\(box.left)\" y=\"\(box.top)\" width=\"\(width)\" height=\"\(height)\" class=\"\(style)\"/>\n"
  }

  /// A mark centred on a point that says a sentence to a pointer over it or close by.
  mutating func mark(_ shape: Shape, x: Double, y: Double, size: Double, ink: Ink, title: String) {
    body +=
      "<g class=\"named\"><title>\(title)</title><circle cx=\"\(x)\" cy=\"\(y)\" r=\"\(size + 4)\" class=\"reach\"/>\n"
    mark(shape, x: x, y: y, size: size, ink: ink)
    body += "</g>\n"
  }

  /// A mark centred on a point.
  public mutating func mark(_ shape: Shape, x: Double, y: Double, size: Double = 4, ink: Ink) {
    let style = "mark-\(ink.rawValue)"
    switch shape {
    case .disc: body += "<circle cx=\"\(x)\" cy=\"\(y)\" r=\"\(size)\" class=\"\(style)\"/>\n"
    case .square:
      let half = size * 0.9
      rectangle(Box(left: x - half, top: y - half, right: x + half, bottom: y + half), style: style)
    case .triangle:
      let half = size * 1.15
      path([(x, y - half), (x + half, y + half * 0.8), (x - half, y + half * 0.8)], closed: true, style: style)
    case .tick: line(x, y - size, x, y + size, style: "line-\(ink.rawValue)")
    }
  }

  /// Marks of one shape and ink as one element.
  public mutating func marks(_ shape: Shape, at points: [(x: Double, y: Double)], size: Double, ink: Ink) {
    guard !points.isEmpty else { return }
    var data = ""
    let n = Numbers.coordinate
    for (x, y) in points {
      switch shape {
      case .disc:
        data += "M\(n(x - size)) \(n(y))a\(n(size)) \(n(size)) 0 1 0 \(n(2 * size)) 0"
        data += "a\(n(size)) \(n(size)) 0 1 0 \(n(-2 * size)) 0Z"
      case .square: data += "M\(n(x - size)) \(n(y - size))h\(n(2 * size))v\(n(2 * size))h\(n(-2 * size))Z"
      case .triangle: data += "M\(n(x)) \(n(y - size))l\(n(size)) \(n(2 * size))h\(n(-2 * size))Z"
      case .tick: data += "M\(n(x - 1)) \(n(y - 1))h2v2h-2Z"
      }
    }
    body += "<path d=\"\(data)\" class=\"mark-\(ink.rawValue)\"/>\n"
  }

  /// An entry of a legend.
  public struct Key: Sendable {
    /// What stands before the text.
    public enum Sign: Sendable { case mark(Shape, Ink), line(String), area(String), none }
    /// The text and its sign.
    public var text: String, sign: Sign
    /// An entry.
    public init(_ text: String, _ sign: Sign) { (self.text, self.sign) = (text, sign) }
  }

  /// Height that a legend takes at a width.
  public static func legendHeight(_ keys: [Key], width: Double) -> Double {
    Double(rows(of: keys, width: width).count) * 19 + (keys.isEmpty ? 0 : 5)
  }

  private static func rows(of keys: [Key], width: Double) -> [[Key]] {
    var rows: [[Key]] = []
    var used = width
    for key in keys {
      var key = key
      key.text = TextMetrics.shortened(Markup.visible(key.text), width: width - 30, size: textSize)
      let needed = TextMetrics.width(key.text, size: textSize) + 42
      if rows.isEmpty || used + needed - 16 > width {
        rows.append([key])
        used = needed
      } else {
        rows[rows.count - 1].append(key)
        used += needed
      }
    }
    return rows
  }

  /// Writes a legend from a top edge on.
  public mutating func legend(_ keys: [Key], top: Double) {
    var y = top + 13
    for row in Drawing.rows(of: keys, width: width) {
      var x = 0.0
      for key in row {
        switch key.sign {
        case .mark(let shape, let ink): mark(shape, x: x + 10, y: y - 4, ink: ink)
        case .line(let style): line(x, y - 4, x + 20, y - 4, style: style)
        case .area(let style): rectangle(Box(left: x, top: y - 10, right: x + 20, bottom: y + 1), style: style)
        case .none: x -= 26
        }
        label(key.text, x: x + 26, y: y)
        x += TextMetrics.width(key.text, size: Drawing.textSize) + 42
      }
      y += 19
    }
  }

  /// Defines the hatching of the background's areas under an identifier of its own.
  mutating func defineHatch(id: String, ink: Ink) {
    definitions +=
      "<pattern id=\"\(id)\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><path d=\"M0 0V6\" class=\"hatch-\(ink.rawValue)\"/></pattern>"
  }

  /// An area filled with a hatching of the drawing.
  mutating func hatched(_ points: [(x: Double, y: Double)], id: String) {
    guard let first = points.first else { return }
    var data = "M\(Numbers.coordinate(first.x)) \(Numbers.coordinate(first.y))"
    for point in points.dropFirst() {
      data += "L\(Numbers.coordinate(point.x)) \(Numbers.coordinate(point.y))"
    }
    body += "<path d=\"\(data)Z\" style=\"fill:url(#\(id))\"/>\n"
  }

  /// The drawing as an element.
  ///
  /// - Parameters:
  ///   - id: unique in the document; names the title and the description.
  ///   - title: what it is.
  ///   - description: what it shows, for those who do not see it.
  ///   - style: the element's class.
  /// - Returns: an `svg` element with the role of an image.
  public func svg(id: String, title: String, description: String, style: String) -> Markup {
    let defined: Markup = definitions.isEmpty ? "" : "<defs>\(definitions)</defs>\n"
    return """
      <svg xmlns="http://www.w3.org/2000/svg" class="\(style)" viewBox="0 0 \(width) \(height)" width="\(width)" \
      height="\(height)" role="img" aria-labelledby="\(id)-t \(id)-d">
      <title id="\(id)-t">\(title)</title><desc id="\(id)-d">\(description)</desc>
      \(defined)\(body)</svg>

      """
  }
}
