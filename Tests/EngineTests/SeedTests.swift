import Bytes
import Capture
import Classify
import Engine
import Flows
import Protocols
import Report
import TestSupport
import Testing

/// What the fuzzers start from and what they found, read again as in FuzzStreams.swift and FuzzVerdict.swift.
@Suite struct SeedTests {
  @Test func streamSeedsStayWithinTheirBounds() throws {
    let seeds = try FuzzSeeds.all(of: "Streams")
    #expect(seeds.count >= 20)
    var named = 0
    for (name, input) in seeds {
      var parser = StreamParser(clientPort: 50_000, serverPort: 443)
      var streams = [StreamReassembler(start: 0), StreamReassembler(start: nil)]
      var at = 0
      while at + 4 <= input.count {
        let side = Int(input[at] & 1)
        let sequence = UInt32(input[at + 1]) << 8 | UInt32(input[at + 2])
        let payload = Array(input[at + 4..<min(at + 4 + Int(input[at + 3]), input.count)])
        at += 4 + payload.count
        read(payload, sequence, &streams[side], &parser, side == 0 ? .client : .server)
        #expect(streams[side].heldBytes <= StreamReassembler.maximumHeldBytes, "\(name)")
        #expect(parser.bufferedBytes <= 1 << 18, "\(name): buffers grow")
        #expect(parser.wantsMore || parser.bufferedBytes == 0, "\(name): memory kept after the end")
      }
      named += parser.facts.application == nil ? 0 : 1
    }
    #expect(named >= 12, "seeds that say nothing prove nothing")
  }

  private func read(
    _ payload: [UInt8], _ sequence: UInt32, _ stream: inout StreamReassembler, _ parser: inout StreamParser,
    _ side: FlowSide
  ) {
    let bytes = unsafe payload.span.bytes
    switch stream.admit(sequence: sequence, length: bytes.byteCount) {
    case .old: return
    case .next(let offset, let count): parser.consume(bytes.slice(offset, count), from: side)
    case .early:
      guard !stream.hold(sequence: sequence, bytes) else { return }
      _ = stream.skipGap()
      parser.skipGap(from: side)
    }
    while let held = stream.takeHeld() { parser.consume(unsafe held.span.bytes, from: side) }
  }

  private struct Run {
    var flows: UInt64 = 0
    var packets: UInt64 = 0
    var tags: [String: Classify.Tag] = [:]
    var problem: String?
  }

  /// A capture in memory through the whole analyzer, with the promises of every record.
  private func analyse(_ capture: [UInt8], _ classifier: Classifier) -> Run {
    var run = Run()
    guard var file = try? CaptureFile.open(bytes: capture) else { return run }
    var options = AnalyzerOptions()
    options.maximumFlows = 64
    var analyzer = Analyzer(classifier: classifier, options: options)
    var lines = JSONLines()
    let events = AnalyzerEvents { flow in
      run.flows += 1
      run.packets += flow.packetsToServer + flow.packetsToClient
      if let name = flow.facts.tls?.serverName { run.tags[name] = flow.verdict.tag }
      let line = lines.line(flow)
      if line.last != 0x0a || line.dropLast().contains(where: { $0 < 0x20 }) { run.problem = "not a line" }
      if !(0...1).contains(flow.verdict.confidence) { run.problem = "confidence \(flow.verdict.confidence)" }
    }
    do throws(CaptureError) { try analyzer.read(&file, events: events) } catch {}
    analyzer.finish(events: events)
    if run.packets > analyzer.stats.packets { run.problem = "flows hold more packets than were read" }
    if analyzer.stats.flows.values.reduce(0, +) != run.flows { run.problem = "flows are counted otherwise" }
    return run
  }

  @Test func captureSeedsKeepThePromisesOfARecord() throws {
    let classifier = Classifier(catalogue: try Catalogue.shipped())
    let seeds = try FuzzSeeds.all(of: "Verdict")
    #expect(seeds.count >= 25)
    var tags: [String: Classify.Tag] = [:]
    for (name, bytes) in seeds {
      let run = analyse(bytes, classifier)
      #expect(run.problem == nil, "\(name): \(run.problem ?? "")")
      tags.merge(run.tags) { $1 }
    }
    #expect(tags["courier.push.apple.com"] == .push, "seeds that say nothing prove nothing")
  }

  /// Every place for small seeds, some for large ones.
  @Test func cutCaptureSeedsKeepThePromisesOfARecord() throws {
    let classifier = Classifier(catalogue: try Catalogue.shipped())
    for (name, bytes) in try FuzzSeeds.all(of: "Verdict") {
      for end in stride(from: 0, to: bytes.count, by: max(bytes.count / 40, 1)) {
        let problem = analyse(Array(bytes[..<end]), classifier).problem
        #expect(problem == nil, "\(name) cut at \(end): \(problem ?? "")")
      }
    }
  }
}
