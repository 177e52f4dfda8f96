public import Classify
import Decode
import Protocols

/// What a table needs of a run, in memory that does not grow with the number of flows: totals, and the largest flows
/// of each tag.
public struct RunSummary: Sendable {
  /// Flows, packets and bytes.
  public struct Totals: Sendable, Equatable {
    /// How many flows.
    public var flows: UInt64 = 0
    /// Packets and bytes of both directions.
    public var packets: UInt64 = 0, bytes: UInt64 = 0

    mutating func add(_ flow: FlowEvent) {
      flows &+= 1
      packets &+= flow.packets
      bytes &+= flow.bytes
    }
  }

  struct ServiceName: Hashable {
    var tag: Tag
    /// The service, or what the payload is where no service is known.
    var name: String
    var isKnown: Bool
  }

  struct Carrier: Hashable {
    var tag: Tag
    var service: String
    var carries: [Carried]
  }

  /// The most services that are told apart: a user's catalogue may be long. Further ones count as `unlistedServices`.
  public static let maximumServices = 4_096
  /// The most legends of shared fate; further ones are not printed.
  public static let maximumCarriers = 64
  /// Flows of a tag that a table shows, and that it shows when asked for all.
  public static let shownFlows = 12, allFlows = 1_000

  /// Totals of a tag.
  public private(set) var totals: [Tag: Totals] = [:]
  private(set) var largest: [Tag: LargestFlows] = [:]
  private(set) var services: [ServiceName: Totals] = [:]
  private(set) var unlistedServices = Totals()
  private(set) var carriers: [Carrier] = []
  /// Flows that carry more than one tag.
  public private(set) var sharedFateFlows: UInt64 = 0
  /// Calls, and of them the longest.
  public private(set) var callCount: UInt64 = 0
  private(set) var calls: [ConversationEvent] = []
  private let shownCalls: Int
  /// First and last time of any flow, nanoseconds since 1970.
  private(set) var start = Int64.max, end = Int64.min

  /// A summary of nothing.
  /// - Parameter flowsPerTag: how many flows of a tag are kept for the table.
  public init(flowsPerTag: Int = RunSummary.shownFlows) {
    shownCalls = flowsPerTag
    for tag in Tag.allCases {
      totals[tag] = Totals()
      largest[tag] = LargestFlows(capacity: flowsPerTag)
    }
  }

  /// Totals of all tags.
  public var total: Totals {
    totals.values.reduce(into: Totals()) { sum, next in
      sum.flows &+= next.flows
      sum.packets &+= next.packets
      sum.bytes &+= next.bytes
    }
  }

  /// Takes in a flow that has ended.
  public mutating func add(_ flow: FlowEvent) {
    let verdict = flow.verdict
    totals[verdict.tag]?.add(flow)
    largest[verdict.tag]?.add(flow)
    start = min(start, flow.start)
    end = max(end, flow.end)
    let name = ServiceName(
      tag: verdict.tag, name: verdict.service ?? flow.facts.application?.title ?? flow.transport.recordName,
      isKnown: verdict.service != nil)
    if services[name] != nil || services.count < Self.maximumServices {
      services[name, default: Totals()].add(flow)
    } else {
      unlistedServices.add(flow)
    }
    guard verdict.isSharedFate else { return }
    sharedFateFlows &+= 1
    let carrier = Carrier(
      tag: verdict.tag, service: verdict.service ?? verdict.tag.rawValue,
      carries: verdict.carries.filter { $0.tag != verdict.tag })
    if carriers.count < Self.maximumCarriers, !carriers.contains(carrier) { carriers.append(carrier) }
  }
}

extension RunSummary {
  /// Takes in a call that has ended.
  public mutating func add(_ call: ConversationEvent) {
    callCount &+= 1
    calls.append(call)
    guard calls.count > shownCalls else { return }
    let shortest = calls.indices.min { (calls[$0].duration, calls[$1].id) < (calls[$1].duration, calls[$0].id) }
    if let shortest { calls.remove(at: shortest) }
  }
}

/// The flows with the most bytes, up to a number; the earlier flow wins a tie.
struct LargestFlows: Sendable {
  let capacity: Int
  private(set) var flows: [FlowEvent] = []

  init(capacity: Int) { self.capacity = max(capacity, 0) }

  mutating func add(_ flow: FlowEvent) {
    guard capacity > 0 else { return }
    if flows.count == capacity {
      guard let smallest = flows.last, Self.precedes(flow, smallest) else { return }
      flows.removeLast()
    }
    var low = 0
    var high = flows.count
    while low < high {
      let middle = (low + high) / 2
      if Self.precedes(flow, flows[middle]) { high = middle } else { low = middle + 1 }
    }
    flows.insert(flow, at: low)
  }

  private static func precedes(_ a: FlowEvent, _ b: FlowEvent) -> Bool {
    a.bytes != b.bytes ? a.bytes > b.bytes : a.id < b.id
  }
}
