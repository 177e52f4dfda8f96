/// A picture drawn from data.
public protocol Plot: Sendable {
  /// What it is, in a few words.
  var title: String { get }
  /// What it shows, in sentences, for those who do not see it.
  var summary: String { get }
  /// The picture at a width in CSS pixels; `id` is unique in the document.
  func drawing(width: Double, id: String) -> Drawing
}

/// The area between two axes, with grid, ticks and titles.
struct Frame {
  let x: Axis, y: Axis
  let area: Drawing.Box

  /// A drawing with a legend above a framed area of a height, and with so much room below the axis' title.
  static func make(
    width: Double, areaHeight: Double, x: Axis, y: Axis, keys: [Drawing.Key], ticksUp: Int = 5,
    rightMargin: Double = 14, below: Double = 0
  ) -> (Drawing, Frame) {
    let legend = Drawing.legendHeight(keys, width: width)
    let yTicks = y.ticks(about: ticksUp)
    let labelWidth = yTicks.map { TextMetrics.width($0.label, size: Drawing.textSize) }.max() ?? 0
    let titles = TextMetrics.wrapped(Markup.visible(y.title), width: width - 4, size: Drawing.textSize)
    let xTitles = TextMetrics.wrapped(Markup.visible(x.title), width: width - 20, size: Drawing.textSize)
    let top = legend + Double(titles.count) * 16 + 14
    let area = Drawing.Box(left: labelWidth + 9, top: top, right: width - rightMargin, bottom: top + areaHeight)
    var drawing = Drawing(width: width, height: area.bottom + 24 + Double(xTitles.count) * 16 + below)
    let frame = Frame(x: x, y: y, area: area)

    drawing.legend(keys, top: 0)
    for (line, text) in titles.enumerated() {
      drawing.label(text, x: 0, y: legend + 12 + Double(line) * 16, style: "soft")
    }
    for tick in yTicks {
      let at = frame.down(tick.value)
      drawing.line(area.left, at, area.right, at, style: "grid")
      drawing.label(tick.label, x: area.left - 6, y: at + 4, anchor: .end, style: "soft")
    }
    let ticks = x.ticks(about: max(3, Int((area.right - area.left) / (x.isLogarithmic ? 55 : 80))))
    for tick in ticks {
      let at = frame.across(tick.value)
      drawing.line(at, area.bottom, at, area.bottom + 4, style: "axis")
      let half = TextMetrics.width(tick.label, size: Drawing.textSize) / 2
      drawing.label(
        tick.label, x: min(max(at, half + 1), width - half - 1), y: area.bottom + 18, anchor: .middle, style: "soft")
    }
    drawing.line(area.left, area.bottom, area.right, area.bottom, style: "axis")
    for (line, text) in xTitles.enumerated() {
      let half = TextMetrics.width(text, size: Drawing.textSize) / 2
      let middle = min(max((area.left + area.right) / 2, half + 1), width - half - 1)
      drawing.label(text, x: middle, y: area.bottom + 36 + Double(line) * 16, anchor: .middle, style: "soft")
    }
    return (drawing, frame)
  }

  /// Where values lie in the drawing.
  func across(_ value: Double) -> Double { area.left + x.position(value) * (area.right - area.left) }
  func down(_ value: Double) -> Double { area.bottom - y.position(value) * (area.bottom - area.top) }

  /// Writes a label beside a point, at the first place around it that is free, with a line to it where that is far.
  ///
  /// Returns false where no place was.
  func place(
    _ text: String, at point: (x: Double, y: Double), in drawing: inout Drawing, reach: [Double] = [9, 18, 30, 44, 62]
  ) -> Bool {
    let size = Drawing.textSize
    let text = TextMetrics.shortened(Markup.visible(text), width: (area.right - area.left) * 0.7, size: size)
    for distance in reach {
      let candidates: [(Double, Double, Drawing.Anchor)] = [
        (distance, 4, .start), (-distance, 4, .end), (0, -distance, .middle), (0, distance + 9, .middle),
        (distance * 0.8, -distance * 0.8, .start), (distance * 0.8, distance * 0.8 + 8, .start),
        (-distance * 0.8, -distance * 0.8, .end), (-distance * 0.8, distance * 0.8 + 8, .end),
      ]
      for (dx, dy, anchor) in candidates {
        let box = Drawing.box(text, x: point.x + dx, y: point.y + dy, anchor: anchor, size: size)
        guard box.left >= area.left + 2, box.right <= area.right + 12, box.top >= area.top - 6,
          box.bottom <= area.bottom - 2,
          drawing.isFree(box, margin: 2)
        else { continue }
        if distance > 20 {
          let end = (x: min(max(point.x, box.left), box.right), y: min(max(point.y, box.top), box.bottom))
          drawing.line(point.x, point.y, end.x, end.y, style: "lead")
        }
        return drawing.label(text, x: point.x + dx, y: point.y + dy, anchor: anchor)
      }
    }
    return false
  }
}
