/// Named points with vertical intervals; no name overlaps another.
public struct ScatterPlot: Plot {
  /// A named point.
  public struct Point: Sendable {
    /// Its name and place, and its vertical interval.
    public var name: String, x: Double, y: Double, low: Double?, high: Double?
    /// A named point.
    public init(_ name: String, x: Double, y: Double, low: Double? = nil, high: Double? = nil) {
      (self.name, self.x, self.y, self.low, self.high) = (name, x, y, low, high)
    }
  }

  /// What it is, and what it shows in sentences.
  public var title: String, summary: String
  /// The axes.
  public var x: Axis, y: Axis
  /// The points.
  public var points: [Point]
  /// Colour and shape of all.
  public var ink: Drawing.Ink, shape: Drawing.Shape
  /// A value of y with a name, drawn as a line across.
  public var level: Axis.Tick?

  /// Named points.
  public init(
    title: String, summary: String, x: Axis, y: Axis, points: [Point], ink: Drawing.Ink, shape: Drawing.Shape = .disc,
    level: Axis.Tick? = nil
  ) {
    (self.title, self.summary, self.x, self.y) = (title, summary, x, y)
    (self.points, self.ink, self.shape, self.level) = (points, ink, shape, level)
  }

  /// The picture at a width.
  public func drawing(width: Double, id: String) -> Drawing {
    let (drawn, missing) = draw(width: width, keys: [])
    guard !missing.isEmpty else { return drawn }
    let numbered = missing.enumerated().map { Drawing.Key("\($0.offset + 1): \($0.element)", .none) }
    return draw(width: width, keys: numbered, numbers: missing).0
  }

  /// Draws, and says which names found no place; those get a number and stand above the plot.
  private func draw(width: Double, keys: [Drawing.Key], numbers: [String] = []) -> (Drawing, missing: [String]) {
    let keys = (level.map { [Drawing.Key($0.label, .line("diagonal"))] } ?? []) + keys
    var (drawing, frame) = Frame.make(width: width, areaHeight: width > 500 ? 300 : 280, x: x, y: y, keys: keys)
    if let level {
      let at = frame.down(level.value)
      drawing.line(frame.area.left, at, frame.area.right, at, style: "diagonal")
      drawing.keepFree(.init(left: frame.area.left, top: at - 2, right: frame.area.right, bottom: at + 2))
    }
    for point in points {
      let (x, y) = (frame.across(point.x), frame.down(point.y))
      if let low = point.low, let high = point.high {
        drawing.line(x, frame.down(low), x, frame.down(high), style: "whisker-\(ink.rawValue)")
        drawing.keepFree(.init(left: x - 2, top: frame.down(high), right: x + 2, bottom: frame.down(low)))
      }
      drawing.keepFree(.init(left: x - 5, top: y - 5, right: x + 5, bottom: y + 5))
    }
    for point in points { drawing.mark(shape, x: frame.across(point.x), y: frame.down(point.y), size: 4.5, ink: ink) }
    var missing: [String] = []
    for point in points {
      let at = (x: frame.across(point.x), y: frame.down(point.y))
      let text = numbers.firstIndex(of: point.name).map { "\($0 + 1)" } ?? point.name
      if !frame.place(text, at: at, in: &drawing) { missing.append(point.name) }
    }
    return (drawing, missing)
  }
}
