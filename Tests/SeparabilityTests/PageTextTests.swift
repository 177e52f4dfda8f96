import Foundation
import Testing

@testable import Separability

@Suite struct PageTextTests {
  @Test func linesFitATerminal() throws {
    for study in [PageMock.full(), Study(), PageMock.hostileStudy()] {
      let text = SeparabilityText.text(study)
      if let folder = ProcessInfo.processInfo.environment["WIRETAG_PAGES"], study.limits.count == 1 {
        try text.write(toFile: folder + "/study.txt", atomically: true, encoding: .utf8)
      }
      for line in text.split(separator: "\n") { #expect(line.count <= SeparabilityText.columns, "\(line)") }
      #expect(!text.unicodeScalars.contains { ($0.value < 0x20 && $0 != "\n") || $0.value == 0x202E })
    }
  }

  @Test func answersComeFirst() throws {
    let text = SeparabilityText.text(PageMock.full(), bold: { "*\($0)*" })
    let identify = try #require(text.range(of: "*Identify*")?.lowerBound)
    let table = try #require(text.range(of: "*Identifiers*")?.lowerBound)
    #expect(identify < table)
    #expect(text.contains("Sent messages leak"))
    #expect(text.contains("0.97 (0.94 to 0.99)"))
    #expect(SeparabilityText.text(Study()).contains("No answer: nothing was there to measure."))
  }
}
