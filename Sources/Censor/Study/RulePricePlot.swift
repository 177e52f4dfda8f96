import Pages

/// A row a rule: what it hits of what it is meant for, and below it what it hits of notifications.
struct RulePricePlot: Plot {
  let bars: [FaceTimeStudy.Bar]

  init(_ bars: [FaceTimeStudy.Bar]) { self.bars = bars }

  var title: String { "What each rule hits of what it is meant for, and of notifications" }

  var summary: String {
    bars.map { bar in
      "\(bar.title): \(words(bar.targetHit)) of \(bar.target), \(words(bar.notificationsHit)) of notifications"
    }.joined(separator: "; ") + "."
  }

  private func words(_ share: Double?) -> String { share.map(Numbers.percent) ?? "not known" }

  private static let row = 19.0, heading = 20.0

  /// Rules that are meant for calls, then those that are meant for iMessages, sent or received, in their order.
  private var groups: [(target: String, bars: [FaceTimeStudy.Bar])] {
    let calls = bars.filter { $0.target == StudySubject.calls.name }
    let others = bars.filter { $0.target != StudySubject.calls.name }
    return [(StudySubject.calls.name, calls), (StudySubject.iMessages.name, others)].filter { !$0.bars.isEmpty }
  }

  func drawing(width: Double, id: String) -> Drawing {
    let size = Drawing.textSize
    let isNarrow = width < 500
    let keys = [
      Drawing.Key("what the rule is meant for", .mark(.disc, .target)),
      Drawing.Key("notifications", .mark(.square, .background)),
    ]
    let legend = Drawing.legendHeight(keys, width: width)
    let names = isNarrow ? width - 4 : width * 0.34
    let left = isNarrow ? 4 : names + 8
    let number = 52.0
    let right = width - 2 * number - 8
    let axis = Axis.share("share that is lost, late or cut")
    let step = Self.row + (isNarrow ? 15 : 0)
    let height = legend + 4 + groups.reduce(0) { $0 + Self.heading + Double($1.bars.count) * step } + 2
    var drawing = Drawing(width: width, height: height + 36)
    func across(_ value: Double) -> Double { left + axis.position(value) * (right - left) }

    drawing.legend(keys, top: 0)
    for tick in axis.ticks(about: max(2, Int((right - left) / 80))) {
      let at = across(tick.value)
      drawing.line(at, legend + 4, at, height, style: "grid")
      let half = TextMetrics.width(tick.label, size: size) / 2
      drawing.label(tick.label, x: max(at, half + 1), y: height + 16, anchor: .middle, style: "soft")
    }
    drawing.line(left, height, right, height, style: "axis")
    drawing.label(axis.title, x: left, y: height + 31, style: "soft")
    var y = legend + 4
    for group in groups {
      write("Meant for \(group.target), by", x: 0, y: y + 15, style: "strong", in: &drawing)
      y += Self.heading
      for bar in group.bars {
        let name = TextMetrics.shortened(Markup.visible(bar.title), width: names - 12, size: size)
        if isNarrow {
          write(name, x: 0, y: y + 12, style: "", in: &drawing)
          y += 15
        } else {
          write(name, x: 10, y: y + 13, style: "", in: &drawing)
        }
        for (index, value) in [bar.targetHit, bar.notificationsHit].enumerated() {
          let ink: Drawing.Ink = index == 0 ? .target : .background
          let middle = y + 5 + Double(index) * 8
          let words = value.map(Numbers.percent) ?? "\u{2013}"
          drawing.label(words, x: width - (index == 0 ? number + 4 : 0), y: y + 13, anchor: .end)
          guard let value else { continue }
          let end = across(value)
          drawing.rectangle(
            .init(left: left, top: middle - 3, right: end, bottom: middle + 3), style: "bar-\(ink.rawValue)")
          drawing.mark(index == 0 ? .disc : .square, x: end, y: middle, size: 3, ink: ink)
        }
        y += step - (isNarrow ? 15 : 0)
      }
    }
    // Above their numbers, the signs of the two columns.
    for (index, shape) in [Drawing.Shape.disc, .square].enumerated() {
      drawing.mark(
        shape, x: width - (index == 0 ? number + 4 : 0) - 14, y: legend + 14, ink: index == 0 ? .target : .background)
    }
    return drawing
  }

  /// Text on a plate that hides the grid.
  private func write(_ text: String, x: Double, y: Double, style: String, in drawing: inout Drawing) {
    let plate = Drawing.box(text, x: x, y: y, isBold: style == "strong")
    drawing.rectangle(.init(left: x, top: plate.top, right: plate.right + 4, bottom: plate.bottom), style: "plate")
    drawing.label(text, x: x, y: y, style: style)
  }
}
