import Bytes
import Courier
import Protocols
public import Report

/// Courier messages for a person and for programs. Text, handles and tokens are in neither.
public struct CourierText {
  private let style: TextStyle

  /// A listing in a style.
  public init(style: TextStyle) { self.style = style }

  /// A connection's title and a line for each message.
  public func lines(_ connection: CourierListing, names: Bool) -> [String] {
    let ends =
      "\(endpoint(connection.client, connection.clientPort)) > \(endpoint(connection.server, connection.serverPort))"
    let details = [
      names ? connection.capture : nil, connection.tlsVersion.map { TLSVersion(rawValue: $0).name },
      connection.framing == "pack" ? "packed framing" : "older framing (TLV)",
      "\(connection.messages.count) messages",
    ].compactMap { $0 }.joined(separator: ", ")
    var lines = [style.paint(printable(ends), .heading), style.paint(" " + printable(details), .faint)]
    for sentence in connection.damage { lines.append(style.paint(" \(sentence)", .warning)) }
    var table = TextTable([
      TextColumn(title: "s", isNumber: true), TextColumn(title: ""), TextColumn(title: "record", isNumber: true),
      TextColumn(title: "bytes", isNumber: true, dropOrder: 3), TextColumn(title: "kind", minimum: 23),
      TextColumn(title: "command", minimum: 8, dropOrder: 1), TextColumn(title: "topic", minimum: 12, cut: .start),
      TextColumn(title: "", minimum: 6, dropOrder: 2),
    ])
    let start = connection.messages.first?.time ?? 0
    for timed in connection.messages { table.rows.append(row(timed, connection, since: start)) }
    return lines + table.lines(style)
  }

  private func row(_ timed: TimedCourierMessage, _ connection: CourierListing, since start: Int64) -> [TextCell] {
    let message = timed.message
    let isUp = message.side == .client
    let records = isUp ? connection.recordsToServer : connection.recordsToClient
    let size = (message.firstRecord...max(message.firstRecord, message.lastRecord)).reduce(0) {
      $0 + (records[$1] ?? 0)
    }
    var marks: [String] = []
    if let devices = message.devices { marks.append("\(devices) device\(devices == 1 ? "" : "s")") }
    if message.isFromStorage { marks.append("stored") }
    if let status = message.status, status != 0 { marks.append("status \(status)") }
    if message.isIncomplete { marks.append("caches not seen") }
    return [
      TextCell(seconds(timed.time &- start), .faint), TextCell(isUp ? "up" : "down"), TextCell("\(size)"),
      TextCell("\(message.length)", .faint), TextCell(message.kind, paint(message.messageClass)),
      TextCell(message.commandName, .faint),
      TextCell(printable(message.topic.map { $0.name ?? $0.hash.description } ?? "")),
      TextCell(marks.joined(separator: ", "), .faint),
    ]
  }

  private func paint(_ messageClass: String) -> Paint {
    switch messageClass {
    case "notification": .push
    case "imessage": .messaging
    case "facetime": .calling
    default: .plain
    }
  }

  private func seconds(_ nanoseconds: Int64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    let rest = String(milliseconds % 1000)
    return "\(milliseconds / 1000).\(String(repeating: "0", count: max(0, 3 - rest.count)))\(rest)"
  }

  private func endpoint(_ address: IPAddress, _ port: UInt16) -> String {
    address.isV4 ? "\(address):\(port)" : "[\(address)]:\(port)"
  }

  /// One JSON object a message, a line each; names as in Suricata's EVE where it has one.
  public func json(_ connection: CourierListing, names: Bool) -> [UInt8] {
    var buffer = RecordBuffer()
    for timed in connection.messages {
      let message = timed.message
      let isUp = message.side == .client
      let records = isUp ? connection.recordsToServer : connection.recordsToClient
      let numbers = Array(message.firstRecord...max(message.firstRecord, message.lastRecord))
      buffer.append(UInt8(ascii: "{"))
      buffer.member("event_type", "courier")
      buffer.member("timestamp", time: timed.time)
      if names { buffer.member("capture", connection.capture) }
      buffer.member("src_ip", connection.client.description)
      buffer.member("src_port", connection.clientPort)
      buffer.member("dest_ip", connection.server.description)
      buffer.member("dest_port", connection.serverPort)
      buffer.member("proto", "TCP")
      buffer.member("direction", isUp ? "to_server" : "to_client")
      buffer.member("framing", connection.framing)
      buffer.member("command", message.command)
      buffer.member("command_name", message.commandName)
      buffer.member("class", message.messageClass)
      buffer.member("kind", message.kind)
      buffer.member("topic", message.topic?.name)
      buffer.member("topic_hash", message.topic?.hash.description)
      buffer.member("plaintext", message.length)
      if let length = message.payloadLength { buffer.member("payload", length) }
      buffer.member("records", numbers)
      buffer.member("record_sizes", numbers.compactMap { records[$0] })
      if let id = message.messageID { buffer.member("message", id) }
      if let command = message.idsCommand { buffer.member("ids_command", command) }
      if let devices = message.devices { buffer.member("devices", devices) }
      if let status = message.status { buffer.member("status", status) }
      if message.isFromStorage { buffer.member("stored", 1) }
      buffer.append("}\n")
    }
    return buffer.bytes
  }
}

extension TLSVersion {
  /// The version's name; its number where it has none.
  fileprivate var name: String {
    switch self {
    case .tls12: "TLS 1.2"
    case .tls13: "TLS 1.3"
    default: "TLS 0x\(String(rawValue, radix: 16))"
    }
  }
}
