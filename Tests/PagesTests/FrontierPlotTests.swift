import Foundation
import Testing

@testable import Pages

@Suite struct FrontierPlotTests {
  private static let widths = [Figure.narrowWidth, Figure.halfWidth, Figure.wideWidth]

  private static func point(_ name: String, _ x: Double, _ y: Double, best: Bool = false) -> FrontierPlot.Point {
    .init(name: name, x: x, y: y, isOnFrontier: best, title: "\(name): \(y) for \(x)")
  }

  private static func plot(_ points: [FrontierPlot.Point]) -> FrontierPlot {
    FrontierPlot(points: points, xTitle: "collateral", yTitle: "target hit", description: "Policies.")
  }

  private static func svg(_ plot: FrontierPlot, _ width: Double) -> String {
    plot.drawing(width: width, id: "p").svg(id: "p", title: plot.title, description: plot.summary, style: "").source
  }

  /// Policies in made-up places, some of them at one, with those marked that none beats.
  private static func policies(_ count: Int, seed: UInt64) -> [FrontierPlot.Point] {
    var state = seed
    func next(_ below: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % below
    }
    var points = (0..<count).map { index -> FrontierPlot.Point in
      let (x, y): (Double, Double) =
        switch next(8) {
        case 0: (0, 0)
        case 1: (1, 1)
        case 2: (Double(next(100)) / 100, 1)
        default: (Double(next(40)) / 100, Double(next(21)) / 20)
        }
      let words = ["reset", "on a name", "of the courier", "after some packets", "by a list", "on port 443"]
      var point = Self.point("policy \(index) " + words.prefix(next(5)).joined(separator: " "), x, y)
      if next(3) == 0 { (point.low, point.high) = (max(y - 0.1, 0), min(y + 0.1, 1)) }
      return point
    }
    for index in points.indices {
      points[index].isOnFrontier =
        points[index].y > 0
        && !points.contains {
          $0.x <= points[index].x && $0.y >= points[index].y && ($0.x, $0.y) != (points[index].x, points[index].y)
        }
    }
    return points
  }

  @Test func aSmallPlotReadsAsExpected() throws {
    var points = [
      Self.point("port 5223 only", 0.06, 0.55, best: true), Self.point("push.apple.com", 0.09, 0.93, best: true),
      Self.point("17.0.0.0/8", 0.4, 0.93), Self.point("GFW ESNI", 0, 0), Self.point("TSPU QUIC", 0, 0),
    ]
    (points[0].low, points[0].high) = (0.4, 0.7)
    try expectGolden(Self.svg(Self.plot(points), Figure.narrowWidth), "frontier.svg")
  }

  /// The line goes right, then up, through every place of the frontier, in whatever order the policies come.
  @Test func stepsClimbThroughTheFrontier() {
    let points = [
      Self.point("c", 0.3, 0.9, best: true), Self.point("a", 0.1, 0.2, best: true), Self.point("x", 0.2, 0.1),
      Self.point("b", 0.1, 0.5, best: true),
    ]
    #expect(Self.plot(points).steps.map(\.x) == [0.1, 0.1, 0.3, 0.3])
    #expect(Self.plot(points).steps.map(\.y) == [0.2, 0.5, 0.5, 0.9])
    for seed in 1...40 as ClosedRange<UInt64> {
      let points = Self.policies(30, seed: seed)
      let steps = Self.plot(points).steps
      for (from, to) in zip(steps, steps.dropFirst()) {
        #expect((to.x > from.x && to.y == from.y) || (to.x == from.x && to.y > from.y))
      }
      for point in points where point.isOnFrontier { #expect(steps.contains { $0 == (point.x, point.y) }) }
      #expect(Self.plot(points.reversed()).steps.elementsEqual(steps, by: ==))
    }
  }

  /// A caller's mistake: the line never falls.
  @Test func whatIsBeatenBendsNoLine() {
    let points = [Self.point("a", 0.1, 0.8, best: true), Self.point("b", 0.5, 0.3, best: true)]
    #expect(Self.plot(points).steps.map(\.y) == [0.8])
  }

  @Test func labelsStayApartAndInside() throws {
    for seed in 1...25 as ClosedRange<UInt64> {
      let plot = Self.plot(Self.policies(Int(seed) * 40 / 25, seed: seed))
      for width in Self.widths {
        let drawing = plot.drawing(width: width, id: "p")
        #expect(drawing.omitted.isEmpty, "\(seed) at \(width)")
        for (at, box) in drawing.labels.enumerated() {
          #expect(box.left >= 0 && box.top >= 0 && box.right <= drawing.width && box.bottom <= drawing.height)
          #expect(!drawing.labels.dropFirst(at + 1).contains { $0.intersects(box) })
        }
        // Names are broken into lines at spaces only.
        let text = try #require(textOf(Self.svg(plot, width), element: "text")).joined(separator: " ")
        for point in plot.points where point.isOnFrontier {
          #expect(text.contains(point.name.trimmingCharacters(in: .whitespaces)), "\(point.name), \(seed) at \(width)")
        }
      }
    }
  }

  @Test func manyAtOnePlaceAreListed() throws {
    let points =
      (1...7).map { Self.point("idle \($0)", 0, 0) } + (1...12).map { Self.point("blunt \($0)", 1, 1, best: $0 == 12) }
    for width in Self.widths {
      let source = Self.svg(Self.plot(points), width)
      let texts = try #require(textOf(source, element: "text")).joined(separator: " ")
      #expect(texts.contains("A: 7 policies here") && texts.contains("blunt 12 and 11 more (B)"))
      for point in points { #expect(texts.contains(point.name)) }
      // One mark a place, and a sentence of each policy for a pointer.
      #expect(source.components(separatedBy: "class=\"named\"").count - 1 == 2)
      for point in points { #expect(source.contains(point.title)) }
    }
  }

  @Test func hostileNamesStayText() {
    let evil = "\"><script>alert('1')</script>\u{202E}&\u{0}"
    let points = (0..<4).map { FrontierPlot.Point(name: evil, x: 0, y: 1, isOnFrontier: $0 > 0, title: evil) }
    let plot = FrontierPlot(points: points, xTitle: evil, yTitle: evil, description: evil)
    for width in Self.widths {
      let source = Self.svg(plot, width)
      #expect(!source.contains("<script") && !source.contains("\u{202E}") && textOf(source) != nil)
    }
  }

  @Test func valuesThatAreNoNumbersDrawNothingWrong() {
    var points = [Self.point("a", .nan, 1), Self.point("b", 0, .infinity), Self.point("c", 7, -3, best: true)]
    (points[2].low, points[2].high, points[2].lowX, points[2].highX) = (.nan, .infinity, -1, 2)
    let plot = Self.plot(points)
    #expect(plot.points.map(\.name) == ["c"])
    for width in Self.widths {
      let source = Self.svg(plot, width)
      #expect(!source.contains("nan") && !source.contains("inf") && textOf(source) != nil)
      #expect(textOf(Self.svg(Self.plot([]), width)) != nil)
    }
  }

  @Test func theSummaryNamesTheFrontier() {
    let plot = Self.plot([
      Self.point("b", 0.5, 1, best: true), Self.point("a", 0, 0.25, best: true), Self.point("c", 1, 1),
    ])
    #expect(plot.summary.hasSuffix("a (25\u{A0}% for 0\u{A0}%); b (100\u{A0}% for 50\u{A0}%)."))
    #expect(Self.plot([Self.point("c", 1, 1)]).summary == "Policies.")
  }
}
