import Foundation
import Pages
import TestSupport
import Testing

@testable import Censor

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// The page of a matrix; all of these matrices are made up.
@Suite("Page of the collateral matrix")
struct CollateralPageTests {
  /// Writes the pages where WIRETAG_PAGES names a folder, for tools/page-look.
  @Test("It is well-formed, loads nothing, and every reference has its target", arguments: [0, 1, 2])
  func isWellFormedAndSelfContained(index: Int) throws {
    let (name, matrix) = CollateralOutputTests.all[index]
    let page = CollateralPage.html(matrix)
    if let folder = ProcessInfo.processInfo.environment["WIRETAG_PAGES"] {
      try Data(page).write(to: URL(fileURLWithPath: folder).appendingPathComponent("collateral-\(name).html"))
    }
    let reader = PageLinks()
    try #require(reader.read(page), "\(name): \(reader.failure)")
    #expect(reader.loads.isEmpty, "loads \(reader.loads)")
    #expect(Set(reader.ids).count == reader.ids.count, "identifiers are unique")
    #expect(reader.references.allSatisfy { reader.ids.contains($0) }, "every reference has its target")
    #expect(reader.scripts == ["application/json"], "the only script is the data")
    #expect(reader.handlers.isEmpty, "no event handler")
    #expect(
      reader.ids.allSatisfy {
        $0.unicodeScalars.allSatisfy { ("a"..."z").contains($0) || ("0"..."9").contains($0) || $0 == "-" }
      },
      "identifiers are of letters, digits and hyphens")
    let read = try CollateralRecordTests.read(Array(reader.data.utf8))
    #expect(read.policies.map(\.name) == matrix.policies.map(\.name), "the data are the matrix")
  }

  @Test("Policies and the cells that they hit have anchors of their names")
  func anchors() throws {
    let reader = PageLinks()
    let matrix = CollateralMock.full()
    try #require(reader.read(CollateralPage.html(matrix)))
    for result in matrix.results {
      let name = matrix.policies[result.policy].name
      #expect(reader.ids.contains(name))
      for (column, cell) in zip(matrix.columns, result.cells) {
        let isExplained = (cell.hit ?? 0) > 0 || cell.fallenBack > 0
        #expect(reader.ids.contains("\(name)-\(column.key)") == isExplained, "\(name), \(column.key)")
        #expect(reader.references.contains("\(name)-\(column.key)") == isExplained, "the matrix leads there")
      }
    }
  }

  @Test("Names that become one anchor are told apart, and no name takes a section's")
  func anchorsAreUnique() {
    var matrix = CollateralMock.full()
    for (index, name) in ["a b", "A-b", "matrix", "a", "", "\u{5E9}"].enumerated() {
      matrix.policies[index].name = name
    }
    matrix.columns[0].key = "b"
    let anchors = PageAnchors(matrix, reserved: ["matrix"])
    var all = matrix.policies.indices.map { anchors.policy($0) }
    for policy in matrix.policies.indices { all += matrix.columns.indices.map { anchors.cell(policy, $0) } }
    #expect(Set(all).count == all.count)
    #expect(!all.contains("matrix"))
    #expect(anchors.policy(0) == "a-b" && anchors.policy(4) == "unnamed")
  }

  @Test("Nothing of a name becomes markup")
  func nothingOfTrafficBecomesMarkup() {
    for (_, matrix) in CollateralOutputTests.all {
      let page = String(decoding: CollateralPage.html(matrix), as: UTF8.self)
      #expect(!page.contains("<script>alert") && !page.contains("<img"))
      #expect(page.components(separatedBy: "</script>").count == 2)
      #expect(!page.unicodeScalars.contains { $0 == "\u{202E}" || $0.value == 0 || $0.value == 0x1B })
      // Markup of ours that was taken for text.
      #expect(!page.contains("&lt;span") && !page.contains("&lt;p"))
    }
    let page = String(decoding: CollateralPage.html(CollateralMock.hostileOne()), as: UTF8.self)
    #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
  }

  @Test("Answers come first, then the matrix, then why; limits are said")
  func order() throws {
    let page = String(decoding: CollateralPage.html(CollateralMock.full()), as: UTF8.self)
    let places = try ["class=\"answers\"", "id=\"matrix\"", "id=\"targets\"", "id=\"policies\"", "id=\"limits\""].map {
      try #require(page.range(of: $0), "\($0)").lowerBound
    }
    #expect(places == places.sorted())
    #expect(page.contains("Nothing was blocked, changed or sent."))
    #expect(page.contains("its errors are in the figures"), "a column rests on verdicts")
    #expect(page.contains("Policies that hit nothing in this traffic."))
    #expect(!page.lowercased().contains("undetectable"))
  }

  @Test("Parts that are missing are said")
  func missingParts() {
    let page = String(decoding: CollateralPage.html(Collateral()), as: UTF8.self)
    for sentence in [
      "There is no matrix", "No target", "No policy was replayed", "Nothing was counted", "No capture was read",
    ] { #expect(page.contains(sentence), "\(sentence)") }
    #expect(!page.contains("<table"))
  }
}
