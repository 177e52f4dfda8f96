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

  private static let bar = 14.0, gap = 5.0, group = 21.0

  /// Rules that are meant for the same, in their order.
  private var groups: [(target: String, bars: [FaceTimeStudy.Bar])] {
    var groups: [(target: String, bars: [FaceTimeStudy.Bar])] = []
    for bar in bars {
      if groups.last?.target == bar.target {
        groups[groups.count - 1].bars.append(bar)
      } else {
        groups.append((bar.target, [bar]))
      }
    }
    return groups
  }

  func drawing(width: Double, id: String) -> Drawing {
    let size = Drawing.textSize
    let isNarrow = width < 500
    let keys = [
      Drawing.Key("what the rule is meant for", .mark(.disc, .target)),
      Drawing.Key("notifications", .mark(.square, .background)),
    ]
    let legend = Drawing.legendHeight(keys, width: width)
    let names = isNarrow ? width - 4 : width * 0.38
    let left = isNarrow ? 4 : names + 8
    let right = width - 52
    let axis = Axis.share("share that is lost, late or cut")
    let row = 2 * Self.bar + Self.gap + (isNarrow ? 16 : 0)
    let height =
      legend + 6 + groups.reduce(0) { $0 + Self.group + Double($1.bars.count) * row } + 4
    var drawing = Drawing(width: width, height: height + 38)
    func across(_ value: Double) -> Double { left + axis.position(value) * (right - left) }

    drawing.legend(keys, top: 0)
    for tick in axis.ticks(about: max(3, Int((right - left) / 80))) {
      let at = across(tick.value)
      drawing.line(at, legend + 4, at, height, style: "grid")
      let half = TextMetrics.width(tick.label, size: size) / 2
      drawing.label(tick.label, x: max(at, half + 1), y: height + 16, anchor: .middle, style: "soft")
    }
    drawing.line(left, height, right, height, style: "axis")
    drawing.label(axis.title, x: left, y: height + 33, style: "soft")
    var y = legend + 6
    for group in groups {
      let heading = "Meant for \(group.target), by"
      let plate = Drawing.box(heading, x: 0, y: y + 15, isBold: true)
      drawing.rectangle(
        .init(left: 0, top: plate.top - 1, right: plate.right + 4, bottom: plate.bottom + 1), style: "plate")
      drawing.label(heading, x: 0, y: y + 15, style: "strong")
      y += Self.group
      for bar in group.bars {
        let name = TextMetrics.shortened(Markup.visible(bar.title), width: names - 12, size: size)
        if isNarrow {
          let plate = Drawing.box(name, x: 0, y: y + 12)
          drawing.rectangle(
            .init(left: 0, top: plate.top, right: plate.right + 4, bottom: plate.bottom), style: "plate")
          drawing.label(name, x: 0, y: y + 12)
          y += 16
        } else {
          drawing.label(name, x: 10, y: y + Self.bar + 5)
        }
        for (value, ink, shape) in [
          (bar.targetHit, Drawing.Ink.target, Drawing.Shape.disc), (bar.notificationsHit, .background, .square),
        ] {
          let middle = y + Self.bar / 2 + 1
          if let value {
            let end = across(value)
            drawing.rectangle(
              .init(left: left, top: middle - 3, right: end, bottom: middle + 3), style: "bar-\(ink.rawValue)")
            drawing.mark(shape, x: end, y: middle, size: 3.2, ink: ink)
            drawing.label(Numbers.percent(value), x: end + 8, y: middle + 4, size: 11, style: "plated")
          } else {
            drawing.label("\u{2013}", x: left + 2, y: middle + 4, size: 11, style: "soft")
          }
          y += Self.bar
        }
        y += Self.gap
      }
    }
    return drawing
  }
}
