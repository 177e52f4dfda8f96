/// The evidence on one flow while it is gathered, and the verdict it adds up to.
struct Ledger {
  /// Evidence, and what it is added up by.
  struct Entry {
    var evidence: Evidence
    /// Position of the service, or -1.
    var service: Int32
    /// What it depends on; nil where it stands alone.
    var group: EvidenceWeights.Group?
  }

  private(set) var entries: [Entry] = []
  private(set) var conflicts: [String] = []

  init() { entries.reserveCapacity(6) }

  /// Adds evidence.
  mutating func add(_ evidence: Evidence, service: Int32, group: EvidenceWeights.Group?) {
    entries.append(Entry(evidence: evidence, service: service, group: group))
  }

  /// Adds a contradiction, with the evidence against the tag that it weakens.
  mutating func addConflict(_ sentence: String, _ evidence: Evidence, service: Int32) {
    conflicts.append(sentence)
    entries.append(Entry(evidence: evidence, service: service, group: nil))
  }

  /// Of evidence that depends on each other and speaks for the same tag, leaves the strongest whole and discounts the
  /// rest: a name seen three times is not three names.
  private mutating func discount(_ weights: EvidenceWeights) {
    guard entries.count > 1 else { return }
    // Strongest first, so that whatever came before in the same group and tag is the stronger.
    entries.sort { abs($0.evidence.bits) > abs($1.evidence.bits) }
    for i in entries.indices.dropFirst() {
      guard let group = entries[i].group, entries[i].evidence.bits > 0 else { continue }
      let tag = entries[i].evidence.tag
      var j = 0
      while j < i, entries[j].group != group || entries[j].evidence.tag != tag { j += 1 }
      guard j < i else { continue }
      entries[i].evidence.bits *= weights.discount(group)
      if entries[i].evidence.note == nil { entries[i].evidence.note = "depends on stronger evidence" }
    }
    entries.sort { abs($0.evidence.bits) > abs($1.evidence.bits) }
  }

  /// Adds up.
  consuming func verdict(_ index: borrowing ServiceIndex, _ weights: EvidenceWeights, _ calibration: Calibration)
    -> Verdict
  {
    discount(weights)
    var scores = weights.priorScores
    // A port alone never decides: a tag must have evidence that is not a port.
    var isDecisive = SIMD4<Int8>(repeating: 0)
    for entry in entries {
      let tag = entry.evidence.tag.position
      scores[tag] += entry.evidence.bits
      if entry.evidence.source != .port, entry.evidence.bits > 0 { isDecisive[tag] = 1 }
    }
    var best = Tag.other
    for tag in Tag.allCases where isDecisive[tag.position] != 0 && scores[tag.position] > scores[best.position] {
      best = tag
    }
    var runnerUp = -Double.infinity
    for tag in Tag.allCases where tag != best { runnerUp = max(runnerUp, scores[tag.position]) }
    let margin = scores[best.position] - runnerUp
    let service = strongestService(for: best)
    return Verdict(
      tag: best, service: service >= 0 ? index.services[Int(service)].name : nil,
      confidence: calibration.confidence(of: best, margin: margin), margin: margin,
      evidence: entries.map(\.evidence), carries: service >= 0 ? index.services[Int(service)].carries : [],
      conflicts: conflicts)
  }

  /// The service with the most bits for a tag, ports not counted; -1 for none.
  private func strongestService(for tag: Tag) -> Int32 {
    var best: Int32 = -1
    var bits = 0.0
    for i in entries.indices where entries[i].service >= 0 && entries[i].evidence.tag == tag {
      let service = entries[i].service
      var sum = 0.0
      var isNamed = false
      for entry in entries where entry.service == service {
        sum += entry.evidence.bits
        isNamed = isNamed || (entry.evidence.source != .port && entry.evidence.bits > 0)
      }
      if isNamed, best < 0 || sum > bits {
        best = service
        bits = sum
      }
    }
    return best
  }
}

extension Tag {
  /// The tag's position in `allCases`.
  var position: Int {
    switch self {
    case .push: 0
    case .messaging: 1
    case .calling: 2
    case .other: 3
    }
  }
}
