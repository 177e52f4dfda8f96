import Bytes
import Foundation

/// Labels that a person gives: a table with tab-separated columns, of which the first line names `start`, `end` and
/// `class`, and may name `kind`, `direction` (up, down), `client`, `server` and `port`.
///
/// A record that lies between start and end, and fits what else a line says, is of the line's class; of several such
/// lines the last one counts. Times are seconds since 1970 or ISO 8601 with a zone ("2026-11-23T10:00:00.250Z").
/// Lines that begin with # and empty ones say nothing.
public struct LabelTable: Sendable {
  /// The most lines that are read.
  public static let maximumLines = 1_000_000

  /// One line.
  struct Row: Sendable {
    var start: Int64
    var end: Int64
    var messageClass: String
    var kind: String
    var isUp: Bool?
    var client: String?
    var server: String?
    var port: UInt16?

    func fits(_ record: LabelledRecord, _ flow: LabelledFlow) -> Bool {
      record.time >= start && record.time <= end && (isUp ?? record.isUp) == record.isUp
        && (port ?? flow.serverPort) == flow.serverPort
        && (client ?? flow.client.description) == flow.client.description
        && (server ?? flow.server.description) == flow.server.description
    }
  }

  private(set) var rows: [Row] = []

  /// Reads a table.
  /// - Throws: `TruthError` with the line that is wrong.
  public init(path: String) throws(TruthError) {
    let data = try readFile(path, atMost: 64 << 20)
    try self.init(text: String(decoding: data, as: UTF8.self), name: path)
  }

  init(text: String, name: String) throws(TruthError) {
    var columns: [String: Int] = [:]
    var number = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      number += 1
      let line = line.last == "\r" ? line.dropLast() : line
      guard !line.isEmpty, line.first != "#" else { continue }
      let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map { String($0) }
      if columns.isEmpty {
        for (place, cell) in cells.enumerated() { columns[cell] = place }
        for needed in ["start", "end", "class"] where columns[needed] == nil {
          throw TruthError("\(name): line \(number): no column is called \(needed); wanted are start, end and class")
        }
        continue
      }
      guard rows.count < Self.maximumLines else { throw TruthError("\(name): more than \(Self.maximumLines) lines") }
      rows.append(try Self.row(cells, columns, "\(name): line \(number)"))
    }
    guard !columns.isEmpty else { throw TruthError("\(name): is empty; its first line names the columns") }
    rows.sort { $0.start < $1.start }
  }

  private static func row(
    _ cells: [String], _ columns: [String: Int], _ place: String
  ) throws(TruthError) -> Row {
    func cell(_ name: String) -> String? {
      guard let at = columns[name], cells.indices.contains(at), !cells[at].isEmpty else { return nil }
      return cells[at]
    }
    guard let start = cell("start").flatMap(nanoseconds), let end = cell("end").flatMap(nanoseconds) else {
      throw TruthError("\(place): start and end are seconds since 1970 or times as 2026-11-23T10:00:00Z")
    }
    guard start <= end else { throw TruthError("\(place): ends before it starts") }
    guard let messageClass = cell("class") else { throw TruthError("\(place): names no class") }
    var row = Row(
      start: start, end: end, messageClass: messageClass, kind: cell("kind") ?? "", client: cell("client"),
      server: cell("server"))
    if let direction = cell("direction") {
      guard direction == "up" || direction == "down" else { throw TruthError("\(place): direction is up or down") }
      row.isUp = direction == "up"
    }
    if let port = cell("port") {
      guard let number = UInt16(port) else { throw TruthError("\(place): port is a number up to 65535") }
      row.port = number
    }
    return row
  }

  /// Nanoseconds since 1970 of a time as a person writes it; nil where it is none.
  public static func nanoseconds(_ text: String) -> Int64? {
    if let seconds = Double(text) { return Int64(exactly: (seconds * 1e9).rounded()) }
    let withParts = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    let date = (try? withParts.parse(text)) ?? (try? Date.ISO8601FormatStyle().parse(text))
    return date.flatMap { Int64(exactly: ($0.timeIntervalSince1970 * 1e9).rounded()) }
  }

  /// Labels what it has a line for.
  /// - Returns: how many records got a label.
  func label(_ records: inout [LabelledRecord], in traffic: inout LabelledTraffic) -> Int {
    var count = 0
    // Rows that are over are left behind; rows may be long, so those that have begun are all tried.
    var open: [Row] = []
    var next = 0
    let numbers = rows.map { (traffic.number(of: $0.messageClass), traffic.number(of: $0.kind)) }
    var openNumbers: [(UInt16, UInt16)] = []
    for at in records.indices {
      while next < rows.count, rows[next].start <= records[at].time {
        open.append(rows[next])
        openNumbers.append(numbers[next])
        next += 1
      }
      if open.first.map({ $0.end < records[at].time }) == true {
        let kept = open.indices.filter { open[$0].end >= records[at].time }
        (open, openNumbers) = (kept.map { open[$0] }, kept.map { openNumbers[$0] })
      }
      let flow = traffic.flow(of: records[at])
      guard let found = open.indices.last(where: { open[$0].fits(records[at], flow) }) else { continue }
      (records[at].messageClass, records[at].kind) = openNumbers[found]
      records[at].source = .file
      count += 1
    }
    return count
  }
}
