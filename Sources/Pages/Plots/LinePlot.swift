/// Curves over two axes, with bands for their intervals and named points.
public struct LinePlot: Plot {
  /// One curve.
  public struct Series: Sendable {
    /// What it is called.
    public var name: String
    /// Points in the order of the line.
    public var points: [(x: Double, y: Double)]
    /// Ends of the interval at points that have one.
    public var band: [(x: Double, low: Double, high: Double)]
    /// Colour, whether the line is dashed, and a shape where each point is marked.
    public var ink: Drawing.Ink, isDashed: Bool, shape: Drawing.Shape?
    /// One curve.
    public init(
      name: String, points: [(x: Double, y: Double)], band: [(x: Double, low: Double, high: Double)] = [],
      ink: Drawing.Ink, isDashed: Bool = false, shape: Drawing.Shape? = nil
    ) {
      (self.name, self.points, self.band) = (name, points, band)
      (self.ink, self.isDashed, self.shape) = (ink, isDashed, shape)
    }
  }

  /// A named point.
  public struct Marker: Sendable {
    /// Where, and what is written beside it.
    public var x: Double, y: Double, label: String
    /// A named point.
    public init(x: Double, y: Double, label: String) { (self.x, self.y, self.label) = (x, y, label) }
  }

  /// What it is, and what it shows in sentences.
  public var title: String, summary: String
  /// The axes.
  public var x: Axis, y: Axis
  /// The curves and named points.
  public var series: [Series], markers: [Marker]
  /// Name of the diagonal from corner to corner, which stands for guessing.
  public var diagonal: String?
  /// Whether the area is square, as long as it is not wide.
  public var isSquare: Bool

  /// Curves over two axes.
  public init(
    title: String, summary: String, x: Axis, y: Axis, series: [Series], markers: [Marker] = [],
    diagonal: String? = nil, isSquare: Bool = false
  ) {
    (self.title, self.summary, self.x, self.y) = (title, summary, x, y)
    (self.series, self.markers, self.diagonal, self.isSquare) = (series, markers, diagonal, isSquare)
  }

  /// The picture at a width.
  public func drawing(width: Double, id: String) -> Drawing {
    let (drawn, missing) = draw(width: width, numbered: [])
    return missing.isEmpty ? drawn : draw(width: width, numbered: missing).0
  }

  /// Draws, and says which named points found no place; those are numbered, and the numbers explained above the plot.
  private func draw(width: Double, numbered: [String]) -> (Drawing, missing: [String]) {
    func style(_ series: Series) -> String { "line-\(series.ink.rawValue)" + (series.isDashed ? " dashed" : "") }
    var keys = series.map { one in
      Drawing.Key(one.name, one.shape.map { .mark($0, one.ink) } ?? .line(style(one)))
    }
    if let diagonal { keys.append(Drawing.Key(diagonal, .line("diagonal"))) }
    keys += numbered.enumerated().map { Drawing.Key("\($0.offset + 1): \($0.element)", .mark(.square, .third)) }
    var (drawing, frame) = Frame.make(
      width: width, areaHeight: isSquare ? min(width - 60, 290) : 220, x: x, y: y, keys: keys)
    if diagonal != nil {
      drawing.line(frame.area.left, frame.area.bottom, frame.area.right, frame.area.top, style: "diagonal")
      for step in 1..<20 {
        let along = Double(step) / 20
        let x = frame.area.left + along * (frame.area.right - frame.area.left)
        let y = frame.area.bottom - along * (frame.area.bottom - frame.area.top)
        drawing.keepFree(.init(left: x - 2, top: y - 2, right: x + 2, bottom: y + 2))
      }
    }
    for one in series {
      let upper = one.band.map { (x: frame.across($0.x), y: frame.down($0.high)) }
      let lower = one.band.map { (x: frame.across($0.x), y: frame.down($0.low)) }
      drawing.path(upper + lower.reversed(), closed: true, style: "band-\(one.ink.rawValue)")
    }
    for one in series {
      let points = one.points.map { (x: frame.across($0.x), y: frame.down($0.y)) }
      drawing.path(points, style: style(one))
      if let shape = one.shape { for point in points { drawing.mark(shape, x: point.x, y: point.y, ink: one.ink) } }
      keepFree(points, in: &drawing)
    }
    for marker in markers {
      let at = (x: frame.across(marker.x), y: frame.down(marker.y))
      drawing.keepFree(.init(left: at.x - 5, top: at.y - 5, right: at.x + 5, bottom: at.y + 5))
    }
    var missing: [String] = []
    for marker in markers {
      let at = (x: frame.across(marker.x), y: frame.down(marker.y))
      drawing.mark(.square, x: at.x, y: at.y, size: 5, ink: .third)
      let text = numbered.firstIndex(of: marker.label).map { "\($0 + 1)" } ?? marker.label
      if !frame.place(text, at: at, in: &drawing) { missing.append(marker.label) }
    }
    return (drawing, missing)
  }

  /// Keeps labels off a line.
  private func keepFree(_ points: [(x: Double, y: Double)], in drawing: inout Drawing) {
    for (from, to) in zip(points, points.dropFirst()) {
      let length = max((to.x - from.x).magnitude, (to.y - from.y).magnitude)
      let steps = min(max(Int(length / 6), 1), 200)
      for step in 0...steps {
        let along = Double(step) / Double(steps)
        let (x, y) = (from.x + along * (to.x - from.x), from.y + along * (to.y - from.y))
        drawing.keepFree(.init(left: x - 2, top: y - 2, right: x + 2, bottom: y + 2))
      }
    }
  }
}
