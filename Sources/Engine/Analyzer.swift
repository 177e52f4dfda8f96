public import Capture
public import Classify
import Bytes
import Decode
import Flows
public import Report

// Engine may hold: the wiring of the stages; the library's front door.

/// Reads packets and tags flows: the library's front door.
///
/// One analyzer may read several sources one after the other, as the parts of a rotated series; `finish` ends what is
/// still open. It is used from one thread; with `AnalyzerOptions.jobs` of 2 and more it works on threads of its own, and
/// its callbacks come from one of them while `read` and `finish` are under way.
public struct Analyzer: ~Copyable {
  private var decoder = Decoder()
  private let box: StageBox
  private var counters = PacketCounters()
  private let maximumPackets: UInt64
  private let jobs: Int
  private var pipeline: Pipeline?

  /// An analyzer with nothing read.
  public init(classifier: Classifier, options: AnalyzerOptions = AnalyzerOptions()) {
    box = StageBox(FlowStage(classifier: classifier, options: options))
    maximumPackets = options.maximumPackets ?? .max
    jobs = options.wantsPackets ? 1 : options.jobs
  }

  deinit { pipeline?.stop() }

  /// Reads a source to its end. Flows that are still open stay open for the next source.
  /// - Parameters:
  ///   - source: what lends the packets.
  ///   - capture: the name that the source's flows carry, where a run reads several.
  ///   - now: the wall clock in nanoseconds since 1970, by which an idle live source ages its flows.
  ///   - events: where to deliver; with several jobs those of the first call are kept.
  /// - Throws: the source's error, after all packets before it were analysed.
  public mutating func read<Source: PacketSource & ~Copyable>(
    _ source: inout Source, capture: String? = nil, now: (() -> Int64)? = nil, events: AnalyzerEvents
  ) throws(CaptureError) {
    // Who looks at packets as they come needs them on this thread.
    if jobs > 1, pipeline == nil, events.payload == nil, events.visit == nil, events.flowDecided == nil {
      pipeline = Pipeline(box, events: events)
    }
    if let pipeline { return try read(&source, through: pipeline, capture, now, events) }
    box.stage.begin(capture: capture)
    var batch = PacketBatch()
    while counters.packets < maximumPackets {
      switch try source.next(&batch) {
      case .end: return
      case .idle:
        if let now { box.stage.advance(to: now(), events: events) }
      case .packets:
        batch.count = Int(min(UInt64(batch.count), maximumPackets - counters.packets))
        Self.analyse(batch, source.bytes, &decoder, &box.stage, &counters, events)
      }
      if let proceed = events.proceed, !proceed(counters.packets, counters.end) { return }
    }
  }

  private mutating func read<Source: PacketSource & ~Copyable>(
    _ source: inout Source, through pipeline: Pipeline, _ capture: String?, _ now: (() -> Int64)?,
    _ events: AnalyzerEvents
  ) throws(CaptureError) {
    pipeline.put(.begin(capture: capture))
    let seed = box.seed
    var chunk = pipeline.chunk()
    // Also where the source fails: what came before counts.
    defer { pipeline.put(.packets(chunk)) }
    var batch = PacketBatch()
    while counters.packets < maximumPackets {
      switch try source.next(&batch) {
      case .end: return
      case .idle:
        if let now { pipeline.put(.advance(to: now())) }
      case .packets:
        batch.count = Int(min(UInt64(batch.count), maximumPackets - counters.packets))
        Self.collect(batch, source.bytes, &decoder, &counters, into: chunk, seed)
        if chunk.isFull {
          pipeline.put(.packets(chunk))
          chunk = pipeline.chunk()
        }
      }
      if let proceed = events.proceed, !proceed(counters.packets, counters.end) { return }
    }
  }

  /// Static, so that the decoder may lend bytes to the stage: the two are exclusive on their own.
  private static func analyse(
    _ batch: borrowing PacketBatch, _ bytes: RawSpan, _ decoder: inout Decoder, _ stage: inout FlowStage,
    _ counters: inout PacketCounters, _ events: borrowing AnalyzerEvents
  ) {
    var touches = FlowBatch()
    var headers = Headers()
    let seed = stage.table.seed
    for i in 0..<batch.count {
      let packet = batch.items[i]
      let view = bytes.slice(Int(packet.offset), Int(packet.captured))
      let outcome = decoder.decode(
        view, linkType: LinkType(rawValue: packet.linkType), wireLength: Int(packet.wire), timestamp: packet.timestamp,
        into: &headers)
      counters.count(packet, outcome, headers)
      guard outcome == .flow else { continue }
      if headers.process != 0, stage.processes[headers.process] == nil {
        stage.processes[headers.process] = decoder.processName(headers.process)
      }
      if headers.isReassembled {
        // The datagram lies in the decoder until the next packet, so it goes alone and at once.
        stage.apply(&touches, bytes: bytes, events: events)
        touches.append(
          headers, number: counters.packets, timestamp: packet.timestamp, wire: packet.wire, base: 0, seed: seed)
        stage.apply(&touches, bytes: decoder.reassembled, events: events)
      } else {
        touches.append(
          headers, number: counters.packets, timestamp: packet.timestamp, wire: packet.wire, base: packet.offset,
          seed: seed)
      }
    }
    stage.apply(&touches, bytes: bytes, events: events)
    if let tick = counters.tick() { stage.advance(to: tick, events: events) }
  }

  /// Decodes packets as `analyse` does, for another thread.
  private static func collect(
    _ batch: borrowing PacketBatch, _ bytes: RawSpan, _ decoder: inout Decoder, _ counters: inout PacketCounters,
    into chunk: PacketChunk, _ seed: UInt64
  ) {
    var headers = Headers()
    for i in 0..<batch.count {
      let packet = batch.items[i]
      let view = bytes.slice(Int(packet.offset), Int(packet.captured))
      let outcome = decoder.decode(
        view, linkType: LinkType(rawValue: packet.linkType), wireLength: Int(packet.wire), timestamp: packet.timestamp,
        into: &headers)
      counters.count(packet, outcome, headers)
      guard outcome == .flow else { continue }
      if headers.process != 0, chunk.processes[headers.process] == nil {
        chunk.processes[headers.process] = decoder.processName(headers.process)
      }
      if headers.isReassembled {
        chunk.closeBatch()
        chunk.append(headers, packet, number: counters.packets, payloadOf: decoder.reassembled, seed: seed)
        chunk.closeBatch()
      } else {
        chunk.append(headers, packet, number: counters.packets, payloadOf: view, seed: seed)
      }
    }
    chunk.closeBatch(tick: counters.tick())
  }

  /// Ends every open flow and forgets names and clock, so that the next source begins afresh.
  public mutating func finish(events: AnalyzerEvents) {
    guard let pipeline else { return box.stage.finish(events: events) }
    pipeline.put(.finish)
    pipeline.drain()
  }

  /// Counters so far. What a live source dropped is the source's to say.
  public var stats: StatsEvent {
    mutating get {
      pipeline?.stop()
      pipeline = nil
      var stats = counters.event
      for tag in Tag.allCases { stats.flows[tag] = box.stage.verdicts.flowsByTag[tag.index] }
      stats.limits = box.stage.limitCosts(decoder: decoder)
      stats.count(decoder.wirelessCounters)
      return stats
    }
  }
}
