import Foundation
import Pages
import Testing

@testable import Separability

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The page of a study: all of these studies are made up.
@Suite struct PageTests {
  static let studies: [(String, Study)] = [
    ("full", PageMock.full()), ("empty", Study()), ("hostile", PageMock.hostileStudy()),
  ]

  /// Writes the pages where WIRETAG_PAGES names a folder, for tools/page-look.
  @Test(arguments: [0, 1, 2]) func isWellFormedAndSelfContained(index: Int) throws {
    let (name, study) = Self.studies[index]
    let page = SeparabilityPage.html(study)
    if let folder = ProcessInfo.processInfo.environment["WIRETAG_PAGES"] {
      try Data(page).write(to: URL(fileURLWithPath: folder).appendingPathComponent("\(name).html"))
    }
    let reader = PageReader()
    try #require(reader.read(page), "\(name): \(reader.failure)")
    #expect(reader.loads.isEmpty, "loads \(reader.loads)")
    #expect(Set(reader.ids).count == reader.ids.count, "identifiers are unique")
    #expect(reader.references.allSatisfy { reader.ids.contains($0) }, "every reference has its target")
    #expect(reader.scripts == ["application/json"], "the only script is the data")
    #expect(reader.handlers.isEmpty, "no event handler")
  }

  @Test(arguments: [0, 2]) func labelsNeverOverlapAndAreNeverCut(index: Int) throws {
    let reader = PageReader()
    try #require(reader.read(SeparabilityPage.html(Self.studies[index].1)))
    #expect(reader.pictures.count >= 16)
    for picture in reader.pictures {
      for (at, label) in picture.labels.enumerated() {
        let box = label.box
        #expect(
          box.left >= 0 && box.top >= 0 && box.right <= picture.width && box.bottom <= picture.height,
          "\(picture.id): \(label.text) is cut")
        #expect(label.size >= 12, "\(picture.id): \(label.text) is too small")
        for other in picture.labels.dropFirst(at + 1) {
          #expect(!box.intersects(other.box), "\(picture.id): \(label.text) hits \(other.text)")
        }
      }
    }
  }

  @Test func everyNameOfAPlotIsThere() throws {
    let reader = PageReader()
    let study = PageMock.full()
    try #require(reader.read(SeparabilityPage.html(study)))
    for picture in reader.pictures where picture.id.hasPrefix("defences") {
      let text = picture.labels.map(\.text)
      for row in study.defences {
        #expect(text.contains { $0 == row.name || $0.hasSuffix(": " + row.name) }, "\(picture.id): \(row.name)")
      }
    }
    for picture in reader.pictures where picture.id.hasSuffix("roc-m") || picture.id.hasSuffix("roc-n") {
      #expect(picture.labels.contains { $0.text.hasSuffix("at most 1 % false alarms") }, "\(picture.id)")
    }
  }

  @Test func carriesTheStudyAsData() throws {
    for (name, study) in Self.studies {
      let reader = PageReader()
      try #require(reader.read(SeparabilityPage.html(study)))
      let decoded = try JSONDecoder().decode(Study.self, from: Data(reader.data.utf8))
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      #expect(try encoder.encode(decoded) == encoder.encode(study), "\(name)")
    }
  }

  @Test func nothingOfTrafficBecomesMarkup() {
    let page = String(decoding: SeparabilityPage.html(PageMock.hostileStudy()), as: UTF8.self)
    #expect(!page.contains("<script>alert"))
    #expect(!page.contains("<img"))
    #expect(page.components(separatedBy: "</script>").count == 2)
    #expect(!page.unicodeScalars.contains { $0 == "\u{202E}" || $0 == "\u{2066}" || $0.value == 0 || $0.value == 0x1B })
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
  }

  @Test func missingPartsAreSaid() throws {
    let reader = PageReader()
    try #require(reader.read(SeparabilityPage.html(Study())))
    #expect(reader.pictures.isEmpty)
    let page = String(decoding: SeparabilityPage.html(Study()), as: UTF8.self)
    for sentence in [
      "No identifier could be compared", "Shape was not studied", "No connection with enough records",
      "Not repeated here", "Nothing was measured for this pair", "No defence was applied", "No capture was read",
    ] { #expect(page.contains(sentence)) }
    #expect(!page.contains("<table"))
  }

  @Test func absentIntervalsAreSaid() {
    #expect(EstimateText.line(EstimateText.decimal(Estimate(0.934, low: 0.881, high: 0.968))) == "0.93 (0.88 to 0.97)")
    #expect(EstimateText.line(EstimateText.decimal(Estimate(0.934))) == "0.93")
    #expect(
      EstimateText.line(EstimateText.share(Estimate(0.12, low: 0.08, high: 0.17))) == "12\u{A0}% (8 to 17\u{A0}%)")
    #expect(EstimateText.cell(EstimateText.decimal(Estimate(0.9))).source.contains("no interval"))
    #expect(EstimateText.note([Estimate(0.9)]).source.contains("too few captures for an interval"))
    #expect(EstimateText.note([Estimate(0.9, low: 0.8, high: 1)]).source.contains("95\u{A0}% intervals"))
  }

  @Test func baseRatesReadAsFractions() {
    #expect(
      [0.5, 0.2, 0.05, 0.01, 0.001, 0.3].map(SeparabilityPage.fraction) == [
        "1 in 2", "1 in 5", "1 in 20", "1 in 100", "1 in 1,000", "30\u{A0}%",
      ])
  }
}
