import Bytes
import Capture
import Classify
import Decode
import Engine
import Protocols
import Report
import TestSupport
import Testing

@testable import Censor

/// What tests of captures need.
enum Tools {
  static func classifier() throws -> Classifier { Classifier(catalogue: try Catalogue.shipped()) }

  static func trace(_ sample: String) throws -> Trace {
    var reader = TraceReader(classifier: try classifier())
    return try reader.read(path: Samples.path(sample), name: sample)
  }
}

@Suite("Traces of the samples")
struct TraceCollectorTests {
  @Test("There are samples") func samples() { #expect(Samples.names.count >= 20) }

  @Test("Flows, packets, bytes and times are those of the analysis", arguments: Samples.names)
  func wholes(_ sample: String) throws {
    var analyzer = Analyzer(classifier: try Tools.classifier())
    var file = try CaptureFile.open(path: Samples.path(sample))
    var flows: [FlowEvent] = []
    let events = AnalyzerEvents { flows.append($0) }
    try analyzer.read(&file, events: events)
    analyzer.finish(events: events)
    flows.sort { $0.id < $1.id }

    let trace = try Tools.trace(sample)
    #expect(trace.packetsNotKept == 0)
    #expect(trace.flows.count == flows.count)
    var counted = [Int](repeating: 0, count: trace.flows.count)
    for packet in trace.packets {
      #expect(trace.flows.indices.contains(Int(packet.flow)))
      counted[Int(packet.flow)] += 1
      // The last fragment of a datagram brings all of its payload.
      if sample != "hostile.pcapng" { #expect(packet.wire >= packet.payload) }
    }
    #expect(zip(trace.packets, trace.packets.dropFirst()).allSatisfy { $0.time <= $1.time })
    for (at, (flow, event)) in zip(trace.flows, flows).enumerated() {
      #expect(flow.id == event.id)
      #expect(flow.packets == event.packetsToServer + event.packetsToClient, "flow \(flow.id)")
      #expect(flow.bytes == event.bytesToServer + event.bytesToClient, "flow \(flow.id)")
      #expect(flow.start == event.start && flow.end == event.end, "flow \(flow.id)")
      #expect(flow.transport == event.transport)
      #expect(
        [flow.client, flow.server].contains(event.source) && [flow.client, flow.server].contains(event.destination))
      #expect(flow.tag == event.verdict.tag && flow.service == event.verdict.service)
      #expect(flow.hello?.serverName == (event.helloAtPacket > 0 ? event.facts.tls?.serverName : nil))
      #expect(UInt64(counted[at]) <= flow.packets, "fragments count as one packet of the trace")
      #expect(flow.payloads.count <= 2)
      if let hello = flow.hello { #expect(hello.at >= 1 && hello.at <= Int(flow.packets)) }
    }
    // Only the sample with fragments has fewer packets than the flows say.
    if sample != "hostile.pcapng" { #expect(UInt64(trace.packets.count) == trace.flows.reduce(0) { $0 + $1.packets }) }
  }

  @Test("The packets of a flow are numbered from 1 without gaps", arguments: ["shared-day.pcapng", "office.pcapng"])
  func ordinals(_ sample: String) throws {
    let trace = try Tools.trace(sample)
    var numbers = [[UInt32]](repeating: [], count: trace.flows.count)
    for packet in trace.packets { numbers[Int(packet.flow)].append(packet.ordinal) }
    for own in numbers { #expect(own.sorted() == Array(1...UInt32(max(1, own.count)))) }
  }

  // The manifest: "a ClientHello in segments of one byte, in four TLS records, ... in IP fragments".
  @Test("The sample of cut hellos shows how each was cut")
  func cutHellos() throws {
    let trace = try Tools.trace("hostile.pcapng")
    let hellos = trace.flows.compactMap(\.hello)
    #expect(hellos.contains { $0.segments > 100 }, "segments of one byte")
    #expect(hellos.contains { $0.records == 4 }, "four records")
    #expect(hellos.contains { $0.fragments > 1 }, "fragments")
    #expect(hellos.contains { $0.hasEncryptedClientHello })
  }

  @Test("Records with messages are found in packets of their flow, way and time")
  func messages() throws {
    for sample in ["facetime-call.pcapng", "shared-day.pcapng", "imessage-conversation.pcapng"] {
      let trace = try Tools.trace(sample)
      let index = TraceIndex(trace)
      #expect(!trace.messages.isEmpty)
      var found = 0
      for at in trace.packets.indices {
        for message in index.messages(at) {
          found += 1
          let (packet, own) = (trace.packets[at], trace.messages[message])
          #expect(packet.time == own.time && packet.flow == own.flow && packet.isUp == own.isUp)
        }
      }
      #expect(found == trace.messages.count, "\(sample): every message ends in a packet")
    }
  }
}
