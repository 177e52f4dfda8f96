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
/// still open. It is used from one thread.
public struct Analyzer: ~Copyable {
  private var decoder = Decoder()
  private var stage: FlowStage
  private var counters = PacketCounters()
  private let maximumPackets: UInt64

  /// An analyzer with nothing read.
  public init(classifier: Classifier, options: AnalyzerOptions = AnalyzerOptions()) {
    stage = FlowStage(classifier: classifier, options: options)
    maximumPackets = options.maximumPackets ?? .max
  }

  /// Reads a source to its end. Flows that are still open stay open for the next source.
  /// - Parameters:
  ///   - source: what lends the packets.
  ///   - capture: the name that the source's flows carry, where a run reads several.
  ///   - now: the wall clock in nanoseconds since 1970, by which an idle live source ages its flows.
  ///   - events: where to deliver.
  /// - Throws: the source's error, after all packets before it were analysed.
  public mutating func read<Source: PacketSource & ~Copyable>(
    _ source: inout Source, capture: String? = nil, now: (() -> Int64)? = nil, events: AnalyzerEvents
  ) throws(CaptureError) {
    stage.begin(capture: capture)
    var batch = PacketBatch()
    while counters.packets < maximumPackets {
      switch try source.next(&batch) {
      case .end: return
      case .idle:
        if let now { stage.advance(to: now(), events: events) }
      case .packets:
        batch.count = Int(min(UInt64(batch.count), maximumPackets - counters.packets))
        Self.analyse(batch, source.bytes, &decoder, &stage, &counters, events)
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
    if counters.end / 1_000_000_000 != counters.lastTick {
      counters.lastTick = counters.end / 1_000_000_000
      stage.advance(to: counters.end, events: events)
    }
  }

  /// Ends every open flow and forgets names and clock, so that the next source begins afresh.
  public mutating func finish(events: AnalyzerEvents) { stage.finish(events: events) }

  /// Counters so far. What a live source dropped is the source's to say.
  public var stats: StatsEvent {
    var stats = counters.event
    for tag in Tag.allCases { stats.flows[tag] = stage.flowsByTag[tag.index] }
    stats.limits = stage.limitCosts(decoder: decoder)
    stats.count(decoder.wirelessCounters)
    return stats
  }
}
