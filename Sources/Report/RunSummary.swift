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

    mutating func add(_ flow: borrowing FlowCount) {
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

  private struct Service {
    var name: ServiceName
    var totals = Totals()
    /// Whether its legend of shared fate is kept.
    var hasCarrier = false
  }

  /// What flows of no known service are told apart by.
  private struct Plain: Equatable {
    var tag: Int
    var application: ApplicationProtocol?
    var transport: TransportProtocol
  }

  private var totalsByTag = [4 of Totals](repeating: Totals())
  private var largestByTag: [LargestFlows]
  private var listed: [Service] = []
  /// Positions in `listed`: by name, and where the catalogue's number or the protocol is known without a look at names.
  private var positions: [ServiceName: Int] = [:]
  private var positionsByNumber: [Int32] = []
  private var positionsOfPlain: [(plain: Plain, position: Int)] = []
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
    largestByTag = Array(repeating: LargestFlows(capacity: flowsPerTag), count: Tag.allCases.count)
  }

  /// Totals of all tags.
  public var total: Totals {
    var sum = Totals()
    for i in totalsByTag.indices {
      sum.flows &+= totalsByTag[i].flows
      sum.packets &+= totalsByTag[i].packets
      sum.bytes &+= totalsByTag[i].bytes
    }
    return sum
  }

  /// Totals of a tag.
  public func totals(of tag: Tag) -> Totals { totalsByTag[tag.place] }

  func largest(of tag: Tag) -> LargestFlows { largestByTag[tag.place] }

  /// What the flows of each service come to.
  var services: [ServiceName: Totals] {
    Dictionary(uniqueKeysWithValues: listed.map { ($0.name, $0.totals) })
  }

  /// Takes in a flow that has ended.
  public mutating func add(_ flow: FlowEvent) {
    if add(FlowCount(flow)) { keep(flow) }
  }

  /// Takes in what a flow that has ended adds to the sums.
  /// - Returns: whether the flow itself is worth a row, and wanted for `keep`.
  public mutating func add(_ flow: borrowing FlowCount) -> Bool {
    let tag = flow.tag.place
    totalsByTag[tag].add(flow)
    start = min(start, flow.start)
    end = max(end, flow.end)
    let position = position(of: flow)
    if let position { listed[position].totals.add(flow) } else { unlistedServices.add(flow) }
    let isLarge = largestByTag[tag].wants(bytes: flow.bytes, id: flow.id)
    guard flow.isSharedFate else { return isLarge }
    sharedFateFlows &+= 1
    return isLarge || carriers.count < Self.maximumCarriers && position.map { listed[$0].hasCarrier } != true
  }

  /// Keeps a flow that was taken in, for the table.
  public mutating func keep(_ flow: FlowEvent) {
    let verdict = flow.verdict
    largestByTag[verdict.tag.place].add(flow)
    guard verdict.isSharedFate else { return }
    let carrier = Carrier(
      tag: verdict.tag, service: verdict.service ?? verdict.tag.rawValue,
      carries: verdict.carries.filter { $0.tag != verdict.tag })
    if carriers.count < Self.maximumCarriers, !carriers.contains(carrier) { carriers.append(carrier) }
    if let service = verdict.service,
      let position = positions[ServiceName(tag: verdict.tag, name: service, isKnown: true)]
    {
      listed[position].hasCarrier = true
    }
  }

  /// Where a flow's service is listed; nil where there is no room.
  private mutating func position(of flow: borrowing FlowCount) -> Int? {
    if flow.service == nil {
      let plain = Plain(tag: flow.tag.place, application: flow.application, transport: flow.transport)
      for known in positionsOfPlain where known.plain == plain { return known.position }
      let name = flow.application?.title ?? flow.transport.recordName
      guard let position = position(of: ServiceName(tag: flow.tag, name: name, isKnown: false)) else { return nil }
      if positionsOfPlain.count < Self.maximumPlain { positionsOfPlain.append((plain, position)) }
      return position
    }
    let number = Int(flow.serviceNumber) * Tag.allCases.count + flow.tag.place
    if positionsByNumber.indices.contains(number), positionsByNumber[number] > 0 {
      return Int(positionsByNumber[number]) - 1
    }
    guard let name = flow.service,
      let position = position(of: ServiceName(tag: flow.tag, name: name, isKnown: true))
    else { return nil }
    guard (0..<Self.maximumNumber).contains(number) else { return position }
    while positionsByNumber.count <= number { positionsByNumber.append(0) }
    positionsByNumber[number] = Int32(clamping: position + 1)
    return position
  }

  /// The most protocols that are found without a look at their names.
  private static let maximumPlain = 24
  /// The numbers below which services are found without a look at their names.
  private static let maximumNumber = 1 << 16

  private mutating func position(of name: ServiceName) -> Int? {
    if let known = positions[name] { return known }
    guard listed.count < Self.maximumServices else { return nil }
    positions[name] = listed.count
    listed.append(Service(name: name))
    return listed.count - 1
  }
}

extension Tag {
  /// The tag's place in a table of all tags.
  fileprivate var place: Int {
    switch self {
    case .push: 0
    case .messaging: 1
    case .calling: 2
    case .other: 3
    }
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

  /// Whether a flow is among the largest so far.
  func wants(bytes: UInt64, id: UInt64) -> Bool {
    guard flows.count == capacity, let smallest = flows.indices.last else { return capacity > 0 }
    return bytes != flows[smallest].bytes ? bytes > flows[smallest].bytes : id < flows[smallest].id
  }

  mutating func add(_ flow: FlowEvent) {
    guard wants(bytes: flow.bytes, id: flow.id) else { return }
    if flows.count == capacity { flows.removeLast() }
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
