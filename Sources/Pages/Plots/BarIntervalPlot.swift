/// Groups of horizontal bars with intervals; each group's name stands above its bars, so that none is cut.
public struct BarIntervalPlot: Plot {
  /// A value with its interval.
  public struct Value: Sendable {
    /// The value and the interval's ends.
    public var value: Double, low: Double?, high: Double?
    /// A value with its interval.
    public init(_ value: Double, low: Double? = nil, high: Double? = nil) {
      (self.value, self.low, self.high) = (value, low, high)
    }
  }

  /// Bars of one name; nil where a series has no value.
  public struct Group: Sendable {
    /// The name, and a value a series.
    public var name: String, values: [Value?]
    /// Bars of one name.
    public init(_ name: String, _ values: [Value?]) { (self.name, self.values) = (name, values) }
  }

  /// What it is, and what it shows in sentences.
  public var title: String, summary: String
  /// The scale of the bars.
  public var axis: Axis
  /// Names and colours of the series.
  public var series: [(name: String, ink: Drawing.Ink)]
  /// The groups from top to bottom.
  public var groups: [Group]

  /// Groups of bars.
  public init(
    title: String, summary: String, axis: Axis, series: [(name: String, ink: Drawing.Ink)], groups: [Group]
  ) {
    (self.title, self.summary, self.axis, self.series, self.groups) = (title, summary, axis, series, groups)
  }

  private static let shapes: [Drawing.Shape] = [.disc, .triangle, .square, .tick]
  private static let step = 15.0

  /// The picture at a width.
  public func drawing(width: Double, id: String) -> Drawing {
    let size = Drawing.textSize
    let keys = series.enumerated().map { index, one in
      Drawing.Key(one.name, .mark(Self.shapes[index % Self.shapes.count], one.ink))
    }
    let legend = Drawing.legendHeight(keys, width: width)
    let names = groups.map {
      TextMetrics.wrapped(
        TextMetrics.shortened(Markup.visible($0.name), characters: 120), width: width - 4,
        size: size * TextMetrics.boldFactor)
    }
    let values = groups.map { group in group.values.prefix(series.count).enumerated().filter { $0.element != nil } }
    var height = legend + 8
    for index in groups.indices {
      height += Double(names[index].count) * 15 + Double(max(values[index].count, 1)) * Self.step + 12
    }
    let bottom = height
    let titles = TextMetrics.wrapped(Markup.visible(axis.title), width: width - 20, size: size)
    var drawing = Drawing(width: width, height: bottom + 24 + Double(titles.count) * 16)
    let (left, right) = (14.0, width - 62)
    func across(_ value: Double) -> Double { left + axis.position(value) * (right - left) }

    drawing.legend(keys, top: 0)
    for tick in axis.ticks(about: Int((right - left) / 70)) {
      let at = across(tick.value)
      drawing.line(at, legend + 4, at, bottom, style: "grid")
      let half = TextMetrics.width(tick.label, size: size) / 2
      drawing.label(tick.label, x: max(at, half + 1), y: bottom + 17, anchor: .middle, style: "soft")
    }
    drawing.line(left, bottom, right, bottom, style: "axis")
    for (line, text) in titles.enumerated() {
      drawing.label(text, x: left, y: bottom + 35 + Double(line) * 16, style: "soft")
    }
    var y = legend + 8
    for index in groups.indices {
      for line in names[index] {
        y += 15
        let plate = Drawing.box(line, x: 0, y: y, isBold: true)
        drawing.rectangle(.init(left: 0, top: plate.top, right: plate.right + 4, bottom: plate.bottom), style: "plate")
        drawing.label(line, x: 0, y: y, style: "strong")
      }
      if values[index].isEmpty {
        y += Self.step
        drawing.label("not measured", x: left, y: y, style: "soft")
      }
      for (at, value) in values[index] {
        guard let value else { continue }
        y += Self.step
        let (ink, middle) = (series[at].ink, y - 4)
        let end = across(value.value)
        drawing.rectangle(
          .init(left: left, top: middle - 3.5, right: end, bottom: middle + 3.5), style: "bar-\(ink.rawValue)")
        var beyond = end
        if let low = value.low, let high = value.high {
          drawing.line(across(low), middle, across(high), middle, style: "whisker")
          drawing.line(across(low), middle - 4, across(low), middle + 4, style: "whisker")
          drawing.line(across(high), middle - 4, across(high), middle + 4, style: "whisker")
          beyond = max(beyond, across(high))
        }
        drawing.mark(Self.shapes[at % Self.shapes.count], x: end, y: middle, size: 3.6, ink: ink)
        let text = axis.format(value.value)
        drawing.label(text, x: max(beyond, end + 4) + 6, y: y, style: "plated")
      }
      y += 12
    }
    return drawing
  }
}
