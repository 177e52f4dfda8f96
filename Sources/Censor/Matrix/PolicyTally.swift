import Bytes
import Classify

/// What one policy hit, by column.
struct PolicyTally {
  /// One column's part.
  struct Part {
    var flows: UInt64 = 0, fallenBack: UInt64 = 0, bytes: UInt64 = 0, lost: UInt64 = 0, late: UInt64 = 0
    var conversations: Set<TrafficTally.Conversation> = []
    var phones = NumberSet()
    var reasons: [String: (count: UInt64, examples: [String])] = [:]
    var carried: Set<String> = []
  }

  private var parts: [Int: Part] = [:]
  private var phones = NumberSet()
  private var flows: UInt64 = 0
  private(set) var forgotten: UInt64 = 0

  /// Counts what a capture's replay says.
  mutating func add(_ played: PolicyReplay, _ matcher: PolicyMatcher, _ trace: Trace, _ places: TrafficTally.Places) {
    forgotten &+= played.forgotten
    for (at, hit) in played.hits {
      let flow = trace.flows[at]
      let phone = places.phones[at]
      var part = parts.removeValue(forKey: places.flows[at]) ?? Part()
      note(hit, matcher, flow, &part)
      if hit.isFallenBack {
        part.fallenBack &+= 1
      } else {
        part.flows &+= 1
        flows &+= 1
        part.bytes &+= hit.state.bytesHit
        part.phones.insert(phone)
        phones.insert(phone)
        if let number = flow.conversation {
          part.conversations.insert(TrafficTally.Conversation(capture: places.capture, number: number))
        }
      }
      part.carried.formUnion(flow.carries.map(\.service))
      parts[places.flows[at]] = part
    }
    for at in played.played {
      guard let column = places.messages[at] else { continue }
      let fate = played.fates[at] ?? MessageFate(delay: nil)
      guard fate.isLost || fate.isLate else { continue }
      let flow = Int(trace.messages[at].flow)
      let phone = places.phones[flow]
      var part = parts.removeValue(forKey: column) ?? Part()
      if fate.isLost { part.lost &+= 1 } else { part.late &+= 1 }
      part.phones.insert(phone)
      phones.insert(phone)
      if let hit = played.hits[flow] {
        note(hit, matcher, trace.flows[flow], &part)
      } else {
        noteReason("its phone's connection, cut before", "", &part)
      }
      parts[column] = part
    }
  }

  private func note(_ hit: PolicyReplay.Hit, _ matcher: PolicyMatcher, _ flow: FlowSight, _ part: inout Part) {
    switch hit.cause {
    case .match:
      let leaf = hit.match?.leaf ?? 0
      let words = matcher.leaves.indices.contains(leaf) ? matcher.leaves[leaf].words : ""
      noteReason(words, hit.match?.value ?? "", &part)
    case .residual: noteReason("still blocked after an earlier hit", "\(flow.server) port \(flow.serverPort)", &part)
    case .list: noteReason("address and port listed after recognition", "\(flow.server) port \(flow.serverPort)", &part)
    case .poison: noteReason("its name's DNS answer was poisoned", flow.learntNames.first ?? "", &part)
    }
  }

  private func noteReason(_ words: String, _ value: String, _ part: inout Part) {
    var reason = part.reasons[words] ?? (0, [])
    reason.count &+= 1
    if !value.isEmpty, reason.examples.count < Cell.Reason.maximumExamples, !reason.examples.contains(value) {
      reason.examples.append(value)
    }
    part.reasons[words] = reason
  }

  /// The policy's row of the matrix.
  func result(
    _ number: Int, _ policy: Policy, _ order: [(column: Column, parts: [Int])], _ traffic: TrafficTally
  ) -> PolicyResult {
    var result = PolicyResult(policy: number, cells: order.map { cell($0.parts, $0.column, traffic) })
    shareReasons(&result.cells, order)
    result.flows = Share(flows, of: traffic.flows)
    result.phones = Share(UInt64(phones.count), of: UInt64(traffic.phones))
    let columns = order.map(\.column)
    let hasMessages = columns.contains { $0.kind == .messages }
    var (target, collateral): ([Double], [Double]) = ([], [])
    for (cell, column) in zip(result.cells, columns) {
      guard let hit = cell.hit else { continue }
      if policy.target.contains(column.key) || policy.target.contains(column.group) {
        target.append(hit)
      } else if !(hasMessages && ColumnTable.isCarrier(column.key)) {
        collateral.append(hit)
      }
    }
    result.target = target.isEmpty ? nil : target.reduce(0, +) / Double(target.count)
    result.collateral = collateral.isEmpty ? nil : collateral.reduce(0, +) / Double(collateral.count)
    result.notificationsPerIMessage = notificationsPerIMessage(result.cells, columns)
    if flows == 0, !result.cells.contains(where: { ($0.hit ?? 0) > 0 || $0.fallenBack > 0 }) {
      result.notes.append("nothing in this traffic meets it")
    }
    return result
  }

  private func notificationsPerIMessage(_ cells: [Cell], _ columns: [Column]) -> Double? {
    var (notifications, messages): (UInt64, UInt64) = (0, 0)
    var hasNotifications = false
    for (cell, column) in zip(cells, columns) {
      if column.key == "notifications" {
        hasNotifications = true
        notifications += cell.lost.part + cell.late.part
      } else if column.key == "imessage-sent" || column.key == "imessage-received" {
        messages += cell.lost.part + cell.late.part
      }
    }
    return hasNotifications && messages > 0 ? Double(notifications) / Double(messages) : nil
  }

  private func cell(_ numbers: [Int], _ column: Column, _ traffic: TrafficTally) -> Cell {
    var cell = Cell()
    var reasons: [String: (count: UInt64, examples: [String])] = [:]
    var (phones, allPhones) = (NumberSet(), NumberSet())
    var trueFlows: UInt64 = 0
    for number in numbers {
      let whole = traffic.wholes[number]
      let part = parts[number] ?? Part()
      cell.flows.part &+= part.flows
      cell.flows.whole &+= whole.flows
      cell.fallenBack &+= part.fallenBack
      cell.bytes.part &+= part.bytes
      cell.bytes.whole &+= whole.bytes
      cell.conversations.part &+= UInt64(part.conversations.count)
      cell.conversations.whole &+= UInt64(whole.conversations.count)
      cell.lost.part &+= part.lost
      cell.late.part &+= part.late
      cell.lost.whole &+= whole.messages
      cell.late.whole &+= whole.messages
      phones.formUnion(part.phones)
      allPhones.formUnion(whole.phones)
      trueFlows &+= whole.trueFlows
      for (words, reason) in part.reasons {
        var sum = reasons[words] ?? (0, [])
        sum.count &+= reason.count
        sum.examples += reason.examples.filter { !sum.examples.contains($0) }
        reasons[words] = sum
      }
      cell.sharedWith += part.carried.sorted().filter { !cell.sharedWith.contains($0) }
    }
    cell.phones = Share(UInt64(phones.count), of: UInt64(allPhones.count))
    cell.reasons = reasons.map {
      Cell.Reason(
        matcher: $0.key, count: $0.value.count,
        examples: Array($0.value.examples.sorted().prefix(Cell.Reason.maximumExamples)))
    }.sorted { ($1.count, $0.matcher) < ($0.count, $1.matcher) }
    switch column.kind {
    case .messages: cell.basis = cell.lost.whole > 0 ? .messages : nil
    case .flows: cell.basis = cell.flows.whole == 0 ? nil : trueFlows == cell.flows.whole ? .truth : .verdict
    }
    return cell
  }

  /// Says of each cell which other columns the same matcher hits.
  private func shareReasons(_ cells: inout [Cell], _ order: [(column: Column, parts: [Int])]) {
    var columnsOf: [String: [String]] = [:]
    for (cell, entry) in zip(cells, order) {
      for reason in cell.reasons { columnsOf[reason.matcher, default: []].append(entry.column.name) }
    }
    for at in cells.indices {
      for reason in cells[at].reasons {
        for name in columnsOf[reason.matcher] ?? []
        where name != order[at].column.name && !cells[at].sharedWith.contains(name) {
          cells[at].sharedWith.append(name)
        }
      }
    }
  }
}
