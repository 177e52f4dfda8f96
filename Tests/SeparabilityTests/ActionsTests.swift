import Statistics
import Testing
import Truth

@testable import Separability

/// Synthetic traffic with known answers.
@Suite struct ActionsTests {
  /// Five actions of distinct lengths, and texts of 200 bytes and two for each character.
  private func made(captures: Int = 3, framing: [String] = ["pack"]) -> LabelledTraffic {
    var made = HandMadeTraffic()
    var generator = SeededGenerator(seed: 2)
    for capture in 0..<captures {
      made.beginCapture(framing: framing[capture % framing.count])
      let more = framing[capture % framing.count] == "tlv" ? 1_000 : 0
      for _ in 0..<20 {
        let text = 10 + generator.index(below: 100)
        made.add("imessage.typing_start", of: "imessage", up: true, size: 86 + more)
        made.add("imessage.typing_stop", of: "imessage", up: true, size: 404 + more)
        made.add("imessage.text", of: "imessage", up: true, size: 500 + 2 * text + more, text: text)
        made.add("imessage.attachment", of: "imessage", up: true, size: 900 + more)
        made.add("imessage.read", of: "imessage", up: true, size: 97 + more)
        made.add("courier.ack", of: "imessage", up: true, size: 34)
      }
    }
    return made.traffic
  }

  private func row(_ question: String, _ study: ActionStudy) throws -> ActionStudy.Row {
    try #require(study.rows.first { $0.question == question })
  }

  @Test func distinctLengthsAreToldApart() throws {
    let study = try #require(ActionExperiment(traffic: made()).result())
    #expect(study.actions == ["start typing", "stop typing", "text", "attachment", "read"])
    #expect(try row("user action", study).figure?.value == 1)
    #expect(try row("user action", study).samples == 300)
    #expect(try row("user action, unseen captures", study).figure?.value == 1)
    #expect(study.confusion == (0..<5).map { action in (0..<5).map { $0 == action ? 60 : 0 } })
  }

  @Test func aLineFindsTheLength() throws {
    let study = try #require(ActionExperiment(traffic: made()).result())
    let length = try row("message length", study)
    #expect(length.samples == 60)
    #expect((length.figure?.value ?? 1) < 1e-6)
  }

  @Test func framingsStandInForOperatingSystems() throws {
    let alone = try #require(ActionExperiment(traffic: made()).result())
    #expect(try row("operating system", alone).figure == nil)
    let both = try #require(ActionExperiment(traffic: made(captures: 4, framing: ["pack", "tlv"])).result())
    #expect(try row("operating system", both).figure?.value == 1)
  }

  @Test func equalLengthsAreConfused() throws {
    var traffic = made()
    for number in traffic.records.indices where traffic.kindName(traffic.records[number]) == "imessage.read" {
      traffic.records[number].size = 86
    }
    let study = try #require(ActionExperiment(traffic: traffic).result())
    // One of the two is always said: four of five recalls are 1, one is 0, or a draw in between.
    #expect(abs((try row("user action", study).figure?.value ?? 0) - 0.8) < 0.11)
    #expect(study.confusion[0][4] + study.confusion[4][0] >= 50)
    #expect(study.differences.contains { $0.contains("the same lengths") })
  }

  @Test func scriptsAreAskedOnlyWhereTheyAreKnown() throws {
    let traffic = made()
    let unknown = try #require(ActionExperiment(traffic: traffic).result())
    #expect(try row("language", unknown).ours == "cannot be asked")
    let lengths = traffic.records.map(\.textLength)
    let known = try #require(
      ActionExperiment(
        traffic: traffic, script: { lengths[$0] < 0 ? nil : lengths[$0] % 2 == 0 ? "latin" : "cyrillic" }
      )
      .result())
    #expect((try row("language", known).figure?.value ?? 0) > 0.8)
  }

  @Test func tooLittleIsNotStudied() {
    #expect(ActionExperiment(traffic: LabelledTraffic()).result() == nil)
    #expect(ActionExperiment(traffic: HandMadeTraffic.identical(captures: 1, each: 10)).result() == nil)
  }

  @Test func closedWorldFoldsHoldAsManyOfEachClass() {
    let classes = (0..<100).map { $0 < 70 ? 0 : 1 }
    let folds = ClosedWorld.folds(classes, count: 10, seed: 4)
    for fold in 0..<10 {
      #expect(zip(classes, folds).count { $0 == 0 && $1 == fold } == 7)
      #expect(zip(classes, folds).count { $0 == 1 && $1 == fold } == 3)
    }
    #expect(folds == ClosedWorld.folds(classes, count: 10, seed: 4))
  }
}
