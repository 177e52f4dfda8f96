import Foundation
import Testing

@testable import Classify

@Suite struct CalibrationTests {
  @Test func shippedTableRises() throws {
    let table = try shipped.get().calibration
    #expect(!table.origin.isEmpty)
    for knots in [table.other, table.named] {
      #expect(knots.count > 1)
      for (a, b) in zip(knots, knots.dropFirst()) { #expect(a.margin < b.margin && a.confidence <= b.confidence) }
    }
    for tag in Classify.Tag.allCases {
      var last = 0.0
      for step in -200...400 {
        let confidence = table.confidence(of: tag, margin: Double(step) / 10)
        #expect(confidence >= last && confidence > 0 && confidence < 1)
        last = confidence
      }
    }
    #expect((0...1).contains(table.confidence(of: .push, margin: .nan)))
    #expect(table.confidence(of: .push, margin: .infinity) == table.named.last?.confidence)
    #expect(table.confidence(of: .other, margin: -.infinity) == table.other.first?.confidence)
  }

  @Test func liesOnTheLineBetweenKnots() throws {
    let table = try Calibration(
      parsing: """
        origin: test
        other: [{margin: 0, confidence: 0.5}, {margin: 4, confidence: 0.9}]
        named: [{margin: 1, confidence: 0.6}]
        """, file: "t.yaml")
    #expect(abs(table.confidence(of: .other, margin: 1) - 0.6) < 1e-9)
    #expect(table.confidence(of: .other, margin: -3) == 0.5)
    #expect(table.confidence(of: .other, margin: 9) == 0.9)
    #expect(table.confidence(of: .calling, margin: 1) == 0.6)
    #expect(Calibration().confidence(of: .push, margin: 3) == 0.5)
  }

  @Test(arguments: [
    ("[]", "is no calibration table"), ("origin: x", "`other` has no knots"),
    ("other: [{margin: 0, confidence: 2}]", "a knot needs"), ("other: [{margin: a, confidence: 0}]", "a knot needs"),
    ("other: [{margin: 1, confidence: 0.5}, {margin: 1, confidence: 0.6}]", "must rise"),
    ("other: [{margin: 1, confidence: 0.5}, {margin: 2, confidence: 0.4}]", "must rise"),
    ("other: [", "is not YAML"),
  ])
  func refuses(_ text: String, _ says: String) {
    let error = #expect(throws: CatalogueError.self) { try Calibration(parsing: text, file: "t.yaml") }
    #expect(error?.description.contains(says) == true, "\(String(describing: error))")
  }

  /// `tools/calibrate` on made-up flows whose truth is known: right with probability 1 - 2^-(1 + margin).
  @Test func toolFindsTheLineOfSyntheticFlows() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let python = "/usr/bin/python3"
    guard FileManager.default.isExecutableFile(atPath: python) else {
      FileHandle.standardError.write(Data("SKIPPED: no python3 here to run tools/calibrate\n".utf8))
      return
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "wiretag-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }

    var dice = Dice(21)
    var labels = "file\tproto\tip_a\tport_a\tip_b\tport_b\ttag\tservice\tbasis\n"
    var records = "not json\n{\"event_type\":\"stats\"}\n"
    for file in 0..<60 {
      for flow in 0..<20 {
        let margin = Double(Int.random(in: 0...6, using: &dice))
        let isRight = Double.random(in: 0..<1, using: &dice) < 1 - pow(2, -(1 + margin))
        let said = flow % 2 == 0 ? "push" : "other"
        let truth = isRight ? said : "messaging"
        labels += "c/\(file).pcap\tTCP\t10.0.0.1\t\(1000 + flow)\t10.0.0.2\t443\t\(truth)\ts\(flow)\tmade up\n"
        records +=
          "{\"event_type\":\"flow\",\"capture\":\"\(file).pcap\",\"proto\":\"TCP\",\"src_ip\":\"10.0.0.2\","
          + "\"src_port\":443,\"dest_ip\":\"10.0.0.1\",\"dest_port\":\(1000 + flow),\"tag\":\"\(said)\","
          + "\"confidence\":0.5,\"margin\":\(margin),\"flow\":{\"pkts_toserver\":3}}\n"
      }
    }
    labels += "c/0.pcap\tTCP\t10.0.0.1\t9\t10.0.0.2\t443\t?\tunknown\tmade up\n"
    try labels.write(to: folder.appending(path: "labels.tsv"), atomically: true, encoding: .utf8)
    let recordFile = folder.appending(path: "r.jsonl")
    try records.write(to: recordFile, atomically: true, encoding: .utf8)
    let output = folder.appending(path: "calibration.yaml")

    let tool = Process()
    tool.executableURL = URL(filePath: python)
    tool.arguments = [
      root.appending(path: "tools/calibrate").path, "--corpus", folder.path, "--output", output.path, "--records",
      recordFile.path,
    ]
    let pipe = Pipe()
    tool.standardOutput = pipe
    try tool.run()
    let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    tool.waitUntilExit()
    #expect(tool.terminationStatus == 0)
    #expect(said.contains("Brier") && said.contains("cross-validated"))

    let table = try Calibration(parsing: String(contentsOf: output, encoding: .utf8), file: "calibration.yaml")
    for margin in 0...6 {
      let truth = 1 - pow(2, -(1 + Double(margin)))
      for tag in [Classify.Tag.push, .other] {
        #expect(abs(table.confidence(of: tag, margin: Double(margin)) - truth) < 0.1, "\(tag) at \(margin)")
      }
    }
    #expect(table.origin.contains("1200 labelled flows"))
  }
}
