import Bytes
import Decode
import Foundation
import TestSupport
import Testing

@testable import Protocols

/// Call signalling on real captures of other projects: skipped, aloud, where they are not at hand.
@Suite struct SignallingCorpusTests {
  private struct Watch {
    var first: Endpoint
    var conversation: SignallingConversation?
    var buffers: [FlowSide: [UInt8]] = [:]
    var next: [FlowSide: UInt32] = [:]
    var hasFailed = false
    var all = 0
    var announcements: [AnnouncedEndpoint] = []
  }

  @Test func onlySignallingIsTaken() throws {
    let captures = Corpus.captures()
    guard let folder = Corpus.folder else { return }
    let labels = try CorpusFlow.labels(folder)
    var claims: [String: Int] = [:]
    var unexpected: [String] = []
    var announced = 0
    for url in captures {
      let name = String(url.path.dropFirst(folder.path.count + 1))
      var flows: [CorpusFlow: Watch] = [:]
      readPackets(of: url) { headers, payload, _ in
        guard payload.byteCount > 0 else { return }
        let source = Endpoint(headers.source, headers.sourcePort)
        let key = CorpusFlow(headers)
        var watch = flows[key] ?? Watch(first: source)
        watch.all += 1
        let side: FlowSide = watch.first == source ? .client : .server
        let ports = (headers.sourcePort, headers.destinationPort)
        if headers.transport == .udp {
          if watch.conversation == nil, !watch.hasFailed {
            if let kind = SignallingKind(datagram: payload, ports: ports) {
              watch.conversation = SignallingConversation(kind)
            }
            if watch.all >= 16, watch.conversation == nil { watch.hasFailed = true }
          }
          _ = watch.conversation?.consume(datagram: payload, from: side)
        } else if watch.next[side] == nil || watch.next[side] == headers.tcpSequence {
          watch.next[side] = headers.tcpSequence &+ UInt32(payload.byteCount)
          if watch.conversation != nil {
            watch.conversation?.consume(stream: payload, from: side)
          } else if !watch.hasFailed {
            watch.buffers[side, default: []].append(payload)
            let buffer = watch.buffers[side] ?? []
            switch SignallingKind.recognize(stream: buffer.rawSpan, ports: ports) {
            case .mine(let kind):
              var conversation = SignallingConversation(kind)
              conversation.consume(stream: buffer.rawSpan, from: side)
              watch.conversation = conversation
            case .needMore: break
            case .notMine: watch.hasFailed = true
            }
          }
        }
        watch.announcements += watch.conversation?.takeAnnouncements() ?? []
        flows[key] = watch
      }
      for (flow, watch) in flows {
        guard let conversation = watch.conversation, conversation.isSure else { continue }
        let label = labels[name]?[flow] ?? "-"
        claims["\(label) as \(conversation.application.rawValue)", default: 0] += 1
        announced += watch.announcements.count
        if conversation.kind.isCalling, !label.hasPrefix("calling/"), !label.hasPrefix("?/"), label != "-" {
          unexpected.append("\(label) \(name) \(flow.ends.sorted())")
        }
      }
    }
    print("signalling:", claims, "announced:", announced)
    #expect(unexpected == [])
    #expect(claims["calling/sip as sip"] ?? 0 >= 30)
    #expect(claims["calling/h323 as h323"] ?? 0 >= 6)
    #expect(claims["calling/skinny as skinny"] == 2)
    #expect(claims["calling/iax as iax2"] == 1)
    #expect(claims["other/vpn as ike"] ?? 0 >= 13)
    #expect(claims["other/rtsp as rtsp"] ?? 0 >= 9)
    #expect(announced > 40)
  }
}
