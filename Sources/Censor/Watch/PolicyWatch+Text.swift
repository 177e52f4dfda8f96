import Bytes
import Classify
import Decode
public import Report

extension PolicyAct {
  /// A line for a person: "10:11:12.123  block-push-name would drop 192.0.2.9:49822 > 17.57.144.120:5223, APNs (push), by
  /// SNI suffix push.apple.com: courier.push.apple.com; with it FaceTime ringing (calling)".
  public func line(_ style: TextStyle) -> String {
    let ends = "\(Endpoint(client, clientPort)) \(style.isUnicode ? "→" : ">") \(Endpoint(server, serverPort))"
    var parts = ["\(policy) \(words) \(ends)\(transport == .tcp ? "" : "/udp")"]
    if let tag { parts.append(service.map { "\($0) (\(tag.rawValue))" } ?? tag.rawValue) }
    parts.append("by \(matcher)" + (value.isEmpty ? "" : ": \(value)"))
    var line = parts.joined(separator: ", ")
    if !carries.isEmpty { line += "; with it \(carries.map(\.name).joined(separator: ", "))" }
    if isLate { line += "; known at its end only" }
    return style.paint(timeOfDay, .faint) + "  " + printable(line)
  }

  private var timeOfDay: String {
    var buffer = RecordBuffer()
    buffer.append(time: time)
    return String(String(decoding: buffer.bytes, as: UTF8.self).dropFirst(11).prefix(12))
  }
}

extension PolicyWatch {
  /// What was counted, for a person: a paragraph a policy.
  public func summary(_ style: TextStyle) -> [String] {
    var lines = TextLines(width: style.width, bold: { style.paint($0, .heading) })
    lines.heading("What the policies would have hit")
    for count in counts {
      lines.prose(count.sentence, indent: 4)
      let carried = count.carried.map { "\($0.what.name) on \($0.flows)" }
      if !carried.isEmpty {
        lines.prose("On the same connections: \(carried.joined(separator: ", ")).", first: "    ", indent: 4)
      }
      if count.late > 0 {
        lines.prose("Of them \(count.late) known at the flow's end only.", first: "    ", indent: 4)
      }
    }
    return lines.lines
  }
}

extension PolicyCount {
  /// "block-push-name would have dropped 3 of 17 flows: APNs 3 of 3."
  fileprivate var sentence: String {
    guard flows.part > 0 else { return "\(policy.name) would have hit none of \(flows.whole) flows." }
    let services = services.map { "\($0.name) \($0.flows.part) of \($0.flows.whole)" }
    return "\(policy.name) \(policy.conditionalPerfect) \(flows.part) of \(flows.whole) flows: "
      + services.joined(separator: ", ") + "."
  }
}

extension Carried {
  /// "FaceTime ringing (calling)".
  fileprivate var name: String { "\(service) (\(tag.rawValue))" }
}
