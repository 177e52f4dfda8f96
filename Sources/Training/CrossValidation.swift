public import Classify
import Foundation

/// What a model that has not seen a flow's group says of the flow.
public struct Judgement: Sendable, Equatable {
  /// The flow's place in the set.
  public var flow: Int
  /// What it is, and what the model says.
  public var truth: Tag, said: Tag
  /// How sure the model is.
  public var confidence: Double
  /// What the flow weighs.
  public var weight: Double
  /// The probability of each tag, in the order of `Tag.allCases`.
  public var chances: SIMD4<Double>
}

/// A model learnt from all flows, and what models that did not see a flow's group say of it.
public struct CrossValidation: Sendable {
  /// The flows.
  public let set: TrainingSet
  /// The model learnt from all flows.
  public let model: ShapeModel
  /// The judgements on the flows at their ends, in their order.
  public let judgements: [Judgement]
  /// The judgements on the flows that went on after their first packets, by `LabelledShape.earlyPackets`.
  public let early: [[Judgement]]
  /// Into how many parts the groups were dealt.
  public let foldCount: Int
  /// What the bits of the two cards were multiplied by, so that the probabilities fit what happened.
  public let scales: (tcp: Double, udp: Double)

  /// Learns and judges.
  /// - Parameters:
  ///   - set: labelled flows.
  ///   - wantedFolds: the most parts to deal the groups out to; at least 2.
  ///   - threshold: the probability that a tag other than other must have.
  ///   - origin: who wrote the model and when, in a few words.
  ///   - command: the command line.
  /// - Throws: `TrainingError` where there are too few groups.
  public init(_ set: TrainingSet, folds wantedFolds: Int, clear threshold: Double, origin: String, command: String)
    throws
  {
    let folds = try set.folds(max(wantedFolds, 2))
    let count = (folds.max() ?? 0) + 1
    let bare = (0..<count).map { fold in
      ShapeModel(
        tcp: ScorecardFit(set, isTCP: true) { folds[$0] != fold }.card(),
        udp: ScorecardFit(set, isTCP: false) { folds[$0] != fold }.card(), clear: threshold, origin: "", command: "")
    }
    let outcomes = set.flows.indices.map {
      Outcome(set.flows[$0], at: $0, weight: set.weights[$0], bare[folds[$0]], fold: folds[$0])
    }
    var scaled = bare.indices.map { fold in
      // Not even the scale has seen the flows that it is used on.
      bare[fold].scaled(Self.scales(outcomes.filter { $0.fold != fold }))
    }
    let claims = outcomes.flatMap { TagClaim.claims($0, scaled[$0.fold], set.flows[$0.at].features) }
    for fold in scaled.indices { scaled[fold].claims = TagClaim.line(claims.filter { $0.fold != fold }) }
    let models = scaled
    func judge(_ at: Int, _ features: FlowShapeFeatures) -> Judgement {
      let verdict = models[folds[at]].verdict(on: features)
      var chances = SIMD4<Double>()
      for tag in Tag.allCases { chances[tag.place] = verdict.probabilities[tag] ?? 0 }
      return Judgement(
        flow: at, truth: set.flows[at].tag, said: verdict.tag, confidence: verdict.confidence,
        weight: set.weights[at], chances: chances)
    }
    judgements = set.flows.indices.map { judge($0, set.flows[$0].features) }
    early = LabelledShape.earlyPackets.indices.map { stage in
      set.flows.indices.compactMap { at in set.flows[at].early[stage].map { judge(at, $0) } }
    }
    scales = Self.scales(outcomes)
    var whole = ShapeModel(
      tcp: ScorecardFit(set, isTCP: true) { _ in true }.card(),
      udp: ScorecardFit(set, isTCP: false) { _ in true }.card(), clear: threshold,
      origin: "\(origin): \(set.flows.count) labelled flows of \(set.fileCount) captures, "
        + "\(set.groupNames.count) groups, \(count) folds", command: command
    ).scaled(scales)
    whole.claims = TagClaim.line(claims)
    model = whole.rounded
    self.set = set
    foldCount = count
  }

  /// What a model says of a flow before it is scaled.
  fileprivate struct Outcome {
    var at: Int
    var isTCP: Bool
    var truth: Int
    var weight: Double
    var priors: SIMD4<Double>
    var bits: SIMD4<Double>
    var fold: Int

    init(_ flow: LabelledShape, at: Int, weight: Double, _ model: ShapeModel, fold: Int) {
      self.at = at
      let card = flow.features.isTCP ? model.tcp : model.udp
      isTCP = flow.features.isTCP
      truth = flow.tag.place
      self.weight = flow.features.packets > 0 ? weight : 0
      priors = card.priors
      bits = card.scores(flow.features) - card.priors
      self.fold = fold
    }

    /// Whether the evidence leans away from other: where a claim could be too bold.
    var leansToName: Bool { 1 - ShapeModel.probabilities(priors + bits)[Tag.other.place] >= 0.2 }

    /// Bits that the truth costs when the evidence counts so much.
    func loss(_ scale: Double) -> Double {
      -weight * log2(max(ShapeModel.probabilities(priors + bits * scale)[truth], 1e-12))
    }
  }

  private static func scales(_ outcomes: [Outcome]) -> (tcp: Double, udp: Double) {
    (scale(outcomes.filter(\.isTCP)), scale(outcomes.filter { !$0.isTCP }))
  }

  /// The factor at which the outcomes are likeliest, by golden section: the loss is convex in it. Only outcomes that a
  /// tag might be named for count: the rest are many, nearly all other, and would let the few be claimed too boldly.
  private static func scale(_ all: [Outcome]) -> Double {
    let outcomes = all.filter(\.leansToName)
    guard !outcomes.isEmpty else { return 1 }
    let loss = { (scale: Double) in outcomes.reduce(0) { $0 + $1.loss(scale) } }
    let ratio = (5.0.squareRoot() - 1) / 2
    var (low, high) = (0.0, 2.0)
    var (a, b) = (high - ratio * (high - low), low + ratio * (high - low))
    var (lossA, lossB) = (loss(a), loss(b))
    for _ in 0..<24 {
      if lossA < lossB {
        (high, b, lossB) = (b, a, lossA)
        a = high - ratio * (high - low)
        lossA = loss(a)
      } else {
        (low, a, lossA) = (a, b, lossB)
        b = low + ratio * (high - low)
        lossB = loss(b)
      }
    }
    return (low + high) / 2
  }
}

/// What a model that had not seen a flow gave it as the probability of push, messaging or calling, and whether it was.
private struct TagClaim {
  /// Where a part of the claims ends and the next begins. Claims above one half are too few to be told apart.
  static let bounds = [0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 1.0001]
  /// What the claim itself weighs, in flows: where few were measured it has a word.
  static let ownWord = 1.0

  var claimed: Double
  var isRight: Bool
  var weight: Double
  var fold: Int

  static func claims(
    _ outcome: CrossValidation.Outcome, _ model: ShapeModel, _ features: FlowShapeFeatures
  ) -> [TagClaim] {
    guard features.packets > 0 else { return [] }
    let chances = ShapeModel.probabilities((features.isTCP ? model.tcp : model.udp).scores(features))
    return Tag.allCases.filter { $0 != .other }.map {
      TagClaim(
        claimed: chances[$0.place], isRight: outcome.truth == $0.place, weight: outcome.weight, fold: outcome.fold)
    }
  }

  /// The line that never falls (pooled neighbours) through what was measured.
  static func line(_ claims: [TagClaim]) -> [ShapeModel.Claim] {
    var pools: [(claimed: Double, right: Double, weight: Double, flows: Int, points: [Double])] = []
    for (low, high) in zip(bounds, bounds.dropFirst()) {
      let part = claims.filter { $0.claimed >= low && $0.claimed < high }
      let weight = part.reduce(0) { $0 + $1.weight }
      guard weight > 0 else { continue }
      let claimed = part.reduce(0) { $0 + $1.claimed * $1.weight } / weight
      let right = part.reduce(0) { $0 + ($1.isRight ? $1.weight : 0) } + claimed * ownWord
      pools.append((claimed, right / (weight + ownWord), weight + ownWord, part.count, [claimed]))
      while pools.count > 1, pools[pools.count - 1].right < pools[pools.count - 2].right {
        let last = pools.removeLast()
        let before = pools.removeLast()
        let sum = last.weight + before.weight
        pools.append(
          (
            claimed: 0, right: (last.right * last.weight + before.right * before.weight) / sum, weight: sum,
            flows: last.flows + before.flows, points: before.points + last.points
          ))
      }
    }
    return pools.flatMap { pool in
      pool.points.map { ShapeModel.Claim(claimed: $0, right: pool.right, flows: pool.flows) }
    }
  }
}

extension ShapeModel {
  func scaled(_ factors: (tcp: Double, udp: Double)) -> ShapeModel {
    var model = self
    for i in model.tcp.rows.indices { model.tcp.rows[i].bits = tcp.rows[i].bits.map { $0 * factors.tcp } }
    for i in model.udp.rows.indices { model.udp.rows[i].bits = udp.rows[i].bits.map { $0 * factors.udp } }
    return model
  }

  /// To three places, as it is written.
  var rounded: ShapeModel {
    func rounded(_ bits: SIMD4<Double>) -> SIMD4<Double> { (bits * 1000).rounded(.toNearestOrEven) / 1000 }
    func rounded(_ card: Card) -> Card {
      var card = card
      card.priors = rounded(card.priors)
      for i in card.rows.indices { card.rows[i].bits = card.rows[i].bits.map { rounded($0) } }
      return card
    }
    func rounded(_ share: Double) -> Double { (share * 1000).rounded() / 1000 }
    return ShapeModel(
      tcp: rounded(tcp), udp: rounded(udp), clear: clear,
      claims: claims.map { Claim(claimed: rounded($0.claimed), right: rounded($0.right), flows: $0.flows) },
      origin: origin, command: command)
  }
}
