/// The evidence on one flow while it is gathered, and the verdict it adds up to.
struct Ledger {
  /// What a piece of evidence weighs: all that adding up needs, without the texts, so that it is moved about for free.
  private struct Weight {
    var bits: Double
    /// Position of the evidence in `evidence`.
    var position: Int
    /// Position of the service, or -1.
    var service: Int32
    /// What it depends on; nil where it stands alone.
    var group: EvidenceWeights.Group?
    /// Position of the tag.
    var tag: Int
    /// Position of the names of services that show the same, or -1.
    var also: Int32
    var isPort: Bool
    var isDiscounted = false
  }

  private var evidence: [Evidence] = []
  private var entries: [Weight] = []
  private var conflicts: [String] = []
  /// What of a call the payload is: names and addresses then say whose, not what for.
  private(set) var media: MediaKind
  var isMedia: Bool { media != .none }
  /// Whether the verdict is to come with its reasons; without, no text is made.
  let hasReasons: Bool

  init(media: MediaKind = .none, hasReasons: Bool = true) {
    self.media = media
    self.hasReasons = hasReasons
  }

  /// Begins anew with another flow, in the memory that is there; without reasons only.
  mutating func begin(media: MediaKind) {
    self.media = media
    entries.removeAll(keepingCapacity: true)
  }

  /// Adds evidence.
  /// - Parameters:
  ///   - tag: the tag that it speaks for.
  ///   - bits: how far.
  ///   - isPort: whether it is a port's.
  ///   - service: position of the service, or -1.
  ///   - group: what it depends on; nil where it stands alone.
  ///   - also: position of the names of services that show the same, or -1.
  ///   - evidence: as it is told, with the same tag and bits; asked for only where reasons are wanted.
  mutating func add(
    _ tag: Tag, bits: Double, isPort: Bool = false, service: Int32, group: EvidenceWeights.Group?, also: Int32 = -1,
    _ evidence: @autoclosure () -> Evidence
  ) {
    if entries.isEmpty { entries.reserveCapacity(8) }
    entries.append(
      Weight(
        bits: bits, position: entries.count, service: service, group: group, tag: tag.position, also: also,
        isPort: isPort))
    guard hasReasons else { return }
    if self.evidence.isEmpty { self.evidence.reserveCapacity(8) }
    self.evidence.append(evidence())
  }

  /// Whether evidence of at least so many bits speaks for a tag, ports not counted.
  func isDecisive(atLeast bits: Double) -> Bool {
    entries.contains { !$0.isPort && $0.bits >= bits }
  }

  /// Adds a contradiction that no evidence goes with.
  mutating func addConflict(_ sentence: @autoclosure () -> String) {
    if hasReasons { conflicts.append(sentence()) }
  }

  /// Strongest first; what is equally strong keeps its order.
  private mutating func sort() {
    for i in entries.indices.dropFirst() {
      let entry = entries[i]
      var j = i
      while j > 0, abs(entries[j - 1].bits) < abs(entry.bits) {
        entries[j] = entries[j - 1]
        j -= 1
      }
      entries[j] = entry
    }
  }

  /// Of evidence that depends on each other and speaks for the same tag, leaves the strongest whole and discounts the
  /// rest: a name seen three times is not three names.
  private mutating func discount(_ weights: EvidenceWeights) {
    guard entries.count > 1 else { return }
    // Strongest first, so that whatever came before in the same group and tag is the stronger.
    sort()
    for i in entries.indices.dropFirst() {
      guard let group = entries[i].group, entries[i].bits > 0 else { continue }
      let tag = entries[i].tag
      var j = 0
      while j < i, entries[j].group != group || entries[j].tag != tag { j += 1 }
      guard j < i else { continue }
      entries[i].bits *= weights.discount(group)
      entries[i].isDiscounted = true
    }
    sort()
  }

  /// Puts the evidence into the order of the entries, with their bits.
  private mutating func settle() {
    for i in entries.indices {
      // What belongs here may have been swapped away from its place already.
      var position = entries[i].position
      while position < i { position = entries[position].position }
      if position != i { evidence.swapAt(i, position) }
    }
    for i in entries.indices {
      evidence[i].bits = entries[i].bits
      if entries[i].isDiscounted, evidence[i].note == nil { evidence[i].note = "depends on stronger evidence" }
    }
  }

  /// What the entries come to.
  struct Sum {
    var tag: Tag
    var margin: Double
    /// Position of the service, or -1.
    var service: Int32
  }

  /// Adds up.
  mutating func addUp(_ index: borrowing ServiceIndex, _ weights: borrowing EvidenceWeights) -> Sum {
    discount(weights)
    var scores = weights.priorScores
    // A port alone never decides: a tag must have evidence that is not a port.
    var isDecisive = SIMD4<Int8>(repeating: 0)
    for entry in entries {
      scores[entry.tag] += entry.bits
      if !entry.isPort, entry.bits > 0 { isDecisive[entry.tag] = 1 }
    }
    var best = Tag.other
    for tag in Tag.allCases where isDecisive[tag.position] != 0 && scores[tag.position] > scores[best.position] {
      best = tag
    }
    var runnerUp = -Double.infinity
    for tag in Tag.allCases where tag != best { runnerUp = max(runnerUp, scores[tag.position]) }
    return Sum(
      tag: best, margin: scores[best.position] - runnerUp, service: strongestService(for: best.position, index))
  }

  /// Adds up, with reasons.
  consuming func verdict(
    _ index: borrowing ServiceIndex, _ weights: borrowing EvidenceWeights, _ calibration: Calibration
  ) -> Verdict {
    let sum = addUp(index, weights)
    let service = Int(sum.service)
    if service >= 0 { noteAlikes(sum.service, index) }
    settle()
    return Verdict(
      tag: sum.tag, service: service >= 0 ? index.services[service].name : nil,
      confidence: calibration.confidence(of: sum.tag, margin: sum.margin), margin: sum.margin, evidence: evidence,
      carries: service >= 0 ? index.services[service].carries : [], conflicts: conflicts)
  }

  /// The service with the most bits for a tag, ports not counted, one with a name before a protocol that many speak;
  /// -1 for none.
  private func strongestService(for tag: Int, _ index: borrowing ServiceIndex) -> Int32 {
    var best: Int32 = -1
    var bits = 0.0
    var isBestGeneric = false
    for i in entries.indices where entries[i].service >= 0 && entries[i].tag == tag {
      let service = entries[i].service
      var sum = 0.0
      var isNamed = false
      for entry in entries where entry.service == service {
        sum += entry.bits
        isNamed = isNamed || (!entry.isPort && entry.bits > 0)
      }
      guard isNamed else { continue }
      let isGeneric = index.services[Int(service)].isGeneric
      if best < 0 || (isBestGeneric == isGeneric ? sum > bits : isBestGeneric) {
        best = service
        bits = sum
        isBestGeneric = isGeneric
      }
    }
    return best
  }

  /// Says that a service cannot be told from others, where all that names it shows them as well.
  private mutating func noteAlikes(_ service: Int32, _ index: borrowing ServiceIndex) {
    var also = index.services[Int(service)].also
    if also < 0 {
      for entry in entries where entry.service == service && !entry.isPort && entry.bits > 0 {
        guard entry.also >= 0 else { return }
        also = max(also, entry.also)
      }
    }
    guard also >= 0 else { return }
    let name = index.services[Int(service)].name
    conflicts.append("nothing here tells \(name) from \(index.alikes[Int(also)].joined(separator: " and "))")
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
