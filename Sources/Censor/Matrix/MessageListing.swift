import Bytes
import Report

/// The fate of every message under every policy, as CSV: what a comparison with a measurement needs. Used from one thread.
public final class MessageListing {
  /// The most rows that are kept.
  public static let maximumRows = 10_000_000

  /// The first line.
  public static let header =
    "policy,capture,time,flow,client,client_port,server,server_port,direction,class,kind,content,fate,delay_s,source"

  private var buffer = RecordBuffer()
  private var rows = 0
  /// Rows beyond the most.
  public private(set) var notKept = 0

  /// A listing of nothing.
  public init() { buffer.append(Self.header + "\n") }

  /// Adds a row.
  public func add(_ row: CollateralMaker.ListedMessage) {
    guard rows < Self.maximumRows else {
      notKept += 1
      return
    }
    rows += 1
    field(row.policy)
    field(row.capture)
    buffer.append(time: row.message.time)
    buffer.append(",\(row.flow.id),")
    field(row.flow.client.description)
    buffer.append("\(row.flow.clientPort),")
    field(row.flow.server.description)
    buffer.append("\(row.flow.serverPort),\(row.message.isUp ? "up" : "down"),")
    field(row.message.messageClass)
    field(row.message.kind)
    buffer.append(row.message.isContent ? "true," : "false,")
    buffer.append(row.fate.isLost ? "lost," : row.fate.isLate ? "late," : "delivered,")
    if let delay = row.fate.delay { buffer.append("\((delay * 1e6).rounded() / 1e6)") }
    buffer.append(",\(row.message.source)\n")
  }

  private func field(_ text: String) {
    buffer.append(csvField: text)
    buffer.append(",")
  }

  /// All rows.
  public var text: String { String(decoding: buffer.bytes, as: UTF8.self) }
}
