import Foundation
import Testing

@testable import Censor

/// What is said of a matrix in text, JSON and comma-separated values; all of these matrices are made up.
@Suite("Output of the collateral matrix")
struct CollateralOutputTests {
  static let all: [(String, Collateral)] = [
    ("full", CollateralMock.full()), ("hostile", CollateralMock.hostileOne()), ("empty", Collateral()),
  ]

  @Test("A matrix and an explanation read as they were read by a person")
  func golden() throws {
    let full = CollateralMock.full()
    try expectGolden(CollateralText.text(full), "collateral.txt")
    try expectGolden(CollateralText.text(full, isUnicode: false, bold: { "<\($0)>" }), "collateral-ascii-bold.txt")
    try expectGolden(CollateralText.text(full, width: 132), "collateral-132.txt")
    try expectGolden(
      CellExplanation.text(full, policy: "record-shape", column: "notifications"), "explain-record-shape.txt")
    try expectGolden(CellExplanation.text(full, policy: "apple-push-port", column: "apns"), "explain-fallback.txt")
    try expectGolden(String(decoding: small().json(), as: UTF8.self), "collateral.json")
    try expectGolden(String(decoding: small().csv(), as: UTF8.self), "collateral.csv")
  }

  @Test("Lines fit, end without a blank, and hold no control character", arguments: [40, 63, 80, 200])
  func linesFit(width: Int) throws {
    for (name, matrix) in Self.all {
      var texts = [CollateralText.text(matrix, width: width)]
      for policy in matrix.policies {
        for column in matrix.columns {
          texts.append(try CellExplanation.text(matrix, policy: policy.name, column: column.key, width: width))
        }
      }
      for text in texts {
        for line in text.components(separatedBy: "\n") {
          #expect(line.count <= width, "\(name): \(line)")
          #expect(!line.hasSuffix(" "), "\(name): \(line)")
        }
        #expect(!text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || $0.value == 0x7F })
        #expect(!text.unicodeScalars.contains { $0.value == 0x202E || $0.value == 0xA0 })
      }
    }
  }

  @Test("Every cell stands below its column's stem", arguments: [60, 80, 132])
  func cellsStandBelowTheirNames(width: Int) throws {
    let matrix = CollateralMock.full()
    let lines = CollateralText.text(matrix, width: width).components(separatedBy: "\n")
    let marks = CollateralText.Marks(isUnicode: true)
    var places: [Int: Int] = [:]
    var checked: Set<[Int]> = []
    for line in lines {
      if line.hasPrefix("Share that is hit") { places = [:] }
      // The name of a column, and where its stair ends.
      if let turn = line.firstIndex(of: "\u{2510}") {
        let name = line[..<turn].trimmingCharacters(in: .whitespaces)
        let column = try #require(matrix.columns.firstIndex { $0.name == name })
        places[column] = line.distance(from: line.startIndex, to: turn)
        continue
      }
      guard !places.isEmpty, line.hasPrefix("    "),
        let row = matrix.results.first(where: {
          line.dropFirst(4).hasPrefix(matrix.policies[$0.policy].name + " ")
        })
      else { continue }
      for (column, place) in places {
        let head = line.prefix(place + 1)
        let digits = head.reversed().prefix { $0 != " " && $0 != "*" }.reversed()
        #expect(String(digits) == CollateralText.digits(row.cells[column], marks), "\(line)")
        let after = line.dropFirst(place + 1).first
        let isTarget = matrix.policies[row.policy].target.contains(matrix.columns[column].key)
        #expect((after == "*") == isTarget, "\(line)")
        checked.insert([row.policy, column])
      }
    }
    for row in matrix.results {
      for (column, cell) in row.cells.enumerated() {
        let isTarget = matrix.policies[row.policy].target.contains(matrix.columns[column].key)
        guard (cell.hit ?? 0) > 0 || cell.fallenBack > 0 || isTarget else { continue }
        #expect(checked.contains([row.policy, column]), "\(row.policy), \(column): only what says nothing is left out")
      }
    }
  }

  @Test("Shares are never rounded to none or all, and nothing differs from none")
  func digits() {
    let marks = CollateralText.Marks(isUnicode: true)
    func digits(_ part: UInt64, _ whole: UInt64, fallenBack: UInt64 = 0, basis: Cell.Basis? = .truth) -> String {
      var cell = Cell()
      (cell.basis, cell.flows, cell.fallenBack) = (basis, Share(part, of: whole), fallenBack)
      return CollateralText.digits(cell, marks)
    }
    #expect(digits(0, 1_000) == "0")
    #expect(digits(1, 1_000) == "<1")
    #expect(digits(994, 1_000) == "99")
    #expect(digits(999, 1_000) == ">99")
    #expect(digits(1_000, 1_000) == "100")
    #expect(digits(0, 10, fallenBack: 3) == "\u{21A9}")
    #expect(digits(0, 0) == "\u{2013}")
    #expect(digits(0, 0, basis: nil) == "\u{2013}")
  }

  @Test("The answer names the price, who pays, and what somebody is known to use")
  func answers() throws {
    let answers = CollateralMock.full().answers()
    #expect(answers.map(\.target) == ["iMessage, sent", "FaceTime calls", "Telegram"])
    let first = try #require(answers.first).sentences.joined(separator: " ")
    #expect(first.contains("(perfect-record) hits most of it: 100\u{A0}%, and 6.9\u{A0}% of everything else"))
    #expect(first.contains("9\u{A0}% of notifications"))
    #expect(first.contains("Nobody is known to use that policy."))
    #expect(first.contains("None of the 6 rules here that somebody is known to use hits any of it."))
    var alone = CollateralMock.full()
    alone.frontiers = [Frontier(target: "dns", points: [.init(policy: 0, hit: 0, collateral: 0.1, isBest: true)])]
    #expect(alone.answers().first?.sentences == ["The one policy here leaves DNS alone."])
    alone.frontiers[0].points = []
    #expect(alone.answers().first?.sentences == ["No policy could be judged: this traffic has nothing of DNS."])
  }

  @Test("A mistyped name gets the nearest ones")
  func mistypedNames() throws {
    let matrix = CollateralMock.full()
    func message(_ policy: String, _ column: String) -> String? {
      do throws(CellExplanationError) {
        _ = try CellExplanation.text(matrix, policy: policy, column: column)
        return nil
      } catch { return error.description }
    }
    #expect(message("TSPU-SNI-1", "Signal") == nil)
    #expect(message("tspu-sni-1", "iMessage, sent") == nil)
    #expect(message("tspu-sni1", "signal") == "no policy 'tspu-sni1'; did you mean tspu-sni-1?")
    #expect(message("tspu-sni-1", "telegramm") == "no service 'telegramm'; did you mean telegram?")
    let none = try #require(message("tspu-sni-1", "x\u{1B}"))
    #expect(none.hasPrefix("no service 'x\\x1b'; services in this traffic: imessage-sent, "))
    #expect(throws: CellExplanationError.self) {
      try CellExplanation.text(Collateral(), policy: "tspu-sni-1", column: "signal")
    }
  }

  /// Two policies and two columns of the full one.
  private func small() -> Collateral {
    var matrix = CollateralMock.full()
    let kept = [2, 4]
    matrix.columns = kept.map { matrix.columns[$0] }
    matrix.policies = [matrix.policies[4], matrix.policies[5]]
    matrix.results = [4, 5].enumerated().map { index, at in
      var result = matrix.results[at]
      result.policy = index
      result.cells = kept.map { result.cells[$0] }
      return result
    }
    matrix.frontiers = []
    return matrix
  }
}
