import Foundation
import Testing

@testable import Pages

@Suite struct HeatMapTests {
  /// Three policies by four services with made-up shares.
  private static let small = HeatMap(
    columns: [
      .init(name: "iMessage, sent", group: "Apple"), .init(name: "notifications", group: "Apple"),
      .init(name: "WhatsApp", group: "messengers"), .init(name: "DNS"),
    ],
    rows: [
      .init(
        name: "block push.apple.com", group: "Apple\u{2019}s pipe", link: "#policy-1",
        cells: [
          .init(value: 1, text: "100", title: "4 of 4 messages lost", link: "#cell-1-1", isTarget: true),
          .init(value: 0.998, text: ">99", title: "1,203 of 1,205 notifications lost", link: "#cell-1-2"),
          .init(value: 0, text: "0", title: "0 of 31 flows"), .init(value: 0.004, text: "<1", title: "1 of 250 flows"),
        ]),
      .init(
        name: "port 5223 only", group: "Apple\u{2019}s pipe",
        cells: [
          .init(value: 0.31, text: "31", title: "", isTarget: true), .init(value: 0.2, text: "20", title: ""),
          .init(value: nil, text: "", title: "none in this traffic"), .init(value: 0.2001, text: "20", title: ""),
        ]),
      .init(name: "GFW ESNI", group: "China", cells: []),
    ], caption: "What each policy would have hit.", legend: "Percent of flows.")

  @Test func aSmallMatrixReadsAsExpected() throws { try expectGolden(Self.small.markup.source, "heat-map.html") }

  @Test func nothingIsDrawnOfNothing() {
    #expect(HeatMap(columns: [], rows: Self.small.rows, caption: "", legend: "").markup.isEmpty)
    #expect(HeatMap(columns: Self.small.columns, rows: [], caption: "", legend: "").markup.isEmpty)
  }

  @Test func stepsHoldTheirUpperEnds() {
    let values: [Double?] = [nil, .nan, -1, 0, 1e-9, 0.05, 0.050_1, 0.2, 0.4, 0.6, 0.8, 0.8001, 1, 7, .infinity]
    #expect(values.map(HeatMap.step) == [nil, nil, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 6, 6, 6])
  }

  /// Rows that are too short or too long for the columns make the same number of cells.
  @Test func everyRowHasACellOfEachColumn() throws {
    for (columns, rows) in [(1, 1), (7, 3), (30, 40), (45, 2)] {
      let map = HeatMap(
        columns: (0..<columns).map { .init(name: "service \($0)", group: "group \($0 / 6)") },
        rows: (0..<rows).map { row in
          .init(
            name: "policy \(row)", group: "family \(row / 9)",
            cells: (0..<(row % 3 == 0 ? columns + 2 : row % columns)).map {
              .init(value: Double($0) / Double(columns), text: "\($0)", title: "")
            })
        }, caption: "", legend: "")
      let source = map.markup.source
      let headers = try #require(textOf(source, element: "th"))
      #expect(source.components(separatedBy: "<td class=\"h").count - 1 == columns * rows)
      for column in map.columns { #expect(headers.contains { $0.hasSuffix(column.name) }) }
      for row in map.rows { #expect(headers.contains(row.name)) }
      for group in Set(map.columns.map(\.group)) { #expect(headers.contains { $0.hasPrefix(group) }) }
    }
  }

  @Test func hostileTextStaysText() throws {
    let evil = "\"><script>alert('1')</script>\u{202E}&\u{0}"
    let cell = HeatMap.Cell(value: 0.5, text: evil, title: evil, link: "#" + evil, isTarget: true)
    let map = HeatMap(
      columns: [.init(name: evil, group: evil), .init(name: evil)],
      rows: [
        .init(name: evil, group: evil, link: "javascript:alert(1)", cells: [cell]),
        .init(
          name: evil, link: "https://example.com/", cells: [cell, .init(value: 0, text: "0", title: "", link: "#")]),
      ], caption: evil, legend: evil)
    let source = map.markup.source
    #expect(!source.contains("<script") && !source.contains("\u{202E}") && !source.contains("\u{0}"))
    #expect(!source.contains("javascript:") && !source.contains("https:") && !source.contains("href=\"#\""))
    #expect(textOf(source) != nil)
  }

  @Test func namesAreNeverCut() {
    let long = (0..<60).map { "word\($0)" }.joined(separator: " ")
    let map = HeatMap(
      columns: [.init(name: long, group: long)], rows: [.init(name: long, group: long, cells: [])], caption: long,
      legend: long)
    #expect(map.markup.source.components(separatedBy: long).count - 1 >= 6)
  }

  @Test func headersStandUprightWhereTheyAreBroad() {
    func layout(_ columns: Int, _ name: String, _ group: String = "Apple") -> HeatMap.Layout {
      HeatMap.Layout(
        HeatMap(
          columns: (0..<columns).map { _ in .init(name: name, group: group) },
          rows: [.init(name: "a policy's name of usual length", cells: [])], caption: "", legend: ""))
    }
    #expect(!layout(5, "notifications received").isTurned && layout(20, "notifications").isTurned)
    #expect(layout(5, "notifications received").style == "fits")
    #expect(layout(30, "notifications").style == "fits-wide broad")
    #expect(layout(80, "notifications").style == "scrolls broad")
    #expect(layout(30, "notifications").cell >= HeatMap.Layout.least)
    #expect(layout(30, "").names > 0 && layout(1, String(repeating: "w", count: 400)).total > 0)
  }

  /// A caption that is longer than its one column joins the column's name instead of making it broad.
  @Test func aLoneColumnTakesItsCaptionIn() {
    var map = Self.small
    map.columns = (0..<24).map { .init(name: "notifications \($0)", group: $0 == 23 ? "circumvention" : "Apple") }
    let source = map.markup.source
    #expect(source.contains("rowspan=\"2\" class=\"turned first\"><span><b>circumvention</b> notifications 23</span>"))
    #expect(source.components(separatedBy: "scope=\"colgroup\"").count - 1 == 1)
    #expect(source.components(separatedBy: "scope=\"col\"").count - 1 == 24)
  }

  /// WCAG 2.2, 1.4.3, of what the style sheet says; and an order that survives the loss of hue.
  @Test func figuresCanBeReadOnEveryStep() throws {
    let style = StyleSheet.text
    let blocks = style.components(separatedBy: ":root{").dropFirst().prefix(2)
    for (block, isDark) in zip(blocks, [false, true]) {
      func colour(_ name: String) throws -> Double {
        let text = try #require(block.components(separatedBy: "--\(name):").dropFirst().first)
        return try luminance(String(text.prefix { $0 != ";" }))
      }
      var fills: [Double] = []
      for step in HeatMap.steps.indices {
        let fill = try colour("h\(step)")
        let ink: Double =
          switch step {
          case 0: try colour("soft")
          case 1...3: try colour("ink")
          case 4: try luminance("#11151a")
          default: try colour("paper")
          }
        let contrast = (max(fill, ink) + 0.05) / (min(fill, ink) + 0.05)
        #expect(contrast >= 4.5, "step \(step) has \(contrast)")
        fills.append(fill)
      }
      #expect(zip(fills, fills.dropFirst()).allSatisfy { isDark ? $0 < $1 : $0 > $1 })
    }
    // The inks that the loop above takes for granted.
    for rule in [
      ".h0{background:var(--h0);color:var(--soft)}", ".h1,.h2,.h3{color:var(--ink)}",
      ".h4{background:var(--h4);color:#11151a}", ".h5,.h6{color:var(--paper)}",
    ] { #expect(style.contains(rule)) }
  }

  /// Relative luminance of a colour as WCAG 2.2 defines it.
  private func luminance(_ hex: String) throws -> Double {
    var digits = String(hex.dropFirst())
    if digits.count == 3 { digits = digits.map { "\($0)\($0)" }.joined() }
    let value = try #require(Int(digits, radix: 16))
    let parts = [value >> 16 & 255, value >> 8 & 255, value & 255].map { channel -> Double in
      let share = Double(channel) / 255
      return share <= 0.03928 ? share / 12.92 : pow((share + 0.055) / 1.055, 2.4)
    }
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
  }
}
