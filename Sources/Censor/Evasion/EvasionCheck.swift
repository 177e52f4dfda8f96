import Bytes
public import Capture
import Classify
import Engine
import Protocols
import Report

/// Rewrites recorded ClientHellos and asks which policies still meet them, and what Wiretag reads of them.
///
/// Nothing is sent: the rewritten hellos lie in captures that are read like any other. Used from one thread.
public struct EvasionCheck {
  /// The most hellos that are rewritten, unless told otherwise.
  public static let defaultMaximumHellos = 64
  /// The most hellos that can be asked for: each is a client's address of its own.
  public static let maximumHellos = 4_096

  /// How policies see the rewritten captures.
  struct Boxes {
    /// The flows of a capture that is given as a file's bytes, as boxes see them.
    var sights: ([UInt8]) throws -> [FlowSight]
    /// What tells whether a policy meets a flow, made ready once a policy.
    var matcher: (Policy) -> (FlowSight) -> Bool
  }

  private let classifier: Classifier
  private let policies: [Policy]
  private let boxes: Boxes
  private let collector: HelloCollector
  private let maximum: Int
  private var captures: [String] = []

  /// A check of policies.
  /// - Parameters:
  ///   - classifier: gives the verdicts.
  ///   - policies: all of them; those that look at nothing in a hello are counted only.
  ///   - boxes: how policies see captures.
  ///   - maximumHellos: the most hellos that are rewritten, 1 to `maximumHellos`.
  init(classifier: Classifier, policies: [Policy], boxes: Boxes, maximumHellos: Int = defaultMaximumHellos) {
    self.classifier = classifier
    self.policies = policies
    self.boxes = boxes
    maximum = min(max(maximumHellos, 1), Self.maximumHellos)
    collector = HelloCollector(limit: Self.maximumHellos)
  }

  /// The hellos that are rewritten, in the order of the captures: where there are more than the limit, one of each name
  /// and carrier first, then a second stack of each.
  public var hellos: [RecordedHello] {
    guard collector.hellos.count > maximum else { return collector.hellos }
    var stacks: [String: Int] = [:]
    let ranked = collector.hellos.enumerated().map { number, hello in
      let name = "\(hello.carrier.rawValue) \(hello.serverName ?? "-")"
      stacks[name, default: 0] += 1
      return (rank: stacks[name] ?? 0, number: number)
    }
    let chosen = ranked.sorted { ($0.rank, $0.number) < ($1.rank, $1.number) }.prefix(maximum).map(\.number)
    return chosen.sorted().map { collector.hellos[$0] }
  }

  /// Takes the hellos of a capture.
  /// - Parameters:
  ///   - source: the capture.
  ///   - name: what it is called in the report.
  /// - Throws: `CaptureError` where it is damaged; the hellos before that place were taken.
  public mutating func read(_ source: inout CaptureFile, name: String) throws(CaptureError) {
    captures.append(name)
    try collector.read(&source, name: name, classifier: classifier)
  }

  /// Takes a hello.
  mutating func take(_ hello: RecordedHello) { collector.take(hello) }

  /// The capture in which a way is tried: a pcap file; nil where it applies to no hello.
  public func capture(of rewrite: Rewrite) -> [UInt8]? { made(rewrite, hellos).map(\.capture) }

  /// Tries every way on every hello.
  /// - Throws: where a capture that was made cannot be read back.
  public func report() throws -> EvasionReport {
    var report = EvasionReport()
    report.captures = captures
    (report.repeatedHellos, report.hellosNotKept) = (
      collector.repeated, collector.hellos.count - hellos.count + collector.notKept + collector.flowsNotFollowed
    )
    report.notTried = Rewrite.notTried.map { "\($0.title): \($0.reason)" }
    report.limits = EvasionReport.limits
    let (hellos, judged) = (hellos, policies.filter(\.looksAtHellos))
    report.otherPolicies = policies.count - judged.count

    let base = try tried(.unchanged, hellos)
    report.hellos = hellos.enumerated().map { EvasionReport.Hello($0.element, base.readings[$0.offset]) }
    let aims = judged.map { Aim($0, hellos, base, boxes.matcher) }
    report.policies = aims.map(\.row)
    for rewrite in Rewrite.allCases {
      let trial = rewrite == .unchanged ? base : try tried(rewrite, hellos)
      report.rewrites.append(result(rewrite, trial, base, hellos))
      report.outcomes.append(aims.map { $0.outcome(trial) })
    }
    return report
  }

  /// What came of one way, by the hello's number.
  struct Trial {
    var rewritten: [Int: RewrittenHello] = [:]
    var readings: [Int: Reading] = [:]
    var sights: [Int: [FlowSight]] = [:]
  }

  /// What Wiretag read of a hello.
  struct Reading: Equatable {
    var hasHello = false
    var serverName: String?
    var tag = Tag.other
    var service: String?
  }

  private func made(
    _ rewrite: Rewrite, _ hellos: [RecordedHello]
  ) -> (rewritten: [Int: RewrittenHello], capture: [UInt8])? {
    var rewritten: [Int: RewrittenHello] = [:]
    var capture = EvasionCapture()
    for (number, hello) in hellos.enumerated() {
      guard let made = rewrite.rewrite(hello) else { continue }
      rewritten[number] = made
      capture.add(hello, made.flight, number: number)
    }
    return rewritten.isEmpty ? nil : (rewritten, capture.bytes)
  }

  private func tried(_ rewrite: Rewrite, _ hellos: [RecordedHello]) throws -> Trial {
    guard let (rewritten, capture) = made(rewrite, hellos) else { return Trial() }
    var trial = Trial(rewritten: rewritten)
    var numbers: [IPAddress: Int] = [:]
    for number in rewritten.keys {
      numbers[EvasionCapture.client(number, isV4: hellos[number].server.isV4)] = number
    }
    let readings = ReadingCollector(numbers)
    var source = try CaptureFile.open(bytes: capture, name: rewrite.rawValue)
    var analyzer = Analyzer(classifier: classifier)
    let events = AnalyzerEvents { readings.end($0) }
    try analyzer.read(&source, events: events)
    analyzer.finish(events: events)
    trial.readings = readings.found
    for sight in try boxes.sights(capture) {
      guard let number = numbers[sight.client] ?? numbers[sight.server] else { continue }
      trial.sights[number, default: []].append(sight)
    }
    return trial
  }

  private func result(_ rewrite: Rewrite, _ trial: Trial, _ base: Trial, _ hellos: [RecordedHello])
    -> EvasionReport.RewriteResult
  {
    var result = EvasionReport.RewriteResult(rewrite)
    result.tried = trial.rewritten.count
    result.notApplicable = hellos.count - trial.rewritten.count
    for (number, made) in trial.rewritten.sorted(by: { $0.key < $1.key }) {
      let reading = trial.readings[number] ?? Reading()
      let before = base.readings[number] ?? Reading()
      let isRead = reading.hasHello && reading.serverName == made.serverName
      let isSame = reading.tag == before.tag && reading.service == before.service
      if isRead { result.read += 1 }
      if isSame { result.sameVerdict += 1 }
      guard result.findings.count < EvasionReport.RewriteResult.maximumFindings else { continue }
      let name = hellos[number].serverName ?? "a hello without a name"
      if !isRead, rewrite.isReadByServers {
        let seen = reading.hasHello ? "read \(reading.serverName ?? "no name")" : "read no hello"
        result.findings.append("\(name) over \(hellos[number].carrier.rawValue): \(seen)")
      } else if !isSame, rewrite.keepsMeaning {
        result.findings.append(
          "\(name) over \(hellos[number].carrier.rawValue): \(before.words) as recorded, \(reading.words) now")
      }
    }
    return result
  }
}

extension EvasionCheck.Reading {
  /// Tag and service.
  fileprivate var words: String { service.map { "\(tag.rawValue) (\($0))" } ?? tag.rawValue }
}

extension Rewrite {
  /// Whether the hello is for the same server in the same words or others that mean the same.
  var keepsMeaning: Bool { isReadByServers && (nameFate == .kept || nameFate == .respelt) }
}

extension EvasionReport.RewriteResult {
  init(_ rewrite: Rewrite) {
    self.init(
      rewrite: rewrite, title: rewrite.title, sentence: rewrite.sentence, source: rewrite.source,
      isReadByServers: rewrite.isReadByServers)
  }
}

extension EvasionReport.Hello {
  init(_ hello: RecordedHello, _ reading: EvasionCheck.Reading?) {
    self.init(
      capture: hello.capture, flow: hello.flow, carrier: hello.carrier, serverName: hello.serverName,
      stack: hello.stack, server: "\(hello.server) port \(hello.serverPort)", length: hello.handshake.count,
      tag: (reading?.tag ?? .other).rawValue, service: reading?.service)
  }
}

/// What Wiretag says of the flows of a made capture. Used from one thread.
private final class ReadingCollector {
  private let numbers: [IPAddress: Int]
  private(set) var found: [Int: EvasionCheck.Reading] = [:]

  init(_ numbers: [IPAddress: Int]) { self.numbers = numbers }

  func end(_ event: FlowEvent) {
    guard let number = numbers[event.source] ?? numbers[event.destination] else { return }
    // Where a hello's packets fell apart into two flows, the one with a hello counts.
    if found[number]?.hasHello == true { return }
    found[number] = EvasionCheck.Reading(
      hasHello: event.facts.tls != nil, serverName: event.facts.tls?.serverName, tag: event.verdict.tag,
      service: event.verdict.service)
  }
}
