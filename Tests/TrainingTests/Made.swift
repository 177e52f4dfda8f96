import Flows
import TestSupport
import Training

@testable import Classify

/// Made-up flows whose truth is known.
enum Made {
  /// A call: both sides send 80 to 160 bytes every 20 ms.
  static func call(_ dice: inout SeededRandom) -> ShapeMeter {
    var meter = ShapeMeter()
    for i in 0..<Int.random(in: 60...300, using: &dice) {
      meter.count(
        size: .random(in: 80...160, using: &dice),
        gap: i == 0 ? nil : .random(in: 9_000_000...11_000_000, using: &dice),
        isToServer: i % 2 == 0)
    }
    return meter
  }

  /// A question and its answer.
  static func question(_ dice: inout SeededRandom) -> ShapeMeter {
    var meter = ShapeMeter()
    meter.count(size: .random(in: 30...60, using: &dice), gap: nil, isToServer: true)
    meter.count(
      size: .random(in: 60...400, using: &dice), gap: .random(in: 1_000_000...90_000_000, using: &dice),
      isToServer: false)
    return meter
  }

  /// Captures with a call and four questions each; in one of ten the labels are the wrong way round.
  static func flows(captures: Int, seed: UInt64 = 1) -> [LabelledShape] {
    var dice = SeededRandom(seed)
    return (0..<captures).flatMap { capture in
      (0..<5).map { place in
        let isCall = place == 0
        let isSwapped = capture % 10 == 9
        return LabelledShape(
          file: "folder\(capture % 4)/\(capture).pcap", identity: "\(capture) \(place)",
          tag: isCall != isSwapped ? .calling : .other, isTCP: false, nanoseconds: isCall ? 1_000_000_000 : 50_000_000,
          shape: isCall ? call(&dice) : question(&dice))
      }
    }
  }
}
