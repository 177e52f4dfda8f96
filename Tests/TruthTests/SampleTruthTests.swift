import Bytes
import Capture
import Classify
import Courier
import Engine
import Foundation
import Protocols
import Report
import Testing

@testable import Truth

/// The samples bring their secrets and, beside them, what their maker ran. Decryption knows nothing of the latter.
@Suite("Decrypted samples are what their makers say")
struct SampleTruthTests {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "captures")
  static let samples = ((try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? [])
    .filter { $0.hasSuffix(".pcapng") }.sorted()

  static func reader(_ sample: String, folder: URL = folder) throws -> TrafficReader {
    var reader = TrafficReader(classifier: Classifier(catalogue: try Catalogue.shipped()), keepsMessages: true)
    try reader.read(path: folder.appending(path: sample).path, name: sample)
    return reader
  }

  @Test func thereAreSamples() { #expect(Self.samples.contains("imessage-conversation.pcapng")) }

  @Test(arguments: samples)
  func decryptionAndTruthFileAgree(sample: String) throws {
    let reader = try Self.reader(sample)
    #expect(reader.notices.isEmpty, "\(reader.notices)")
    let truth = try #require(try TruthFile.beside(Self.folder.appending(path: sample).path))
    for connection in reader.couriers {
      #expect(connection.damage.isEmpty)
      let ends = TruthFile.Ends(
        proto: "TCP", client: connection.client.description, clientPort: Int(connection.clientPort),
        server: connection.server.description, serverPort: Int(connection.serverPort))
      let written = try #require(truth.messages[ends])
      for isUp in [true, false] {
        let told = written.filter { $0.isUp == isUp }.sorted { ($0.records.first ?? 0) < ($1.records.first ?? 0) }
        let read = connection.messages.filter { ($0.message.side == .client) == isUp }.map(\.message)
        #expect(told.map(\.messageClass) == read.map(\.messageClass))
        #expect(told.map(\.plaintext) == read.map { $0.length })
        #expect(told.map { $0.records.first ?? 0 } == read.map(\.firstRecord))
      }
    }
  }

  @Test func courierMessagesOfAllSamplesAreRead() throws {
    let counts = try Self.samples.map { try Self.reader($0).couriers.reduce(0) { $0 + $1.messages.count } }
    // The samples' truth files count as many messages of the app "courier" on connections with secrets.
    let told = try Self.samples.map { sample in
      let text = try String(contentsOf: Self.folder.appending(path: sample), encoding: .isoLatin1)
      #expect(!text.isEmpty)
      let truth = try #require(try TruthFile.beside(Self.folder.appending(path: sample).path))
      let reader = try Self.reader(sample)
      return reader.couriers.reduce(0) { sum, connection in
        sum
          + (truth.messages[
            TruthFile.Ends(
              proto: "TCP", client: connection.client.description, clientPort: Int(connection.clientPort),
              server: connection.server.description, serverPort: Int(connection.serverPort))]?.count ?? 0)
      }
    }
    #expect(counts == told)
    #expect(counts.reduce(0, +) > 5_000)
  }

  /// Secrets, truth files and labels must not move a verdict.
  @Test(arguments: samples)
  func verdictsAreTheSameWithoutSecrets(sample: String) throws {
    let with = try Self.reader(sample)
    let folder = FileManager.default.temporaryDirectory.appending(path: "wiretag-truth-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let bytes = Array(try Data(contentsOf: Self.folder.appending(path: sample)))
    let stripped = Self.withoutSecrets(bytes)
    try Data(stripped).write(to: folder.appending(path: sample))
    let without = try Self.reader(sample, folder: folder)
    #expect(without.couriers.isEmpty)
    #expect(Self.judgements(with) == Self.judgements(without))
    // And the plain analysis, which lends its payload to nobody, says the same.
    #expect(try Self.plain(sample) == Self.judgements(with))
  }

  struct Judgement: Equatable {
    var tag: Classify.Tag
    var service: String?
    var serverName: String?
    var ja4: String?
    var start: Int64

    init(_ flow: LabelledFlow) {
      (tag, service, serverName, ja4, start) = (flow.tag, flow.service, flow.serverName, flow.ja4, flow.start)
    }

    init(_ flow: FlowEvent) {
      (tag, service, start) = (flow.verdict.tag, flow.verdict.service, flow.start)
      (serverName, ja4) = (flow.facts.tls?.serverName, flow.facts.tls?.ja4)
    }
  }

  private static func judgements(_ reader: TrafficReader) -> [Judgement] {
    reader.traffic.flows.map(Judgement.init).sorted { $0.start < $1.start }
  }

  private static func plain(_ sample: String) throws -> [Judgement] {
    final class Flows { var all: [Judgement] = [] }
    let flows = Flows()
    let events = AnalyzerEvents { flows.all.append(Judgement($0)) }
    var analyzer = Analyzer(classifier: Classifier(catalogue: try Catalogue.shipped()))
    var file = try CaptureFile.open(path: folder.appending(path: sample).path)
    try analyzer.read(&file, events: events)
    analyzer.finish(events: events)
    return flows.all.sorted { $0.start < $1.start }
  }

  /// A little-endian pcapng without its Decryption Secrets Blocks (type 10).
  private static func withoutSecrets(_ bytes: [UInt8]) -> [UInt8] {
    func number(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
    var kept: [UInt8] = []
    var at = 0
    while at + 12 <= bytes.count {
      let length = number(at + 4)
      guard length >= 12, at + length <= bytes.count else { break }
      if number(at) != 10 { kept += bytes[at..<at + length] }
      at += length
    }
    return kept
  }

  /// Midflow's handshakes were before the capture: its records are found by their lengths.
  @Test func truthWithoutSecretsIsAligned() throws {
    let reader = try Self.reader("midflow.pcapng")
    #expect(reader.couriers.isEmpty)
    let labelled = reader.traffic.records.filter { $0.source == .file }
    #expect(labelled.count > 40)
    for record in labelled { #expect(record.plaintext == -1) }
    let texts = labelled.filter { reader.traffic.kindName($0) == "imessage.text" }
    #expect(!texts.isEmpty)
    // A text has a ciphertext of at least a hundred bytes (pair-ec); an ack has none.
    for text in texts { #expect(text.size > 300) }
    for ack in labelled where reader.traffic.kindName(ack) == "courier.ack" { #expect(ack.size < 60) }
  }
}
