public import Truth
import Foundation
import Pages

/// Why a study cannot be made: one line for a person.
public struct StudyError: Error, Sendable, CustomStringConvertible {
  /// The line.
  public let description: String
  /// An error.
  public init(_ description: String) { self.description = description }
}

/// Makes a study of two kinds of traffic.
public struct StudyMaker {
  /// What was read.
  public let traffic: LabelledTraffic
  /// The two kinds; the first is the one that a censor looks for.
  public let target: TrafficClass, background: TrafficClass
  /// What acting does, as it was measured.
  public var act: ActTable?
  /// The command, for the page.
  public var command = ""
  /// From what every random choice is drawn.
  public var seed: UInt64 = 1

  /// A maker for two kinds.
  /// - Throws: `StudyError` where nothing of a kind is in the traffic, or both are the same.
  public init(_ traffic: LabelledTraffic, target: String, background: String) throws(StudyError) {
    self.traffic = traffic
    func kind(_ word: String) throws(StudyError) -> TrafficClass {
      if let found = TrafficClass(word, in: traffic) { return found }
      let words = TrafficClass.words(in: traffic)
      let there = words.isEmpty ? "no record has a label" : "there are \(words.joined(separator: ", "))"
      throw StudyError("nothing in these captures is '\(word)'; \(there)")
    }
    self.target = try kind(target)
    self.background = try kind(background)
    guard self.target.key != self.background.key else {
      throw StudyError("--between wants two kinds of traffic, and both are '\(target)'")
    }
  }

  /// The study.
  public func study() -> Study {
    var study = Study()
    study.command = command
    var options = Detection.Options()
    options.seed = seed
    let (isTarget, isBackground) = (target.membership(in: traffic), background.membership(in: traffic))
    study.target = summary(target, isTarget)
    study.background = summary(background, isBackground)
    study.captures = captures(isTarget, isBackground)
    study.identify = Identification(traffic, target: isTarget, background: isBackground, seed: seed).result()
    study.detect = Detection(traffic: traffic, target: target, background: background, options: options).result()
    if target.isMessages(named: "imessage") {
      study.actions = ActionExperiment(
        traffic: traffic, seed: seed,
        script: { [traffic] record in traffic.scriptName(of: record) }
      ).result()
    }
    study.act = actTable
    study.defences = DefenceStudy(traffic: traffic, target: target, background: background, options: options).rows()
    study.explain()
    return study
  }

  /// The lab measured what rules do to iMessage and notifications on one connection, and nothing else.
  private var actTable: ActTable? {
    guard target.isMessages(named: "imessage"), background.isMessages(named: "notification") else { return nil }
    return act
  }

  private func summary(_ kind: TrafficClass, _ isMember: (LabelledRecord) -> Bool) -> ClassSummary {
    var summary = ClassSummary()
    summary.name = kind.name
    summary.title = kind.title
    summary.basis = kind.basis.rawValue
    var flows: Set<Int32> = []
    for record in traffic.records where isMember(record) {
      summary.records += 1
      if record.isUp { summary.up += 1 } else { summary.down += 1 }
      flows.insert(record.flow)
    }
    summary.flows = flows.count
    return summary
  }

  private func captures(
    _ isTarget: (LabelledRecord) -> Bool, _ isBackground: (LabelledRecord) -> Bool
  ) -> [CaptureSummary] {
    var summaries = traffic.captures.map { name in
      var summary = CaptureSummary()
      summary.name = name
      return summary
    }
    var sources = [Set<LabelSource>](repeating: [], count: summaries.count)
    var spans = [(first: Int64, last: Int64)](repeating: (.max, .min), count: summaries.count)
    for flow in traffic.flows where summaries.indices.contains(flow.capture) {
      summaries[flow.capture].flows += 1
      spans[flow.capture].first = min(spans[flow.capture].first, flow.start)
      spans[flow.capture].last = max(spans[flow.capture].last, flow.end)
    }
    for record in traffic.records {
      let capture = traffic.capture(of: record)
      summaries[capture].records += 1
      let (inTarget, inBackground) = (isTarget(record), isBackground(record))
      if inTarget { summaries[capture].target += 1 }
      if inBackground { summaries[capture].background += 1 }
      if inTarget { sources[capture].insert(source(of: record, target)) }
      if inBackground { sources[capture].insert(source(of: record, background)) }
    }
    for at in summaries.indices {
      if spans[at].first < spans[at].last {
        summaries[at].hours = Double(spans[at].last - spans[at].first) / 3.6e12
      }
      summaries[at].labels = sources[at].sorted { $0.rawValue > $1.rawValue }.map(\.words).joined(separator: ", ")
    }
    return summaries
  }

  /// Where a record's membership of a kind comes from.
  private func source(of record: LabelledRecord, _ kind: TrafficClass) -> LabelSource {
    switch kind.basis {
    case .messageClass, .kind: record.source
    case .trueMedia, .trueService, .trueTag: .file
    case .media, .service, .tag: .verdict
    }
  }
}

extension LabelSource {
  /// What a table calls it.
  var words: String {
    switch self {
    case .none: "none"
    case .verdict: "Wiretag's verdicts (no truth)"
    case .file: "truth file or labels"
    case .decryption: "decryption"
    }
  }
}

extension TrafficClass {
  /// How sentences call it.
  public var title: String {
    switch key {
    case "imessage", "imessages": "iMessage"
    case "notification", "notifications": "notifications"
    case "facetime-media": "FaceTime media"
    case "facetime": "FaceTime ringing"
    default: name
    }
  }

  /// Whether it is a class of messages of this name.
  func isMessages(named word: String) -> Bool { basis == .messageClass && (key == word || key == word + "s") }
}
