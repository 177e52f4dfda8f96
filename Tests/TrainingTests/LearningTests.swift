import Flows
import TestSupport
import Testing

@testable import Classify
@testable import Training

@Suite struct LearningTests {
  static func run(_ flows: [LabelledShape]) throws -> CrossValidation {
    try CrossValidation(
      TrainingSet(flows, grouping: .file), folds: 4, clear: 0.5, origin: "a test", command: "none")
  }

  /// One capture of ten is labelled the wrong way round: nine judgements of ten can be right, and the model says so.
  @Test func findsWhatIsKnownAndClaimsNoMore() throws {
    let run = try Self.run(Made.flows(captures: 200))
    let figures = Figures(run.judgements, weighted: false)
    #expect(figures.accuracy == 0.9)
    // Two standard errors of one in ten among the 50 captures of a fold.
    #expect(figures.calibrationError < 0.085, "\(figures.curve)")
    let confidence = run.judgements.reduce(0) { $0 + $1.confidence } / Double(run.judgements.count)
    #expect(abs(confidence - 0.9) < 0.05)

    var dice = SeededRandom(77)
    let call = FlowShapeFeatures(isTCP: false, nanoseconds: 1_000_000_000, shape: Made.call(&dice))
    let verdict = run.model.verdict(on: call)
    #expect(verdict.tag == .calling && verdict.isClear)
    #expect(
      verdict.evidence.contains {
        $0.bits > 0.5 && $0.sentence.contains("0 % of the packets to the server have under 64")
      })
    let question = FlowShapeFeatures(isTCP: false, nanoseconds: 50_000_000, shape: Made.question(&dice))
    #expect(run.model.verdict(on: question).tag == .other)
  }

  @Test func sameFlowsGiveTheSameModel() throws {
    let flows = Made.flows(captures: 12)
    let model = try Self.run(flows).model
    // The captures in another order, the flows of each in their own.
    let shuffled = stride(from: 11, through: 0, by: -1).flatMap { Array(flows[($0 * 5)..<($0 * 5 + 5)]) }
    #expect(try Self.run(shuffled).model.yaml == model.yaml)
    let read = try ShapeModel(parsing: model.yaml, file: "made.yaml")
    #expect(read == model)
    #expect(read.udp.flows.reduce(0, +) == 60 && read.tcp.flows.reduce(0, +) == 0)
    #expect(read.origin.contains("60 labelled flows of 12 captures, 12 groups, 4 folds"))
  }

  /// Labels that have nothing to do with the flows teach nothing: the base rates have the word.
  @Test func findsNothingWhereNothingIs() throws {
    var dice = SeededRandom(3)
    let flows = (0..<60).map { capture in
      LabelledShape(
        file: "\(capture)", identity: "\(capture)", tag: capture % 4 == 0 ? .messaging : .other, isTCP: false,
        nanoseconds: 1_000_000_000, shape: capture % 3 == 0 ? Made.question(&dice) : Made.call(&dice))
    }
    let run = try Self.run(flows)
    #expect(run.judgements.allSatisfy { $0.said == .other && abs($0.confidence - 0.75) < 0.12 })
  }

  @Test func laterPacketsDoNotChangeTheEarlyShape() {
    var dice = SeededRandom(8)
    let whole = Made.call(&dice)
    let early = whole.first(5)
    #expect(early.shape.packetCount == 5)
    for i in 0..<5 { #expect(early.shape.sizes[i] == whole.sizes[i]) }
    #expect(early.nanoseconds == (0..<5).reduce(0) { $0 + Int64(whole.gaps[$1]) * 1000 })
    var bins: UInt32 = 0
    for i in 0..<16 { bins += early.shape.sizeBins[i] }
    #expect(bins == 5)
  }

  @Test func reportTellsAll() throws {
    let run = try Self.run(Made.flows(captures: 12))
    let text = TrainingReport(run, grouping: .file).lines.joined(separator: "\n")
    for word in [
      "60 labelled flows of 12 captures", "base rates  udp", "4 folds by file", "macro F1", "Brier",
      "longer ones, after",
      "small-to-server",
    ] { #expect(text.contains(word), "\(word)") }
  }
}
