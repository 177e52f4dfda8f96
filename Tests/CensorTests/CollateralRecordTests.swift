import Foundation
import Testing

@testable import Censor

/// What programs read of a matrix; all of these matrices are made up.
@Suite("Records of the collateral matrix")
struct CollateralRecordTests {
  struct ReadShare: Decodable, Equatable {
    var part: UInt64, whole: UInt64, value: Double?
  }
  struct ReadReason: Decodable {
    var matcher: String, count: UInt64, examples: [String]
  }
  struct ReadCell: Decodable {
    var basis: String?, hit: Double?, fallenBack: UInt64
    var flows: ReadShare, conversations: ReadShare, bytes: ReadShare, lost: ReadShare, late: ReadShare,
      phones: ReadShare
    var reasons: [ReadReason], sharedWith: [String]
  }
  struct ReadResult: Decodable {
    var target: Double?, collateral: Double?, notificationsPerImessage: Double?
    var phones: ReadShare, flows: ReadShare, notes: [String], cells: [String: ReadCell]
  }
  struct ReadPolicy: Decodable {
    var name: String, title: String, about: String, group: String, target: [String], source: String, date: String
    var standing: String, fact: String?, result: ReadResult?
  }
  struct ReadPoint: Decodable {
    var policy: String, hit: Double, collateral: Double, isBest: Bool
  }
  struct ReadFrontier: Decodable {
    var target: String, points: [ReadPoint]
  }
  struct ReadTraffic: Decodable {
    var captures: [String], flows: UInt64, packets: UInt64, bytes: UInt64, messages: UInt64, phones: UInt64
  }
  struct ReadColumn: Decodable {
    var key: String, name: String, group: String, kind: String
  }
  struct ReadMatrix: Decodable {
    var schema: String, command: String, traffic: ReadTraffic, columns: [ReadColumn], policies: [ReadPolicy]
    var frontiers: [ReadFrontier], assumptions: [String], notices: [String]
  }

  static func read(_ json: [UInt8]) throws -> ReadMatrix {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try decoder.decode(ReadMatrix.self, from: Data(json))
  }

  @Test("JSON holds every cell, with hostile names unharmed")
  func json() throws {
    for (name, matrix) in CollateralOutputTests.all {
      let json = matrix.json()
      #expect(json == matrix.json(), "the order of keys is fixed")
      #expect(json.filter { $0 == 0x0A }.count == 1 && json.last == 0x0A, "one line")
      let read = try Self.read(json)
      #expect(read.columns.map(\.name) == matrix.columns.map(\.name), "\(name)")
      #expect(read.policies.map(\.name) == matrix.policies.map(\.name), "\(name)")
      #expect(read.traffic.captures == matrix.captures)
      #expect(read.notices == matrix.notices)
      for (policy, result) in zip(read.policies, matrix.results) {
        let cells = try #require(policy.result).cells
        #expect(cells.count == Set(matrix.columns.map(\.key)).count)
        for (column, cell) in zip(matrix.columns, result.cells) {
          let found = try #require(cells[column.key])
          #expect(found.basis == cell.basis?.rawValue)
          #expect(found.flows.part == cell.flows.part && found.flows.whole == cell.flows.whole)
          #expect(found.lost.part == cell.lost.part && found.fallenBack == cell.fallenBack)
          #expect((found.flows.value == nil) == (cell.flows.whole == 0), "nothing is no share")
          #expect(found.reasons.map(\.examples) == cell.reasons.map(\.examples))
          #expect(found.sharedWith == cell.sharedWith)
          guard let hit = cell.hit else {
            #expect(found.hit == nil)
            continue
          }
          #expect(abs((found.hit ?? -1) - hit) < 1e-6)
        }
      }
    }
  }

  @Test("A policy without a result has null for one")
  func withoutResult() throws {
    var matrix = CollateralMock.full()
    matrix.results.removeFirst()
    let read = try Self.read(matrix.json())
    #expect(read.policies.first?.result == nil)
    #expect(read.policies.dropFirst().allSatisfy { $0.result != nil })
  }

  @Test("Comma-separated values have a line a policy and column, and as many fields everywhere")
  func csv() throws {
    for (name, matrix) in CollateralOutputTests.all {
      let text = String(decoding: matrix.csv(), as: UTF8.self)
      let lines = try Self.parsed(text)
      #expect(lines.first == Collateral.csvColumns)
      #expect(lines.count == 1 + matrix.results.count * matrix.columns.count, "\(name)")
      #expect(lines.allSatisfy { $0.count == Collateral.csvColumns.count }, "\(name)")
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\r" && $0 != "\n" })
      #expect(!lines.joined().contains { $0.hasPrefix("=") || $0.hasPrefix("@") }, "no field is a formula")
    }
    let lines = try Self.parsed(String(decoding: CollateralMock.full().csv(), as: UTF8.self))
    let fields = try #require(lines.first { $0[0] == "record-shape" && $0[4] == "notifications" })
    let row = Dictionary(uniqueKeysWithValues: zip(Collateral.csvColumns, fields))
    // 31 % of 2,610 is 809.1 messages, 18.6 % of it lost: 485.5.
    #expect(row["messages_lost"] == "485" && row["messages_late"] == "324" && row["messages"] == "2610")
    #expect(row["hit"] == "0.309962")
    #expect(row["is_target"] == "false" && row["basis"] == "messages")
    #expect(row["shared_with"] == "iMessage, sent; iMessage, received; FaceTime, ringing; APNs")
  }

  /// RFC 4180, 2: lines end with CR LF, fields may stand in quotes, and a quote in them is doubled.
  private static func parsed(_ text: String) throws -> [[String]] {
    var lines: [[String]] = []
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    let scalars = Array(text.unicodeScalars)
    var at = 0
    while at < scalars.count {
      let scalar = scalars[at]
      at += 1
      if isQuoted {
        guard scalar == "\"" else {
          field.unicodeScalars.append(scalar)
          continue
        }
        if at < scalars.count, scalars[at] == "\"" {
          field += "\""
          at += 1
        } else {
          isQuoted = false
        }
      } else if scalar == "\"" {
        try #require(field.isEmpty, "a quote stands first")
        isQuoted = true
      } else if scalar == "," {
        fields.append(field)
        field = ""
      } else if scalar == "\r" {
        try #require(at < scalars.count && scalars[at] == "\n")
        at += 1
        lines.append(fields + [field])
        fields = []
        field = ""
      } else {
        field.unicodeScalars.append(scalar)
      }
    }
    try #require(fields.isEmpty && field.isEmpty && !isQuoted)
    return lines
  }
}
