public import Classify
import Engine
public import Truth

/// Reads captures into traces: verdicts as ever, what boxes could see, and what truth there is beside them.
public struct TraceReader {
  private var reader: TrafficReader
  private let wantsRecords: Bool

  /// A reader that has read nothing.
  /// - Parameters:
  ///   - classifier: gives the verdicts.
  ///   - keyLog: secrets beside those that captures bring.
  ///   - labels: a person's labels.
  ///   - wantsRecords: whether learnt rules are to be applied to the traces.
  public init(
    classifier: Classifier, keyLog: TLSSecretsFile = TLSSecretsFile(), labels: LabelTable? = nil,
    wantsRecords: Bool = false
  ) {
    self.wantsRecords = wantsRecords
    reader = TrafficReader(classifier: classifier, keyLog: keyLog, labels: labels)
  }

  /// Labelled traffic of all captures so far, for rules that are learnt.
  public var traffic: LabelledTraffic { reader.traffic }

  /// What a person should know, a sentence each.
  public var notices: [String] { reader.notices }

  /// Reads a capture to its end.
  /// - Parameters:
  ///   - path: where it is; "-" for standard input.
  ///   - name: what it is called in results.
  ///   - filter: packets that are read, in the language of pcap-filter; nil for all.
  ///   - proceed: asked once a batch with the packets so far; false ends the reading.
  /// - Returns: the capture as a box would have met it.
  /// - Throws: as `TrafficReader.read`.
  public mutating func read(
    path: String, name: String, filter: String? = nil, proceed: @escaping (UInt64) -> Bool = { _ in true }
  ) throws -> Trace {
    let collector = TraceCollector()
    let (firstFlow, firstRecord) = (reader.traffic.flows.count, reader.traffic.records.count)
    try reader.read(path: path, name: name, filter: filter, observer: collector, proceed: proceed)
    var trace = Trace()
    trace.name = name
    trace.flows = collector.wholeFlows()
    trace.packets = collector.sortedPackets()
    trace.packetsNotKept = collector.packetsNotKept
    let traffic = reader.traffic
    for flow in traffic.flows[firstFlow...] where flow.trueTag != nil || flow.trueService != nil {
      guard let index = Self.index(flow, trace) else { continue }
      trace.flows[index].trueTag = flow.trueTag
      trace.flows[index].trueService = flow.trueService
    }
    for (number, record) in zip(firstRecord..., traffic.records[firstRecord...]) {
      guard let flow = Self.index(traffic.flow(of: record), trace) else { continue }
      if wantsRecords {
        trace.records.append(
          TraceRecord(number: number, flow: Int32(clamping: flow), time: record.time, isUp: record.isUp))
      }
      guard record.messageClass != 0 else { continue }
      let kind = traffic.kindName(record)
      var message = TraceMessage()
      message.time = record.time
      message.flow = Int32(clamping: flow)
      message.size = record.size
      message.isUp = record.isUp
      message.isContent = TrafficClass.isContent(kind)
      (message.messageClass, message.kind) = (traffic.className(record), kind)
      message.topic = traffic.topicName(record)
      message.source = record.source
      trace.messages.append(message)
    }
    return trace
  }

  private static func index(_ flow: LabelledFlow, _ trace: Trace) -> Int? {
    guard flow.number > 0, flow.number <= UInt64(trace.flows.count) else { return nil }
    return Int(flow.number) - 1
  }
}
