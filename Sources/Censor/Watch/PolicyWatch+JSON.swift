import Bytes
import Classify
import Decode
import Report

extension PolicyAct {
  /// The `policy` object of the record format, with its line feed. What is not known is absent.
  public func json() -> [UInt8] {
    var buffer = RecordBuffer()
    buffer.append(UInt8(ascii: "{"))
    buffer.member("event_type", "policy")
    buffer.member("timestamp", time: time)
    buffer.member("policy", policy)
    buffer.member("action", action)
    buffer.member("cause", cause.rawValue)
    buffer.member("flow_id", flow)
    buffer.member("src_ip", client.description)
    buffer.member("src_port", clientPort)
    buffer.member("dest_ip", server.description)
    buffer.member("dest_port", serverPort)
    buffer.member("proto", transport == .tcp ? "TCP" : "UDP")
    buffer.member("tag", tag?.rawValue)
    buffer.member("service", service)
    buffer.carries(carries.map { ($0, nil) })
    buffer.member("matcher", matcher)
    if !value.isEmpty { buffer.member("value", value) }
    buffer.member("packet", packet)
    if let knownAt { buffer.member("known_at_packet", knownAt) }
    if isLate {
      buffer.key("late")
      buffer.append("true")
    }
    buffer.append(UInt8(ascii: "}"))
    buffer.append(UInt8(ascii: "\n"))
    return buffer.bytes
  }
}

extension PolicyWatch {
  /// The closing `stats` object with the member `policies` at its end.
  /// - Parameter stats: the object as the analysis gives it, with its line feed.
  /// - Returns: the object with that member, and its line feed.
  public func adding(to stats: [UInt8]) -> [UInt8] {
    var buffer = RecordBuffer()
    // Without its brace and line feed, so that a further member may follow.
    buffer.append(Array(stats.dropLast(2)))
    buffer.objects("policies", counts) { count, buffer in
      buffer.member("policy", count.policy.name)
      buffer.member("action", count.policy.actionWord)
      buffer.member("flows", count.flows.whole)
      buffer.member("flows_hit", count.flows.part)
      buffer.member("late", count.late)
      buffer.objects("services", count.services) { service, buffer in
        buffer.member("service", service.name)
        buffer.member("flows", service.flows.whole)
        buffer.member("flows_hit", service.flows.part)
      }
      buffer.carries(count.carried.map { ($0.what, $0.flows) })
    }
    buffer.append(UInt8(ascii: "}"))
    buffer.append(UInt8(ascii: "\n"))
    return buffer.bytes
  }
}

extension RecordBuffer {
  fileprivate mutating func carries(_ carried: [(what: Carried, flows: UInt64?)]) {
    objects("carries", carried) { entry, buffer in
      buffer.member("tag", entry.what.tag.rawValue)
      buffer.member("service", entry.what.service)
      if let flows = entry.flows { buffer.member("flows_hit", flows) }
    }
  }
}
