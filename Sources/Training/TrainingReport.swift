import Classify
import Foundation

/// What a training run has to say, line by line.
public struct TrainingReport {
  private let run: CrossValidation
  private let grouping: TrainingSet.Grouping
  private var text: [String] = []

  /// A report on a run.
  public init(_ run: CrossValidation, grouping: TrainingSet.Grouping) {
    self.run = run
    self.grouping = grouping
  }

  /// The lines.
  public var lines: [String] {
    var report = self
    report.describeSet()
    report.describeScores()
    report.describeCurve()
    report.describeParts()
    report.describeFeatures()
    return report.text
  }

  private mutating func add(_ line: String = "") { text.append(line) }

  private mutating func describeSet() {
    let set = run.set
    let counts = Tag.allCases.map { tag in "\(tag.rawValue) \(set.flows.count { $0.tag == tag })" }
    let groups = grouping == .file ? "groups that share no flow" : "folders"
    add("\(set.flows.count) labelled flows of \(set.fileCount) captures in \(set.groupNames.count) \(groups)")
    add("  \(counts.joined(separator: ", "))")
    add(
      "weights     1 over the square root of the flows of a tag in a capture, so that no large capture drowns the rest")
    for (name, card) in [("tcp", run.model.tcp), ("udp", run.model.udp)] {
      let shares = ShapeModel.probabilities(card.priors)
      let words = Tag.allCases.map { "\($0.rawValue) \(fixed(shares[$0.place] * 100, 1)) %" }
      add("base rates  \(name): \(words.joined(separator: ", "))")
    }
    add("validation  \(run.foldCount) folds by \(grouping.rawValue): no flow is judged by a model that saw its group")
    add(
      "scale       bits times \(fixed(run.scales.tcp, 2)) (tcp) and \(fixed(run.scales.udp, 2)) (udp), "
        + "at which the judgements out of fold that lean away from other are likeliest")
  }

  private mutating func describeScores() {
    let figures = Figures(run.judgements, weighted: false)
    describe(figures, "by flow", places: 0)
    add("  accuracy \(fixed(figures.accuracy, 3)), macro F1 \(fixed(figures.macroF1, 3))")
    let weighted = Figures(run.judgements, weighted: true)
    describe(weighted, "weighted", places: 1)
    add("  accuracy \(fixed(weighted.accuracy, 3)), macro F1 \(fixed(weighted.macroF1, 3))")
    add("  the tag costs \(fixed(weighted.bits, 3)) bits a flow; with base rates alone \(fixed(baseBits, 3))")
    // What the shape tells by itself: the likeliest tag if none were rarer than another.
    let even = Figures(run.judgements.map { evenly($0) }, weighted: true)
    describe(even, "weighted, by the bits alone as if all tags were as frequent", places: 1)
    let recalls = Tag.allCases.compactMap { even.recall($0) }
    add("  mean recall \(fixed(recalls.reduce(0, +) / Double(max(recalls.count, 1)), 3)); by chance 0.250")
  }

  private mutating func describe(_ figures: Figures, _ title: String, places: Int) {
    add()
    add("out of fold, \(title)   rows: truth, columns: said")
    let titles = Tag.allCases.map { padded($0.rawValue, 11) }
    add("            " + titles.joined() + padded("precision", 11) + padded("recall", 9) + padded("F1", 8))
    for tag in Tag.allCases {
      let row = figures.confusion[tag.place].map { padded(fixed($0, places), 11) }
      let scores = [
        padded(share(figures.precision(tag)), 11), padded(share(figures.recall(tag)), 9),
        padded(fixed(figures.f1(tag), 3), 8),
      ]
      add("  " + tag.rawValue.padding(to: 10) + row.joined() + scores.joined())
    }
  }

  /// The judgement without the base rates.
  private func evenly(_ judgement: Judgement) -> Judgement {
    let card = run.set.flows[judgement.flow].features.isTCP ? run.model.tcp : run.model.udp
    var even = judgement
    let weights = judgement.chances / ShapeModel.probabilities(card.priors)
    even.chances = weights / weights.sum()
    even.said = Tag.allCases.max { even.chances[$0.place] < even.chances[$1.place] } ?? .other
    even.confidence = even.chances[even.said.place]
    return even
  }

  /// Bits that the tag of a flow costs where only its transport is known.
  private var baseBits: Double {
    var sum = 0.0, all = 0.0
    for (flow, weight) in zip(run.set.flows, run.set.weights) {
      let card = flow.features.isTCP ? run.model.tcp : run.model.udp
      sum -= weight * log2(ShapeModel.probabilities(card.priors)[flow.tag.place])
      all += weight
    }
    return all > 0 ? sum / all : 0
  }

  private mutating func describeCurve() {
    for isWeighted in [false, true] {
      let figures = Figures(run.judgements, weighted: isWeighted)
      add()
      add("calibration, \(isWeighted ? "weighted" : "by flow")")
      let titles = ["flows", "claimed", "right"].map { padded($0, 9) }
      add("  " + "confidence".padding(to: 14) + titles.joined())
      for row in figures.curve {
        let range = "\(fixed(row.from, 2)) to \(fixed(min(row.below, 1), 2))"
        let cells = ["\(row.flows)", fixed(row.claimed, 3), fixed(row.right, 3)]
        add("  " + range.padding(to: 14) + cells.map { padded($0, 9) }.joined())
      }
      add("  Brier \(fixed(figures.brier, 4)), expected calibration error \(fixed(figures.calibrationError, 4))")
    }
  }

  private mutating func describeParts() {
    let flows = run.set.flows
    add()
    let titles = ["flows", "accuracy", "macro F1", "named", "right", "found", "claimed"]
    add("parts, by flow".padding(to: 34) + titles.map { padded($0, 9) }.joined())
    func part(_ name: String, _ judgements: [Judgement]) {
      guard !judgements.isEmpty else { return }
      let figures = Figures(judgements, weighted: false)
      let named = judgements.count { $0.said != .other }
      let right = judgements.count { $0.said != .other && $0.said == $0.truth }
      let truths = judgements.count { $0.truth != .other }
      let claimed = judgements.reduce(0) { $0 + $1.confidence } / Double(judgements.count)
      let cells = [
        "\(judgements.count)", fixed(figures.accuracy, 3), fixed(figures.macroF1, 3), "\(named)", ratio(right, named),
        ratio(right, truths), fixed(claimed, 3),
      ]
      add("  " + name.padding(to: 32) + cells.map { padded($0, 9) }.joined())
    }
    func filtered(_ isIn: (FlowShapeFeatures) -> Bool) -> [Judgement] {
      run.judgements.filter { isIn(flows[$0.flow].features) }
    }
    part("tcp", filtered { $0.isTCP })
    part("tcp with TLS records", filtered { $0[.records] ?? 0 > 0 })
    part("udp", filtered { !$0.isTCP })
    for (name, range) in [("no payload", 0...0), ("1 packet", 1...1), ("2 to 5", 2...5), ("6 to 15", 6...15)] {
      part(name, filtered { range.contains($0.packets) })
    }
    part("16 and more", filtered { $0.packets >= 16 })
    part("udp of 16 and more", filtered { !$0.isTCP && $0.packets >= 16 })
    for (packets, judgements) in zip(LabelledShape.earlyPackets, run.early) {
      part("longer ones, after \(packets) packet\(packets == 1 ? "" : "s")", judgements)
    }
    add("  named: said to be push, messaging or calling; right: of these; found: of all that are; claimed: confidence")
    for threshold in [0, 0.5, 0.6, 0.7, 0.8] {
      let sure = run.judgements.filter { $0.said != .other && $0.confidence >= threshold }
      let right = sure.count { $0.said == $0.truth }
      let claimed = sure.isEmpty ? "-" : fixed(sure.reduce(0) { $0 + $1.confidence } / Double(sure.count), 3)
      add(
        "  named with a confidence of at least \(fixed(threshold, 1)): \(sure.count), claimed \(claimed), "
          + "right \(ratio(right, sure.count))")
    }
  }

  private mutating func describeFeatures() {
    for (name, card) in [("tcp", run.model.tcp), ("udp", run.model.udp)] {
      let flows = run.set.flows.indices.filter {
        run.set.flows[$0].features.isTCP == (name == "tcp") && run.set.flows[$0].features.packets > 0
      }
      let all = flows.reduce(0) { $0 + run.set.weights[$1] }
      guard all > 0 else { continue }
      var ranked: [(feature: ShapeFeature, bits: Double)] = []
      for row in card.rows {
        var sum = 0.0
        for at in flows {
          let bin = ShapeModel.Row.bin(of: run.set.flows[at].features[row.feature], bounds: row.bounds)
          sum += run.set.weights[at] * (row.bits[bin].max() - row.bits[bin].min())
        }
        ranked.append((row.feature, sum / all))
      }
      // What weighs the same keeps the order of the card.
      let order = ranked.indices.sorted {
        ranked[$0].bits == ranked[$1].bits ? $0 < $1 : ranked[$0].bits > ranked[$1].bits
      }
      add()
      add("\(name) features   mean bits between the tag they speak for and the one they speak against")
      for row in order.map({ ranked[$0] }) {
        add("  " + row.feature.rawValue.padding(to: 26) + padded(fixed(row.bits, 3), 7))
      }
    }
  }
}

private func padded(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(1, width - text.count)) + text
}

private func ratio(_ part: Int, _ whole: Int) -> String {
  whole == 0 ? "-" : fixed(Double(part) / Double(whole), 3)
}

private func share(_ value: Double?) -> String { value.map { fixed($0, 3) } ?? "-" }

/// A number with so many places.
private func fixed(_ value: Double, _ places: Int) -> String {
  guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
  let factor = (0..<places).reduce(1) { scale, _ in scale * 10 }
  let units = Int((abs(value) * Double(factor)).rounded())
  let sign = value < 0 && units > 0 ? "-" : ""
  guard places > 0 else { return "\(sign)\(units)" }
  let fraction = String(units % factor)
  return "\(sign)\(units / factor)." + String(repeating: "0", count: places - fraction.count) + fraction
}

extension String {
  fileprivate func padding(to width: Int) -> String {
    self + String(repeating: " ", count: Swift.max(0, width - count))
  }
}
