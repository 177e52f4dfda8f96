/// Records of one connection: sent ones rise above the line, received ones hang below it.
///
/// Two pictures in one: the whole connection with a linear axis, and below it a stretch of bursts side by side, each
/// with a linear axis of its own; the pauses between them are not drawn but written.
public struct TimelinePlot: Plot {
  /// A record.
  public struct Record: Sendable {
    /// Seconds from the first, and bytes.
    public var seconds: Double, bytes: Double
    /// Its direction, and whose it is.
    public var isUp: Bool, whose: Drawing.Ink
    /// A record.
    public init(seconds: Double, bytes: Double, isUp: Bool, whose: Drawing.Ink) {
      (self.seconds, self.bytes, self.isUp, self.whose) = (seconds, bytes, isUp, whose)
    }
  }

  /// What it is, and what it shows in sentences.
  public var title: String, summary: String
  /// Records in the order of time.
  public var records: [Record]
  /// Names of the inks that occur.
  public var names: [(ink: Drawing.Ink, name: String)]
  /// A pause of so many seconds ends a burst.
  public var pause: Double

  /// Records of one connection.
  public init(
    title: String, summary: String, records: [Record], names: [(ink: Drawing.Ink, name: String)], pause: Double = 5
  ) {
    (self.title, self.summary, self.names, self.pause) = (title, summary, names, pause)
    self.records = records.filter { $0.seconds.isFinite && $0.bytes.isFinite }.sorted { $0.seconds < $1.seconds }
  }

  /// Bursts: records that follow each other within the pause.
  var bursts: [ArraySlice<Record>] {
    var bursts: [ArraySlice<Record>] = []
    var start = records.startIndex
    for index in records.indices.dropFirst() where records[index].seconds - records[index - 1].seconds > pause {
      bursts.append(records[start..<index])
      start = index
    }
    if start < records.endIndex { bursts.append(records[start...]) }
    return bursts
  }

  private static func shape(of ink: Drawing.Ink) -> Drawing.Shape {
    ink == .target ? .disc : ink == .background ? .square : .tick
  }

  /// The picture at a width.
  public func drawing(width: Double, id: String) -> Drawing {
    let keys = names.map { Drawing.Key($0.name, .mark(Self.shape(of: $0.ink), $0.ink)) }
    let legend = Drawing.legendHeight(keys, width: width)
    let half = 72.0
    let overview = legend + 22
    let detail = overview + 2 * half + 62
    let all = bursts
    let shown = stretch(of: all, count: width > 500 ? 6 : 3)
    let hasDetail = all.count > 1 && !shown.isEmpty
    var drawing = Drawing(width: width, height: hasDetail ? detail + 2 * half + 58 : overview + 2 * half + 44)
    drawing.legend(keys, top: 0)

    let sizes = records.map(\.bytes).filter { $0 > 0 }
    let size = Axis("", from: min(sizes.min() ?? 10, 10), to: max(sizes.max() ?? 1000, 1000), isLogarithmic: true)
    let left = 52.0
    let whole = Drawing.Box(left: left, top: overview, right: width - 8, bottom: overview + 2 * half)
    drawing.label("the whole connection; sizes in bytes", x: 0, y: overview - 10, style: "soft")
    let end = max(records.last?.seconds ?? 1, 0.001)
    scale(size, in: whole, &drawing)
    draw(records[...], from: 0, to: end, in: whole, size: size, radius: records.count > 300 ? 1.6 : 2.4, &drawing)
    let (unit, name) = end > 5400 ? (3600.0, "hours") : end > 150 ? (60.0, "min") : (1.0, "s")
    let time = Axis("", from: 0, to: end / unit)
    for tick in time.ticks(about: max(3, Int((whole.right - left) / 90))) {
      let x = left + time.position(tick.value) * (whole.right - left)
      let half = TextMetrics.width(tick.label, size: Drawing.textSize) / 2
      drawing.line(x, whole.bottom, x, whole.bottom + 4, style: "axis")
      drawing.label(tick.label, x: min(x, width - half - 1), y: whole.bottom + 17, anchor: .middle, style: "soft")
    }
    drawing.label(name, x: 0, y: whole.bottom + 17, style: "soft")
    guard hasDetail else { return drawing }

    let below = Drawing.Box(left: left, top: detail, right: width - 8, bottom: detail + 2 * half)
    let plural = shown.count == 1 ? "one burst of it" : "\(shown.count) bursts of it, one after another"
    drawing.label(plural, x: 0, y: detail - 10, style: "soft")
    scale(size, in: below, &drawing)
    let gap = 16.0
    let slot = (below.right - left - gap * Double(shown.count - 1)) / Double(shown.count)
    var previousEnd: Double?
    for (index, burst) in shown.enumerated() {
      guard let first = burst.first, let last = burst.last else { continue }
      let x = left + Double(index) * (slot + gap)
      let box = Drawing.Box(left: x + 5, top: below.top, right: x + slot - 5, bottom: below.bottom)
      if let previousEnd {
        drawing.rectangle(.init(left: x - gap + 2, top: below.top, right: x - 2, bottom: below.bottom), style: "gap")
        drawing.label(
          "+ " + Numbers.seconds(first.seconds - previousEnd), x: x - gap / 2, y: below.bottom + 36, anchor: .middle,
          style: "soft")
      }
      draw(
        burst, from: first.seconds, to: max(last.seconds, first.seconds + 0.001), in: box, size: size, radius: 3.4,
        &drawing)
      drawing.label(
        burst.count == 1 ? "1 record" : Numbers.seconds(last.seconds - first.seconds), x: (box.left + box.right) / 2,
        y: below.bottom + 17, anchor: .middle, style: "soft")
      previousEnd = last.seconds
    }
    drawing.label("lasts", x: 0, y: below.bottom + 17, style: "soft")
    drawing.label("pause", x: 0, y: below.bottom + 36, style: "soft")
    return drawing
  }

  /// The stretch of bursts that shows most of what there is: both kinds, and of those not too many records.
  private func stretch(of bursts: [ArraySlice<Record>], count: Int) -> [ArraySlice<Record>] {
    guard bursts.count > count else { return bursts }
    var best = (worth: -1, start: 0)
    for start in 0...(bursts.count - count) {
      var (target, background) = (0, 0)
      for burst in bursts[start..<start + count] {
        if burst.contains(where: { $0.whose == .target }) { target += 1 }
        if burst.contains(where: { $0.whose == .background }) { background += 1 }
      }
      let worth = min(target, background) * 10 + target + background
      if worth > best.worth { best = (worth, start) }
    }
    return Array(bursts[best.start..<best.start + count])
  }

  private func scale(_ size: Axis, in box: Drawing.Box, _ drawing: inout Drawing) {
    let middle = (box.top + box.bottom) / 2
    let half = (box.bottom - box.top) / 2
    for tick in size.ticks(about: 3) where tick.value > size.lower * 1.5 {
      for side in [-1.0, 1] {
        let y = middle + side * size.position(tick.value) * half
        drawing.line(box.left, y, box.right, y, style: "grid")
        drawing.label(Numbers.grouped(Int(tick.value)), x: box.left - 5, y: y + 4, anchor: .end, style: "soft")
      }
    }
    drawing.line(box.left, middle, box.right, middle, style: "axis")
    drawing.label("\u{2191} up", x: 0, y: middle - 3, style: "strong")
    drawing.label("\u{2193} down", x: 0, y: middle + 12, style: "strong")
  }

  private func draw(
    _ records: ArraySlice<Record>, from start: Double, to end: Double, in box: Drawing.Box, size: Axis, radius: Double,
    _ drawing: inout Drawing
  ) {
    let middle = (box.top + box.bottom) / 2
    let half = (box.bottom - box.top) / 2
    for ink in [Drawing.Ink.other, .third, .background, .target] {
      let own = records.filter { $0.whose == ink }
      let tips = own.map { record in
        let height = size.position(record.bytes) * half
        return (
          x: box.left + (record.seconds - start) / (end - start) * (box.right - box.left),
          y: record.isUp ? middle - height : middle + height
        )
      }
      drawing.lines(tips.map { ($0.x, middle, $0.x, $0.y) }, style: "stem-\(ink.rawValue)")
      drawing.marks(Self.shape(of: ink), at: tips, size: ink == .other ? radius * 0.6 : radius, ink: ink)
    }
  }
}
