import Capture
import Classify
import Engine
import Foundation
import Report
import TestSupport
import Testing

/// Lends a file's packets a few at a time.
private struct Sips: PacketSource, ~Copyable {
  var file: CaptureFile
  let batchSize: Int
  /// Whether no time stamp so far was earlier than one before it.
  var isInOrder = true
  private var latest = Int64.min
  private var held = PacketBatch()
  private var at = 0

  init(_ file: consuming CaptureFile, _ batchSize: Int) {
    self.file = file
    self.batchSize = batchSize
  }

  var bytes: RawSpan { @_lifetime(borrow self) get { file.bytes } }

  mutating func next(_ batch: inout PacketBatch) throws(CaptureError) -> BatchOutcome {
    if at == held.count {
      at = 0
      let outcome = try file.next(&held)
      guard case .packets = outcome else { return outcome }
    }
    batch.count = 0
    while batch.count < batchSize, at < held.count {
      isInOrder = isInOrder && held.items[at].timestamp >= latest
      latest = held.items[at].timestamp
      batch.items[batch.count] = held.items[at]
      batch.count += 1
      at += 1
    }
    return .packets
  }
}

/// Batches are an affair of speed: what a record says may not depend on which packets came together.
@Suite struct BatchTests {
  /// The records of a capture, sorted, because the order in which flows end does depend on it; nil where the clock jumps
  /// back, because a flow may then have ended between two batches or not.
  private func records(of bytes: [UInt8], batchSize: Int, _ classifier: Classifier) throws -> [[UInt8]]? {
    guard let file = try? CaptureFile.open(bytes: bytes) else { return nil }
    var source = Sips(file, batchSize)
    var analyzer = Analyzer(classifier: classifier)
    var lines: [[UInt8]] = []
    var writer = JSONLines()
    let events = AnalyzerEvents { lines.append(Array(writer.line($0))) }
    do throws(CaptureError) { try analyzer.read(&source, events: events) } catch {}
    analyzer.finish(events: events)
    return source.isInOrder ? lines.sorted { $0.lexicographicallyPrecedes($1) } : nil
  }

  @Test func seedsSayTheSameInBatchesOfEverySize() throws {
    let classifier = Classifier(catalogue: try Catalogue.shipped())
    for (name, bytes) in try FuzzSeeds.all(of: "Verdict") {
      let whole = try records(of: bytes, batchSize: 16, classifier)
      for size in [1, 3] {
        #expect(try records(of: bytes, batchSize: size, classifier) == whole, "\(name) in batches of \(size)")
      }
    }
  }

  @Test func smallRealCapturesSayTheSamePacketByPacket() throws {
    let classifier = Classifier(catalogue: try Catalogue.shipped())
    var compared = 0
    var differing: [String] = []
    for url in Corpus.captures() {
      guard let size = try url.resourceValues(forKeys: [.fileSizeKey]).fileSize, size <= 12_000 else { continue }
      let bytes = [UInt8](try Data(contentsOf: url))
      guard let whole = try records(of: bytes, batchSize: 16, classifier) else { continue }
      compared += 1
      if try records(of: bytes, batchSize: 1, classifier) != whole { differing.append(url.lastPathComponent) }
    }
    // A server that answers with two initial sequence numbers is read by the one that was known when reading began.
    #expect(differing.count * 500 <= compared, "\(differing)")
  }
}
