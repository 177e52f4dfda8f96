public import Capture
public import Classify
public import Report

// Engine may hold: the wiring of the stages; the library's front door.

/// What an analysis may use and must deliver.
public struct AnalyzerOptions: Sendable {
  /// The most flows that are open at a time; beyond it the longest idle one is evicted and counted.
  public var maximumFlows = 1_000_000
  /// Whether every packet is to be reported.
  public var wantsPackets = false
  /// Whether JA3, JA3S and JA4 are to be computed: they cost more than all the rest of a hello.
  public var wantsFingerprints = true
  /// Options of a plain run.
  public init() {}
}

/// Where an analysis delivers what it finds. Called on the analysing thread, in the order of the packets.
public struct AnalyzerEvents {
  /// A flow has ended; its verdict is final.
  public var flowEnded: (FlowEvent) -> Void
  /// A flow's verdict is decided, or has changed since; the flow goes on.
  public var flowDecided: ((FlowEvent) -> Void)?
  /// A packet of a flow, tag not yet known. Called only with `AnalyzerOptions.wantsPackets`.
  public var packet: ((PacketEvent) -> Void)?
  /// Packets were read: how many in all, and the last one's time. For progress; called now and then.
  /// Returning false ends the run as if the source had ended (SIGINT, `-c`, `--duration`).
  public var proceed: ((_ packets: UInt64, _ time: Int64) -> Bool)?
  /// Events for a receiver of flows.
  public init(flowEnded: @escaping (FlowEvent) -> Void) { self.flowEnded = flowEnded }
}

/// Reads packets and tags flows: the library's front door.
///
/// One analyzer may read several sources one after the other, as the parts of a rotated series; `finish` ends what is
/// still open. It is used from one thread.
public struct Analyzer: ~Copyable {
  /// Counters so far.
  public private(set) var stats = StatsEvent()

  /// An analyzer with nothing read.
  public init(classifier: Classifier, options: AnalyzerOptions = AnalyzerOptions()) {}

  /// Reads a source to its end. Flows that are still open stay open for the next source.
  /// - Parameters:
  ///   - source: what lends the packets.
  ///   - capture: the name that the source's flows carry, where a run reads several.
  ///   - events: where to deliver.
  /// - Throws: the source's error, after all packets before it were analysed.
  public mutating func read<Source: PacketSource & ~Copyable>(
    _ source: inout Source, capture: String? = nil, events: AnalyzerEvents
  ) throws(CaptureError) {}

  /// Ends every open flow.
  public mutating func finish(events: AnalyzerEvents) {}
}
