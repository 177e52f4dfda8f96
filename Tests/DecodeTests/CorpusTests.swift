import Bytes
import Decode
import Foundation
import TestSupport
import Testing

/// Real captures of other projects: skipped, aloud, where they are not at hand.
@Suite struct CorpusTests {
  /// A TCP or UDP conversation, whichever side is named first.
  struct Tuple: Hashable {
    var transport: TransportProtocol
    var ends: Set<End>
    struct End: Hashable {
      var address: IPAddress, port: UInt16
    }
  }

  /// The labelled conversations of each capture (labels.tsv: from tshark and nDPI, by hand where they disagree).
  private static func labels(_ folder: URL) throws -> [String: Set<Tuple>] {
    var labels: [String: Set<Tuple>] = [:]
    for row in try String(contentsOf: folder.appending(path: "labels.tsv"), encoding: .utf8).split(separator: "\n") {
      let fields = row.split(separator: "\t").map(String.init)
      guard fields.count >= 6, let a = IPAddress(fields[2]), let b = IPAddress(fields[4]),
        let portA = UInt16(fields[3]), let portB = UInt16(fields[5])
      else { continue }
      let tuple = Tuple(
        transport: fields[1] == "TCP" ? .tcp : .udp,
        ends: [Tuple.End(address: a, port: portA), Tuple.End(address: b, port: portB)])
      labels[fields[0], default: []].insert(tuple)
    }
    return labels
  }

  @Test func theLabelledConversationsAreFound() throws {
    guard let folder = Corpus.folder else {
      _ = Corpus.captures()
      return
    }
    var wanted = 0
    var missing: [String] = []
    for (name, tuples) in try Self.labels(folder) {
      var found: Set<Tuple> = []
      var decoder = Decoder()
      for packet in try CaptureReader(folder.appending(path: name)).packets {
        let decoded = decoder.decode(
          packet.bytes, link: LinkType(rawValue: packet.linkType), wire: packet.wireLength, at: packet.timestamp)
        guard decoded.outcome == .flow else { continue }
        let h = decoded.headers
        found.insert(
          Tuple(
            transport: h.transport,
            ends: [
              Tuple.End(address: h.source, port: h.sourcePort),
              Tuple.End(address: h.destination, port: h.destinationPort),
            ]))
      }
      wanted += tuples.count
      missing += tuples.subtracting(found).map { "\(name): \($0)" }
    }
    #expect(wanted > 9000)
    // Inside Wi-Fi frames, CAPWAP, sFlow samples and Token Ring there is more that is not read here.
    #expect(missing.count * 1000 <= wanted, "\(missing)")
  }

  @Test func noCaptureBreaksTheInvariantsWholeOrCut() throws {
    var random = SeededGenerator(state: 3)
    var flows = 0
    for capture in Corpus.captures() {
      var whole = Decoder()
      var cut = Decoder()
      for packet in try CaptureReader(capture).packets {
        let link = LinkType(rawValue: packet.linkType)
        let decoded = whole.decode(packet.bytes, link: link, wire: packet.wireLength, at: packet.timestamp)
        let source = decoded.headers.isReassembled ? whole.reassembled.byteCount : packet.bytes.count
        if let broken = check(decoded.outcome, decoded.headers, source: source) {
          Issue.record("\(capture.lastPathComponent): \(broken)")
        }
        if decoded.outcome == .flow { flows += 1 }
        let bytes = Array(packet.bytes.prefix(Int.random(in: 0...packet.bytes.count, using: &random)))
        let part = cut.decode(bytes, link: link, wire: packet.wireLength, at: packet.timestamp)
        let partSource = part.headers.isReassembled ? cut.reassembled.byteCount : bytes.count
        if let broken = check(part.outcome, part.headers, source: partSource) {
          Issue.record("\(capture.lastPathComponent), cut: \(broken)")
        }
      }
    }
    #expect(flows > 100_000 || Corpus.folder == nil)
  }
}
