import Bytes
import Classify

/// What all captures held, by column: the wholes of which policies hit a part.
struct TrafficTally {
  /// A client's address in a capture.
  struct Phone: Hashable {
    var capture: Int
    var client: IPAddress
  }

  /// A group of flows in a capture.
  struct Conversation: Hashable {
    var capture: Int
    var number: UInt64
  }

  /// One column's whole.
  struct Whole {
    var column: Column
    var flows: UInt64 = 0, bytes: UInt64 = 0, messages: UInt64 = 0
    var trueFlows: UInt64 = 0
    var conversations: Set<Conversation> = []
    var phones = NumberSet()
  }

  /// Where a capture's flows and messages belong.
  struct Places {
    var capture: Int
    /// Column of each flow, and the columns of each message.
    var flows: [Int]
    var messages: [Int?]
    /// The phone of each flow.
    var phones: [Int]
  }

  private(set) var captures: [String] = []
  private(set) var wholes: [Whole] = []
  private(set) var flows: UInt64 = 0, packets: UInt64 = 0, bytes: UInt64 = 0, messages: UInt64 = 0
  /// Clients of all captures.
  var phones: Int { phoneNumbers.count }
  private(set) var packetsNotKept = 0
  private(set) var services: Set<String> = [], applications: Set<String> = []
  private var numbers: [String: Int] = [:]
  private var columnOfService: [String: Int] = [:]
  private var phoneNumbers: [Phone: Int] = [:]

  /// Counts a capture.
  mutating func add(_ trace: Trace, _ index: TraceIndex) -> Places {
    let capture = captures.count
    captures.append(trace.name)
    flows &+= UInt64(trace.flows.count)
    packets &+= UInt64(trace.packets.count)
    packetsNotKept += trace.packetsNotKept
    var places = Places(capture: capture, flows: [], messages: [], phones: [])
    places.flows.reserveCapacity(trace.flows.count)
    for flow in trace.flows {
      let (service, isTrue) = ColumnTable.service(of: flow)
      let column = columnOfService[service] ?? addService(service, (isTrue ? flow.trueTag : nil) ?? flow.tag.rawValue)
      places.flows.append(column)
      let phone = number(Phone(capture: capture, client: flow.client))
      places.phones.append(phone)
      if let service = flow.service { services.insert(service) }
      if let application = flow.application { applications.insert(application) }
      bytes &+= flow.bytes
      wholes[column].flows &+= 1
      wholes[column].bytes &+= flow.bytes
      if isTrue { wholes[column].trueFlows &+= 1 }
      wholes[column].phones.insert(phone)
      if let number = flow.conversation {
        wholes[column].conversations.insert(Conversation(capture: capture, number: number))
      }
    }
    let played = Set(index.phones.flatMap(\.flows))
    for message in trace.messages {
      var column: Int?
      if played.contains(Int(message.flow)),
        let found = ColumnTable.messageColumns.first(where: { $0.holds(message) })
      {
        column = place(found.column.key) { found.column }
      }
      places.messages.append(column)
      guard let column else { continue }
      messages &+= 1
      wholes[column].messages &+= 1
      wholes[column].phones.insert(places.phones[Int(message.flow)])
    }
    return places
  }

  private mutating func addService(_ service: String, _ tag: String) -> Int {
    let key = ColumnTable.key(service)
    let column = place(key) {
      Column(key: key, name: service, group: ColumnTable.group(tag), kind: .flows)
    }
    columnOfService[service] = column
    return column
  }

  private mutating func number(_ phone: Phone) -> Int {
    let number = phoneNumbers[phone] ?? phoneNumbers.count
    phoneNumbers[phone] = number
    return number
  }

  private mutating func place(_ key: String, _ column: () -> Column) -> Int {
    if let number = numbers[key] { return number }
    numbers[key] = wholes.count
    wholes.append(Whole(column: column()))
    return wholes.count - 1
  }

  /// The columns as they are shown, each with the numbers of those that it stands for.
  func order() -> [(column: Column, parts: [Int])] {
    var shown: [(column: Column, parts: [Int])] = []
    for message in ColumnTable.messageColumns {
      if let number = numbers[message.column.key] { shown.append((message.column, [number])) }
    }
    let rest = wholes.indices.filter { wholes[$0].column.kind == .flows }
    for group in ["push", "messaging", "calling"] {
      let own = rest.filter { wholes[$0].column.group == group }
      for number in own.sorted(by: { isBefore($0, $1) }) { shown.append((wholes[number].column, [number])) }
    }
    let others = rest.filter { wholes[$0].column.group == "other" }.sorted(by: { isBefore($0, $1) })
    let isFew = others.count <= ColumnTable.maximumOthers + 1
    for number in others.prefix(isFew ? others.count : ColumnTable.maximumOthers) {
      shown.append((wholes[number].column, [number]))
    }
    if !isFew { shown.append((ColumnTable.rest, Array(others.dropFirst(ColumnTable.maximumOthers)))) }
    return shown
  }

  private func isBefore(_ a: Int, _ b: Int) -> Bool {
    (wholes[b].flows, wholes[a].column.name) < (wholes[a].flows, wholes[b].column.name)
  }
}
