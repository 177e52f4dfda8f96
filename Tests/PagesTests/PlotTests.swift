import Testing

@testable import Pages

@Suite struct PlotTests {
  @Test func linearTicksAreRound() {
    #expect(Axis("", from: 0, to: 1).ticks(about: 5).map(\.label) == ["0", "0.2", "0.4", "0.6", "0.8", "1"])
    #expect(Axis("", from: 0, to: 37).ticks(about: 4).map(\.value) == [0, 10, 20, 30])
  }

  @Test func logarithmicTicksAreRound() {
    #expect(
      Axis("", from: 10, to: 10_000, isLogarithmic: true).ticks(about: 4).map(\.value) == [10, 100, 1000, 10_000])
    #expect(Axis("", from: 1, to: 10, isLogarithmic: true).ticks(about: 5).map(\.value) == [1, 2, 5, 10])
    #expect((Axis("", from: 1, to: 100, isLogarithmic: true).position(10) - 0.5).magnitude < 1e-12)
    #expect((Axis("", from: 1, to: 100, isLogarithmic: true, isReversed: true).position(100)).magnitude < 1e-12)
  }

  @Test func unusableEndsMakeAnAxisAllTheSame() {
    for axis in [
      Axis("", from: .nan, to: .nan), Axis("", from: 5, to: 5), Axis("", from: 0, to: 0, isLogarithmic: true),
      Axis("", from: 3, to: -.infinity, isLogarithmic: true),
    ] {
      #expect(axis.lower < axis.upper)
      #expect(axis.ticks(about: 5).count < 70)
      #expect((0...1).contains(axis.position(.nan)) && (0...1).contains(axis.position(1e300)))
    }
  }

  /// Fifty points on one place: no label may hit another, and every name is to be read somewhere.
  @Test func crowdedPointsKeepTheirNames() {
    let points = (0..<50).map { ScatterPlot.Point("defence \($0)", x: 1 + Double($0) * 0.001, y: 0.7) }
    let plot = ScatterPlot(
      title: "", summary: "", x: Axis("x", from: 0, to: 2), y: Axis("y", from: 0, to: 1), points: points, ink: .target)
    for width in [Figure.narrowWidth, Figure.halfWidth, Figure.wideWidth] {
      let drawing = plot.drawing(width: width, id: "p")
      for (at, box) in drawing.labels.enumerated() {
        #expect(!drawing.labels.dropFirst(at + 1).contains { $0.intersects(box) })
      }
      let source = drawing.svg(id: "p", title: "", description: "", style: "").source
      for point in points { #expect(source.contains(point.name + "<"), "\(point.name) at \(width)") }
    }
  }

  @Test func burstsEndAtPauses() {
    let times = [0.0, 1, 2, 30, 31, 90]
    let plot = TimelinePlot(
      title: "", summary: "", records: times.map { .init(seconds: $0, bytes: 100, isUp: true, whose: .target) },
      names: [(.target, "target")])
    #expect(plot.bursts.map { $0.map(\.seconds) } == [[0, 1, 2], [30, 31], [90]])
  }

  @Test func valuesThatAreNoNumbersDrawNothingWrong() {
    let histogram = HistogramPlot(
      title: "", summary: "", edges: [0, .nan], target: [1], background: [1], targetName: "a", backgroundName: "b",
      quantity: "q", isLogarithmic: true)
    #expect(!histogram.isDrawable)
    let line = LinePlot(
      title: "", summary: "", x: .share("x"), y: .share("y"),
      series: [.init(name: "s", points: [(.nan, .infinity), (0.5, 0.5)], ink: .target)])
    #expect(
      !line.drawing(width: 344, id: "l").svg(id: "l", title: "", description: "", style: "").source.contains("nan"))
  }

  @Test func widthsGrowWithText() {
    #expect(
      TextMetrics.wrapped("one two three", width: 45, size: 12).allSatisfy { TextMetrics.width($0, size: 12) <= 45 })
    #expect(
      TextMetrics.wrapped("abcdefghijklmnopqrstuvwxyz", width: 60, size: 12).joined() == "abcdefghijklmnopqrstuvwxyz")
  }

  @Test func namesOfBarsKeepAllTheirLines() {
    let name = "delay records of the size of a sent message by two seconds, but not on port 443"
    let plot = BarIntervalPlot(
      title: "", summary: "", axis: .share("share"), series: [("one", .target), ("two", .background)],
      groups: [.init(name, [.init(0), .init(1, low: 0.9, high: 1)]), .init(name, [nil, nil])])
    for width in [Figure.narrowWidth, Figure.halfWidth, Figure.wideWidth] {
      #expect(plot.drawing(width: width, id: "b").omitted.isEmpty, "\(width)")
    }
  }

  @Test func timelinesLoseNoLabel() {
    for last in [0.5, 90, 7_000, 90_000] {
      var records: [TimelinePlot.Record] = []
      for index in 0..<40 {
        let whose: Drawing.Ink = index % 2 == 0 ? .target : .background
        let seconds: Double = last * Double(index * index) / 1521
        records.append(.init(seconds: seconds, bytes: Double(20 + index * 60), isUp: index % 3 == 0, whose: whose))
      }
      let plot = TimelinePlot(
        title: "", summary: "", records: records,
        names: [(.target, "a"), (.background, "b"), (.other, "other records")])
      for width in [Figure.narrowWidth, Figure.wideWidth] {
        #expect(plot.drawing(width: width, id: "t").omitted.isEmpty, "\(last) s at \(width)")
      }
    }
  }
}
