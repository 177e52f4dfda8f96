import Bytes

/// Which messages end in which packets, and which connections are one phone's: worked out once a trace.
struct TraceIndex {
  /// A phone's connections that carry messages which truth knows.
  struct Phone {
    var client: IPAddress
    /// Indices into `Trace.flows`, by their first packets.
    var flows: [Int] = []
    /// Indices into `Trace.packets`, by time.
    var packets: [Int] = []
    /// What comes before the first message that is not the connection's own, the least of its flows.
    var handshake = SessionRule.Carried()
  }

  /// Phones with messages, by address.
  let phones: [Phone]
  /// The flows in short, by their index in the trace.
  let outlines: [FlowOutline]
  /// The last packet's time.
  let end: Int64
  private let messagesOf: [Int32: [Int]]
  private let kindsOf: [Int32: [String]]

  init(_ trace: Trace) {
    end = trace.packets.last?.time ?? 0
    outlines = trace.flows.map { FlowOutline($0) }
    var messagesOf: [Int32: [Int]] = [:]
    var kindsOf: [Int32: [String]] = [:]
    var flows: Set<Int> = []
    for (at, message) in trace.messages.enumerated() {
      guard let found = trace.packet(of: message.flow, isUp: message.isUp, at: message.time) else { continue }
      let packet = Int32(truncatingIfNeeded: found)
      messagesOf[packet, default: []].append(at)
      kindsOf[packet, default: []] += [message.kind, message.messageClass]
      flows.insert(Int(message.flow))
    }
    self.messagesOf = messagesOf
    self.kindsOf = kindsOf
    phones = Self.phones(trace, flows.filter { Self.isCourier($0, trace) }, messagesOf)
  }

  /// Messages that end in a packet: indices into `Trace.messages`.
  func messages(_ packet: Int) -> [Int] { messagesOf[Int32(truncatingIfNeeded: packet)] ?? [] }
  /// Kinds and classes of the messages that end in a packet.
  func kinds(_ packet: Int) -> [String] { kindsOf.isEmpty ? [] : kindsOf[Int32(truncatingIfNeeded: packet)] ?? [] }

  /// Messages of other services have no model of what happens when they are cut.
  private static func isCourier(_ flow: Int, _ trace: Trace) -> Bool {
    trace.flows.indices.contains(flow) && trace.flows[flow].service == "APNs"
  }

  private static func phones(_ trace: Trace, _ flows: Set<Int>, _ messages: [Int32: [Int]]) -> [Phone] {
    var places: [IPAddress: Int] = [:]
    var phones: [Phone] = []
    var phoneOf = [Int32](repeating: -1, count: trace.flows.count)
    for flow in flows.sorted() {
      let client = trace.flows[flow].client
      let place = places[client] ?? phones.count
      if place == phones.count { phones.append(Phone(client: client)) }
      places[client] = place
      phones[place].flows.append(flow)
      phoneOf[flow] = Int32(truncatingIfNeeded: place)
    }
    guard !phones.isEmpty else { return [] }
    var before = [SessionRule.Carried](repeating: SessionRule.Carried(), count: trace.flows.count)
    var isUnderWay = [Bool](repeating: false, count: trace.flows.count)
    for (at, packet) in trace.packets.enumerated() {
      let flow = Int(packet.flow)
      guard phoneOf[flow] >= 0 else { continue }
      phones[Int(phoneOf[flow])].packets.append(at)
      let isOwn = messages[Int32(truncatingIfNeeded: at)]?.allSatisfy { trace.messages[$0].messageClass == "courier" }
      if isOwn == false { isUnderWay[flow] = true }
      if !isUnderWay[flow] { before[flow].add(packet) }
    }
    for place in phones.indices {
      let least = phones[place].flows.map { before[$0] }.min { $0.bytes < $1.bytes }
      phones[place].handshake = least ?? SessionRule.Carried()
    }
    return phones
  }
}
