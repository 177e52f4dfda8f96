import Bytes
import Classify

/// Calls for a person: which flows belong together, who took part, and what went through.
public struct CallOverview: Sendable {
  /// How it may look.
  public var style: TextStyle

  /// A list of calls in a style.
  public init(style: TextStyle) { self.style = style }

  /// A table of calls; nothing where there is none. `hidden` says how many more there are.
  public func lines(_ calls: [ConversationEvent], hidden: UInt64) -> [String] {
    guard !calls.isEmpty else { return [] }
    var table = TextTable([
      TextColumn(title: "call", isNumber: true, minimum: 4), TextColumn(title: "service", minimum: 10, maximum: 24),
      TextColumn(title: "start", minimum: 12, dropOrder: 2),
      TextColumn(title: "length", isNumber: true, minimum: 6),
      TextColumn(title: "media", minimum: 5, dropOrder: 3),
      TextColumn(title: "parties", minimum: 18, cut: .middle),
      TextColumn(title: "bytes", isNumber: true, minimum: 7),
      TextColumn(title: "flows", minimum: 5, maximum: 24, dropOrder: 1),
    ])
    for call in calls {
      table.rows.append([
        TextCell("\(call.id)", .faint), TextCell(printable(call.service ?? "unknown"), Paint(Tag.calling)),
        TextCell(timeOfDay(call.start), .faint), TextCell(duration(call.duration)),
        TextCell(call.media.map(printable).joined(separator: "+")), TextCell(parties(call)),
        TextCell(size(call.bytesFromClient &+ call.bytesToClient)), TextCell(flows(call), .faint),
      ])
    }
    var lines = [""] + table.lines(style)
    if hidden > 0 { lines.append(" " + style.paint("\(counted(hidden, "shorter call")) not shown", .faint)) }
    return lines
  }

  /// "alice@example.org → bob@example.org", "192.0.2.9 ⇄ 198.51.100.7", "192.0.2.9 via 203.0.113.5".
  func parties(_ call: ConversationEvent) -> String {
    if let caller = call.caller, let callee = call.callee {
      return "\(printable(caller)) \(style.arrow) \(printable(callee))"
    }
    let names = call.parties.map(\.description)
    let relays = call.relays.map(\.description).joined(separator: ", ")
    let ends: String
    if let initiator = call.initiator?.description, names.contains(initiator), names.count > 1 {
      ends = initiator + " \(style.arrow) " + names.filter { $0 != initiator }.joined(separator: ", ")
    } else {
      ends = names.joined(separator: " \(style.shared) ")
    }
    return relays.isEmpty ? ends : ends.isEmpty ? relays : "\(ends) via \(relays)"
  }

  private func flows(_ call: ConversationEvent) -> String {
    let listed = call.flows.prefix(6).map { "\($0)" }.joined(separator: " ")
    return call.flowCount > 6 ? "\(listed) and \(call.flowCount - 6)" : listed
  }
}
