import Bytes
import Capture
import Decode
import Foundation
import TestSupport
import Testing

@testable import Protocols

/// A TCP or UDP conversation of a capture, whichever side is named first.
struct CorpusFlow: Hashable {
  var transport: String
  var ends: Set<String>

  init(_ transport: String, _ a: Endpoint, _ b: Endpoint) {
    self.transport = transport
    ends = [a.description, b.description]
  }

  init(_ headers: Headers) {
    self.init(
      headers.transport == .udp ? "UDP" : "TCP", Endpoint(headers.source, headers.sourcePort),
      Endpoint(headers.destination, headers.destinationPort))
  }

  /// What `labels.tsv` says of each flow: tag and service.
  static func labels(_ folder: URL) throws -> [String: [CorpusFlow: String]] {
    var labels: [String: [CorpusFlow: String]] = [:]
    for row in try String(contentsOf: folder.appending(path: "labels.tsv"), encoding: .utf8).split(separator: "\n") {
      let cells = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard cells.count > 7, let a = IPAddress(cells[2]), let b = IPAddress(cells[4]), let portA = UInt16(cells[3]),
        let portB = UInt16(cells[5])
      else { continue }
      labels[cells[0], default: [:]][CorpusFlow(cells[1], Endpoint(a, portA), Endpoint(b, portB))] =
        "\(cells[6])/\(cells[7])"
    }
    return labels
  }
}

/// Gives the payload of every TCP and UDP packet of a capture, as far as it can be read.
func readPackets(of url: URL, _ receive: (Headers, RawSpan, Int64) -> Void) {
  var decoder = Decoder()
  do throws(CaptureError) {
    var file = try CaptureFile.open(path: url.path)
    var batch = PacketBatch()
    while case .packets = try file.next(&batch) {
      let bytes = file.bytes
      for i in 0..<batch.count {
        let packet = batch.items[i]
        var headers = Headers()
        let view = bytes.slice(Int(packet.offset), Int(packet.captured))
        let outcome = decoder.decode(
          view, linkType: LinkType(rawValue: packet.linkType), wireLength: Int(packet.wire),
          timestamp: packet.timestamp, into: &headers)
        guard outcome == .flow, !headers.isFirstFragment else { continue }
        let (start, count) = (Int(headers.payloadOffset), Int(headers.payloadCaptured))
        if headers.isReassembled {
          receive(headers, decoder.reassembled.slice(start, count), packet.timestamp)
        } else {
          receive(headers, view.slice(start, count), packet.timestamp)
        }
      }
    }
  } catch {
    // A cut capture: what came before counts.
  }
}

/// RTP's recognition on real captures of other projects: skipped, aloud, where they are not at hand.
@Suite struct RTPCorpusTests {
  private struct Watch {
    var first: Endpoint
    var conversation: RTPConversation?
  }

  @Test func onlyMediaIsTaken() throws {
    let captures = Corpus.captures()
    guard let folder = Corpus.folder else { return }
    let labels = try CorpusFlow.labels(folder)
    var claims: [String: Int] = [:]
    var unexpected: [String] = []
    var flowCount = 0
    for url in captures {
      let name = String(url.path.dropFirst(folder.path.count + 1))
      var flows: [CorpusFlow: Watch] = [:]
      readPackets(of: url) { headers, payload, time in
        guard headers.transport == .udp, payload.byteCount > 0 else { return }
        let source = Endpoint(headers.source, headers.sourcePort)
        let key = CorpusFlow(headers)
        var watch = flows[key] ?? Watch(first: source)
        if watch.conversation == nil, RTPConversation.canBegin(payload) { watch.conversation = RTPConversation() }
        _ = watch.conversation?.consume(payload, from: watch.first == source ? .client : .server, at: time)
        flows[key] = watch
      }
      flowCount += flows.count
      for (flow, watch) in flows where watch.conversation?.isSure == true {
        let label = labels[name]?[flow] ?? "-"
        claims[label, default: 0] += 1
        if !label.hasPrefix("calling/"), !label.hasPrefix("?/"), label != "-" {
          unexpected.append("\(label) \(name) \(flow.ends.sorted())")
        }
      }
    }
    let calling = claims.filter { $0.key.hasPrefix("calling/") }.values.reduce(0, +)
    print("RTP: \(claims.values.reduce(0, +)) of \(flowCount) UDP flows, \(calling) of them labelled calls", claims)
    #expect(flowCount > 4000)
    #expect(claims["calling/rtp"] ?? 0 >= 15)
    #expect(calling >= 58)
    // A voice service's packets at a hoster of games, whose name the label has: they are RTP.
    #expect(unexpected.filter { !$0.hasPrefix("other/i3d ") } == [])
  }
}
