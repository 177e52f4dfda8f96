/// What hitting a target costs others: every policy as a point, the best of them named and joined by steps.
///
/// Policies at one place share a mark; a letter beside it leads to their names below the axes. A name that finds no room
/// beside its point moves there, too, so that none is lost.
public struct FrontierPlot: Plot {
  /// A policy.
  public struct Point: Sendable {
    /// Its name.
    public var name: String
    /// Share of everything else that it hits, and share of the target, 0 to 1.
    public var x: Double, y: Double
    /// Whether no other policy hits as much for less.
    public var isOnFrontier: Bool
    /// What it says in a sentence, shown beside the pointer.
    public var title: String
    /// Ends of the interval of `y`, and of `x`.
    public var low: Double?, high: Double?, lowX: Double?, highX: Double?

    /// A policy.
    public init(
      name: String, x: Double, y: Double, isOnFrontier: Bool, title: String, low: Double? = nil, high: Double? = nil,
      lowX: Double? = nil, highX: Double? = nil
    ) {
      (self.name, self.x, self.y, self.isOnFrontier, self.title) = (name, x, y, isOnFrontier, title)
      (self.low, self.high, self.lowX, self.highX) = (low, high, lowX, highX)
    }
  }

  /// What it is.
  public var title: String
  /// What it shows in sentences.
  public var description: String
  /// The policies; one whose place is no number is not drawn.
  public var points: [Point]
  /// The axes; shares from none to all unless they are set.
  public var x: Axis, y: Axis

  /// Policies by what they cost and what they hit.
  public init(
    title: String = "The target\u{2019}s share hit, and what it costs others", points: [Point], xTitle: String,
    yTitle: String, description: String
  ) {
    (self.title, self.description) = (title, description)
    self.points = points.filter { $0.x.isFinite && $0.y.isFinite }
    let share = Axis.share("")
    // Many policies hit nothing or everything: their names and letters stand in the room beyond the ends.
    x = Axis(xTitle, from: -0.03, to: 1, format: share.format)
    y = Axis(yTitle, from: -0.1, to: 1.12, format: share.format)
  }

  /// The description, and the frontier from its cheap end to its dear one.
  public var summary: String {
    let best = frontier.map { "\($0.name) (\(y.format($0.y)) for \(x.format($0.x)))" }
    guard !best.isEmpty else { return description }
    return description + " On the frontier, target hit for what it costs: " + best.joined(separator: "; ") + "."
  }

  /// Policies on the frontier from the cheap end to the dear one.
  var frontier: [Point] {
    points.filter(\.isOnFrontier).sorted { ($0.x, $0.y, $0.name) < ($1.x, $1.y, $1.name) }
  }

  /// Corners of the line of the most that can be hit for at most so much: it runs flat to the next policy, then rises.
  var steps: [(x: Double, y: Double)] {
    var corners: [(x: Double, y: Double)] = []
    for point in frontier {
      guard let last = corners.last else {
        corners.append((point.x, point.y))
        continue
      }
      guard point.y > last.y else { continue }
      if point.x > last.x { corners.append((point.x, last.y)) }
      corners.append((point.x, point.y))
    }
    return corners
  }

  /// The picture at a width.
  public func drawing(width: Double, id: String) -> Drawing {
    var listed: Set<Int> = []
    // Each round lists at least one more place, or is the last.
    while true {
      let (drawing, missing) = draw(width: width, listed: listed)
      if missing.isSubset(of: listed) { return drawing }
      listed.formUnion(missing)
    }
  }
}

extension FrontierPlot {
  /// Policies that are drawn as one mark.
  struct Place {
    var x: Double, y: Double
    var best: [Point], others: [Point]
    var count: Int { best.count + others.count }
    /// The names, those of the frontier first.
    var names: String {
      func all(_ points: [Point]) -> String { points.map(\.name).joined(separator: "; ") }
      if best.isEmpty || others.isEmpty { return all(best + others) }
      return "best \(all(best)); others \(all(others))"
    }
    /// The sentences of all, for a pointer.
    var title: String { (best + others).map(\.title).filter { !$0.isEmpty }.joined(separator: " \u{2022} ") }
  }

  /// Policies whose marks would hide each other are one place, in the order of the points.
  private func places(in frame: Frame) -> [Place] {
    var places: [Place] = []
    for point in points {
      let (x, y) = (frame.across(point.x), frame.down(point.y))
      var at = places.firstIndex { ($0.x - x).magnitude < 4 && ($0.y - y).magnitude < 4 }
      if at == nil {
        places.append(Place(x: x, y: y, best: [], others: []))
        at = places.count - 1
      }
      guard let at else { continue }
      if point.isOnFrontier { places[at].best.append(point) } else { places[at].others.append(point) }
    }
    return places
  }

  private static func letter(_ index: Int) -> String {
    let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".map(String.init)
    return letters[index % letters.count] + (index < letters.count ? "" : String(index / letters.count))
  }

  /// Draws, and says which places' names found no room; those of `listed` stand below with their letters.
  private func draw(width: Double, listed: Set<Int>) -> (Drawing, missing: Set<Int>) {
    var keys: [Drawing.Key] = []
    if points.contains(where: \.isOnFrontier) {
      keys.append(.init("best: none hits as much for less", .mark(.disc, .target)))
    }
    if points.contains(where: { !$0.isOnFrontier }) { keys.append(.init("other policies", .mark(.square, .other))) }
    if points.contains(where: { $0.low != nil || $0.lowX != nil }) { keys.append(.init("interval", .line("whisker"))) }
    let height = width > 500 ? 340.0 : 300
    func framed(below: Double) -> (Drawing, Frame) {
      Frame.make(width: width, areaHeight: height, x: x, y: y, keys: keys, below: below)
    }
    var (drawing, frame) = framed(below: 0)
    let places = places(in: frame)
    let lettered = places.indices.filter { places[$0].count > 1 || listed.contains($0) }
    let list = lettered.enumerated().map { index, place in
      (
        letter: Self.letter(index),
        lines: TextMetrics.wrapped(
          Markup.visible(entry(of: places[place])), width: width - Self.indent - 2, size: Drawing.textSize)
      )
    }
    let lines = list.reduce(0) { $0 + $1.lines.count }
    if !list.isEmpty { (drawing, frame) = framed(below: Double(lines) * 16 + Double(list.count) * 4 + 14) }
    drawLines(in: frame, &drawing)
    for place in places {
      drawing.keepFree(.init(left: place.x - 5, top: place.y - 5, right: place.x + 5, bottom: place.y + 5))
    }
    for place in places.filter(\.best.isEmpty) + places.filter({ !$0.best.isEmpty }) {
      let isBest = !place.best.isEmpty
      drawing.mark(
        isBest ? .disc : .square, x: place.x, y: place.y, size: place.count > 1 ? 5.5 : isBest ? 4.5 : 3.2,
        ink: isBest ? .target : .other, title: place.title)
    }

    let missing = writeLabels(
      of: places, letters: Dictionary(uniqueKeysWithValues: zip(lettered, list.map(\.letter))), listed: listed,
      in: frame, &drawing)
    write(list, below: frame, &drawing)
    return (drawing, missing)
  }

  /// Writes names and letters in the order that leaves most of them close to their points; says which found no room.
  private func writeLabels(
    of places: [Place], letters: [Int: String], listed: Set<Int>, in frame: Frame, _ drawing: inout Drawing
  ) -> Set<Int> {
    let best = places.indices.filter { !places[$0].best.isEmpty }
    let others = places.indices.filter { places[$0].best.isEmpty && letters[$0] != nil }
    var chosen: (drawing: Drawing, missing: Set<Int>, cost: Double)?
    for order in [best + others, others + best, best.reversed() + others, others + best.reversed()] {
      for isShort in [false, true] {
        var attempt = (drawing: drawing, missing: Set<Int>(), cost: 0.0)
        var labels = Labels(frame: frame, marks: places.map { ($0.x, $0.y) })
        for index in order {
          let place = places[index]
          var texts = Self.labels(of: place, letter: letters[index], isListed: listed.contains(index))
          if isShort, place.best.isEmpty { texts = texts.suffix(1) }
          var found: Double?
          for text in texts where found == nil {
            found = labels.place(text, at: (place.x, place.y), in: &attempt.drawing)
          }
          guard let found else {
            attempt.missing.insert(index)
            continue
          }
          attempt.cost += found + (isShort && place.best.isEmpty ? 30 : 0)
        }
        let known = chosen.map { ($0.missing.count, $0.cost) } ?? (.max, .infinity)
        if (attempt.missing.count, attempt.cost) < known { chosen = attempt }
      }
    }
    guard let chosen else { return [] }
    drawing = chosen.drawing
    return chosen.missing
  }

  /// What may stand beside a place, the best first; the letter of the list is the least.
  private static func labels(of place: Place, letter: String?, isListed: Bool) -> [String] {
    guard let letter else { return place.best.map(\.name) }
    guard place.count > 1 else { return [letter] }
    let short = ["\(letter): \(place.count) policies here", letter]
    guard let name = place.best.first?.name, place.best.count == 1, !isListed else { return short }
    return ["\(name) and \(place.count - 1) more (\(letter))"] + short
  }

  /// What the list says of a place; where it lies, too, should its letter have found no room.
  private func entry(of place: Place) -> String {
    guard let point = (place.best + place.others).first else { return "" }
    let share = "\(y.format(point.y)) for \(x.format(point.x))"
    return place.count > 1 ? "\(place.count) policies, \(share): \(place.names)" : "\(place.names), \(share)"
  }

  /// Room for a letter before the names that it stands for.
  private static let indent = 26.0

  private func write(_ list: [(letter: String, lines: [String])], below frame: Frame, _ drawing: inout Drawing) {
    let titles = TextMetrics.wrapped(Markup.visible(x.title), width: drawing.width - 20, size: Drawing.textSize)
    var y = frame.area.bottom + 24 + Double(titles.count) * 16 + 12
    for entry in list {
      y += 16
      drawing.label(entry.letter, x: 0, y: y, style: "strong")
      for (number, line) in entry.lines.enumerated() {
        if number > 0 { y += 16 }
        drawing.label(line, x: Self.indent, y: y)
      }
      y += 4
    }
  }

  /// The intervals, and the steps from the axis to the frontier and on to the dear end.
  private func drawLines(in frame: Frame, _ drawing: inout Drawing) {
    for point in points {
      let (x, y) = (frame.across(point.x), frame.down(point.y))
      let style = "whisker-" + (point.isOnFrontier ? Drawing.Ink.target : .other).rawValue
      if let low = point.low, let high = point.high {
        drawing.line(x, frame.down(low), x, frame.down(high), style: style)
        drawing.keepFree(.init(left: x - 2, top: frame.down(high), right: x + 2, bottom: frame.down(low)))
      }
      if let low = point.lowX, let high = point.highX {
        drawing.line(frame.across(low), y, frame.across(high), y, style: style)
        drawing.keepFree(.init(left: frame.across(low), top: y - 2, right: frame.across(high), bottom: y + 2))
      }
    }
    let corners = steps.map { (x: frame.across($0.x), y: frame.down($0.y)) }
    guard let first = corners.first, let last = corners.last else { return }
    drawing.path([(first.x, frame.down(0)), first], style: "line-a dashed")
    drawing.path(corners, style: "line-a")
    drawing.path([last, (frame.area.right, last.y)], style: "line-a dashed")
    let all = [(x: first.x, y: frame.down(0))] + corners + [(x: frame.area.right, y: last.y)]
    for (from, to) in zip(all, all.dropFirst()) {
      drawing.keepFree(
        .init(
          left: min(from.x, to.x) - 2, top: min(from.y, to.y) - 2, right: max(from.x, to.x) + 2,
          bottom: max(from.y, to.y) + 2))
    }
  }

  /// Names beside their marks, with a line to it where that is not close.
  private struct Labels {
    let frame: Frame
    let marks: [(x: Double, y: Double)]
    var leads: [(from: (x: Double, y: Double), to: (x: Double, y: Double))] = []

    private static let lineHeight = 14.5
    /// Directions in the order of preference, of length 1: beside, then aslant, then above and below.
    private static let directions: [(x: Double, y: Double)] = [
      (1, 0), (0.92, 0.38), (0.92, -0.38), (0.71, 0.71), (0.71, -0.71), (-1, 0), (-0.92, 0.38), (-0.92, -0.38),
      (-0.71, 0.71), (-0.71, -0.71), (0.38, 0.92), (0.38, -0.92), (-0.38, 0.92), (-0.38, -0.92), (0, 1), (0, -1),
    ]

    init(frame: Frame, marks: [(x: Double, y: Double)]) { (self.frame, self.marks) = (frame, marks) }

    /// Writes a text at the nearest place that is free; says how far that is, nil where there was none.
    mutating func place(_ text: String, at point: (x: Double, y: Double), in drawing: inout Drawing) -> Double? {
      let size = Drawing.textSize
      let area = frame.area
      let lines = TextMetrics.wrapped(
        Markup.visible(text), width: min(220, (area.right - area.left) * 0.55), size: size)
      let width = lines.map { TextMetrics.width($0, size: size) }.max() ?? 0
      let height = Double(lines.count) * Self.lineHeight
      for distance in [9.0, 14, 22, 32, 44, 58, 74, 92, 112, 134] {
        for direction in Self.directions {
          let middle = (
            x: point.x + direction.x * (distance + width / 2), y: point.y + direction.y * (distance + height / 2)
          )
          let box = Drawing.Box(
            left: middle.x - width / 2, top: middle.y - height / 2, right: middle.x + width / 2,
            bottom: middle.y + height / 2)
          guard box.left >= area.left + 3, box.right <= area.right + 12, box.top >= area.top - 8,
            box.bottom <= area.bottom - 2, drawing.isFree(box, margin: 2)
          else { continue }
          let end = (x: min(max(point.x, box.left), box.right), y: min(max(point.y, box.top), box.bottom))
          guard distance < 20 || isClear(from: point, to: end, in: drawing) else { continue }
          let (x, anchor): (Double, Drawing.Anchor) =
            direction.x > 0.1 ? (box.left, .start) : direction.x < -0.1 ? (box.right, .end) : (middle.x, .middle)
          for (index, line) in lines.enumerated() {
            drawing.label(
              line, x: x, y: box.top + Double(index) * Self.lineHeight + 0.88 * size, anchor: anchor, style: "plated")
          }
          // Last, as a name may not stand on a line, not even on the end of its own.
          if distance >= 20 {
            let length = ((end.x - point.x) * (end.x - point.x) + (end.y - point.y) * (end.y - point.y)).squareRoot()
            let edge = min(5 / max(length, 1), 1)
            drawing.line(
              point.x + edge * (end.x - point.x), point.y + edge * (end.y - point.y), end.x, end.y, style: "lead")
            leads.append((point, end))
            keepFree(from: point, to: end, in: &drawing)
          }
          return distance
        }
      }
      return nil
    }

    /// Whether a line meets no name, no other line of its kind and no mark but its own.
    private func isClear(
      from start: (x: Double, y: Double), to end: (x: Double, y: Double), in drawing: Drawing
    ) -> Bool {
      for at in Labels.along(start, end) {
        let spot = Drawing.Box(left: at.x - 1, top: at.y - 1, right: at.x + 1, bottom: at.y + 1)
        if drawing.labels.contains(where: { $0.intersects(spot) }) { return false }
        let hits = marks.contains {
          ($0.x - at.x).magnitude < 6 && ($0.y - at.y).magnitude < 6 && ($0.x != start.x || $0.y != start.y)
        }
        if hits { return false }
      }
      return !leads.contains { Labels.cross(start, end, $0.from, $0.to) }
    }

    private func keepFree(
      from start: (x: Double, y: Double), to end: (x: Double, y: Double), in drawing: inout Drawing
    ) {
      for at in Labels.along(start, end) {
        drawing.keepFree(.init(left: at.x - 2, top: at.y - 2, right: at.x + 2, bottom: at.y + 2))
      }
    }

    /// Points of a line some four pixels from each other.
    private static func along(
      _ start: (x: Double, y: Double), _ end: (x: Double, y: Double)
    ) -> [(x: Double, y: Double)] {
      let length = max((end.x - start.x).magnitude, (end.y - start.y).magnitude)
      let count = min(max(Int(length / 4), 1), 200)
      return (0...count).map { step in
        let share = Double(step) / Double(count)
        return (start.x + share * (end.x - start.x), start.y + share * (end.y - start.y))
      }
    }

    private static func cross(
      _ a: (x: Double, y: Double), _ b: (x: Double, y: Double), _ c: (x: Double, y: Double), _ d: (x: Double, y: Double)
    ) -> Bool {
      func side(_ p: (x: Double, y: Double), _ q: (x: Double, y: Double), _ r: (x: Double, y: Double)) -> Double {
        (q.x - p.x) * (r.y - p.y) - (q.y - p.y) * (r.x - p.x)
      }
      return side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0
    }
  }
}
