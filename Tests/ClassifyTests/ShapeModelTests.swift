import Foundation
import Flows
import Testing

@testable import Classify

@Suite struct ShapeModelTests {
  /// Calls have middle-sized packets to the client, pushes last. Bits by hand.
  static let byHand = """
    origin: by hand
    command: none
    clear: 0.6
    tags: [push, messaging, calling, other]
    cards:
      tcp:
        flows: [1, 1, 1, 9]
        priors: [-3, -3, -5, 0]
        features:
          duration:
            - {unknown: true, bits: [0, 0, 0, 0], flows: 4}
            - {below: 10, bits: [-1, 0, 0, 0.5], flows: 4}
            - {from: 10, bits: [4, 0, 0, -0.5], flows: 4}
      udp:
        flows: [0, 0, 5, 5]
        priors: [-9, -9, -2, 0]
        features:
          large-to-client:
            - {unknown: true, bits: [0, 0, 0.05, 0], flows: 4}
            - {below: 0.5, bits: [0, 0, -1, 0], flows: 4}
            - {from: 0.5, bits: [0, 0, 3, -1], flows: 2}
          packets:
            - {unknown: true, bits: [0, 0, 0, 0], flows: 0}
            - {below: 16, bits: [0, 0, -0.04, 0], flows: 8}
            - {from: 16, bits: [0, 0, 1, 0], flows: 2}
    """

  func features(_ packets: [(size: Int32, after: Double)], tcp: Bool = false) -> FlowShapeFeatures {
    FlowShapeFeatures(isTCP: tcp, nanoseconds: tcp ? 40_000_000_000 : 1_000_000_000, shape: shape(packets))
  }

  @Test func addsUpByHand() throws {
    let model = try ShapeModel(parsing: Self.byHand, file: "shape.yaml")
    let call = features([(Int32, Double)](repeating: (-280, 20), count: 20))
    let verdict = model.verdict(on: call)
    // calling -2 + 3 + 1 = 2, other 0 - 1 = -1: three bits.
    #expect(verdict.tag == .calling && verdict.isClear && verdict.margin == 3 && verdict.base == -2)
    let (push, calling, other) = (1 / 512.0, 4.0, 0.5)
    #expect(abs(verdict.confidence - calling / (2 * push + calling + other)) < 1e-12)
    #expect(
      verdict.evidence == [
        ShapeEvidence(tag: .calling, bits: 4, sentence: "100 % of the packets to the client have 256 to 1,023 bytes"),
        ShapeEvidence(tag: .calling, bits: 1, sentence: "20 packets with payload"),
      ])
    let evidence = model.evidence(for: call, priors: [.push: 0, .messaging: 0, .calling: 0, .other: 2])
    #expect(evidence.map(\.tag) == [.calling])
    // As sure after two bits for other as the model is by itself.
    let odds = verdict.confidence / (1 - verdict.confidence)
    #expect(evidence.allSatisfy { abs($0.bits - (log2(odds) + 2)) < 1e-9 })
    #expect(model.evidence(for: call, clear: 0.9).isEmpty)
  }

  @Test func confidenceIsWhatWasMeasured() throws {
    var model = try ShapeModel(parsing: Self.byHand, file: "shape.yaml")
    model.claims = [.init(claimed: 0.5, right: 0.4, flows: 9), .init(claimed: 0.9, right: 0.6, flows: 9)]
    #expect(model.trust(in: 0.2) == 0.4 && model.trust(in: 0.95) == 0.6 && abs(model.trust(in: 0.7) - 0.5) < 1e-9)
    let call = features([(Int32, Double)](repeating: (-280, 20), count: 20))
    let verdict = model.verdict(on: call)
    #expect(verdict.tag == .calling && verdict.confidence < 0.6 && verdict.confidence > 0.55)
    #expect(try ShapeModel(parsing: model.yaml, file: "again.yaml") == model)
    model.claims.reverse()
    #expect(throws: CatalogueError.self) { try ShapeModel(parsing: model.yaml, file: "again.yaml") }
  }

  @Test func saysOtherWhereNothingIsClear() throws {
    let model = try ShapeModel(parsing: Self.byHand, file: "shape.yaml")
    // calling -2 + 3 - 0.04 against other -1: likelier than other, not three times in four.
    let short = features([(Int32, Double)](repeating: (-280, 20), count: 3))
    let verdict = model.verdict(on: short, clear: 0.9)
    #expect(verdict.tag == .other && !verdict.isClear && verdict.margin < 0 && verdict.confidence < 0.25)
    #expect(model.verdict(on: short).tag == .calling)
    // Nothing was sent: the base rates have the word.
    let silent = model.verdict(on: features([], tcp: true))
    #expect(silent.tag == .other && !silent.isClear)
    let idle = model.verdict(on: features([(30, 0), (-300, 20_000), (30, 1), (-300, 20_000)], tcp: true))
    #expect(idle.tag == .push && idle.margin == 1.5)
  }

  @Test func evidenceAddsUpToTheMargin() throws {
    let model = try ShapeModel.shipped()
    var dice = Dice(9)
    for _ in 0..<2_000 {
      let features = FlowShapeFeatures(
        isTCP: .random(using: &dice), nanoseconds: .random(in: 0...Int64(1e12), using: &dice), shape: anyShape(&dice))
      let verdict = model.verdict(on: features)
      let sum = verdict.evidence.reduce(verdict.base) { $0 + $1.bits }
      #expect(verdict.margin.isFinite && abs(sum - verdict.margin) < 1e-9)
      #expect(verdict.evidence.count <= ShapeVerdict.maximumEvidence)
      #expect(verdict.evidence.allSatisfy { $0.tag == verdict.tag && $0.bits.isFinite && !$0.sentence.isEmpty })
      #expect(abs(verdict.probabilities.values.reduce(0, +) - 1) < 1e-9)
      let chance = verdict.probabilities[verdict.tag] ?? 0
      #expect(verdict.confidence == (verdict.tag == .other ? chance : model.trust(in: chance)))
      // The margin is that of the probabilities.
      let rival = verdict.probabilities.filter { $0.key != verdict.tag }.values.max() ?? 0
      #expect(abs(exp2(verdict.margin) * rival - chance) < 1e-6)
      if verdict.tag != .other { #expect(chance >= model.clear && verdict.margin > 0) }
    }
  }

  @Test func shippedModelLoads() throws {
    let model = try ShapeModel.shipped()
    #expect(!model.origin.isEmpty && !model.command.isEmpty)
    for card in [model.tcp, model.udp] {
      #expect(card.flows.count == 4 && card.flows.allSatisfy { $0 >= 0 } && card.priors[3] == 0)
      #expect(card.rows.count >= 10)
      for row in card.rows {
        #expect(row.bits.count == row.bounds.count + 2 && row.flows.count == row.bits.count)
        #expect(row.flows.reduce(0, +) <= card.flows.reduce(0, +))
      }
    }
    #expect(model.tcp.rows.map(\.feature) == ShapeFeature.ofTCP && model.udp.rows.map(\.feature) == ShapeFeature.ofUDP)
    let again = try ShapeModel(parsing: model.yaml, file: "again.yaml")
    #expect(again == model && again.yaml == model.yaml)
  }

  @Test(arguments: [
    ("[]", "is no shape model"), ("clear: 2", "needs `clear:`"), ("clear: 0.5\ntags: [a]", "needs `tags:"),
    ("clear: 0.5\ntags: [push, messaging, calling, other]", "needs `tcp:`"), ("clear: [", "is not YAML"),
  ])
  func refuses(_ text: String, _ says: String) {
    let error = #expect(throws: CatalogueError.self) { try ShapeModel(parsing: text, file: "s.yaml") }
    #expect(error?.description.contains(says) == true, "\(String(describing: error))")
  }

  @Test(arguments: [
    ("duration:", "length:", "is no feature"), ("below: 10, bits: [-1", "below: .nan, bits: [-1", "must be"),
    ("from: 10, bits: [4", "from: 11, bits: [4", "must be"), ("[4, 0, 0, -0.5]", "[4, 0, 0]", "four numbers"),
    ("[4, 0, 0, -0.5]", "[.inf, 0, 0, 0]", "four numbers"),
    ("- {unknown: true, bits: [0, 0, 0.05, 0], flows: 4}", "", "must be"),
  ])
  func refusesRows(_ right: String, _ wrong: String, _ says: String) {
    let text = Self.byHand.replacing(right, with: wrong)
    let error = #expect(throws: CatalogueError.self) { try ShapeModel(parsing: text, file: "s.yaml") }
    #expect(error?.description.contains(says) == true, "\(String(describing: error))")
  }
}
