import Bytes
import Capture
import Decode
import Foundation
import TestSupport
import Testing

@testable import Protocols

/// DTLS and STUN of real captures: skipped, aloud, where they are not at hand.
@Suite struct DTLSCorpusTests {
  struct Hello: Decodable {
    var file: String, stream: String?, proto: String, src: String?, sport: UInt16?, dst: String?, dport: UInt16?
    var sni: String?, alpn: [String]?
  }

  /// JA4 by FoxIO's definition, computed outside of this project from the fields of tshark 4.0.17. The values in
  /// `hellos.jsonl` are nDPI's own: it writes "d" also where no name was sent, "s3" for Cisco's version, and the hash
  /// of nothing as such.
  static let fingerprints = [
    "ndpi/anyconnect-vpn.pcap udp:28": "d00i010000_2cfe23c976cf_000000000000",
    "ndpi/capwap.pcap udp:3": "dd1i020000_bce568f0ed16_000000000000",
    "ndpi/geforcenow.pcapng udp:0": "dd2i110700_c45550529adf_d9dd6182da81",
    "ndpi/stun_google_meet.pcapng udp:2": "dd2i110700_c45550529adf_d9dd6182da81",
    "ndpi/stun_google_meet.pcapng udp:6": "dd2i110700_c45550529adf_d9dd6182da81",
    "ja4/dtls-udp.notest.cap udp:0": "dd1i440200_49bcda3e7ebf_18d1e47e0978",
    "arkime/arkime_synthetic.pcap udp:8": "dd2i010000_ba72b8082249_000000000000",
    "arkime/arkime_synthetic.pcap udp:60": "dd2d020400_c1929292aa6b_c91bed236abd",
    "wireshark/udt-dtls.pcapng.gz udp:0": "dd1d040300_e2f6df6ad119_33a13ba74d1c",
    "zeek/tls__dtls-sequence-number-jumps.pcap udp:0": "dd3i050300_e133e205ac38_47b461364fc6",
    "zeek/tls__dtls13-cid.pcap udp:0": "dd3i270600_991e33d7eb74_35f7ec0a18d3",
    "zeek/tls__dtls13-cid.pcap udp:1": "dd3i270600_991e33d7eb74_35f7ec0a18d3",
    "zeek/tls__dtls13-cid.pcap udp:2": "dd3i270500_991e33d7eb74_06a427f2011b",
    "zeek/tls__dtls13-cid.pcap udp:3": "dd3i270600_991e33d7eb74_35f7ec0a18d3",
    "zeek/tls__dtls13-cid.pcap udp:4": "dd3i270500_991e33d7eb74_06a427f2011b",
    "zeek/tls__dtls13-wolfssl.pcap udp:0": "dd3i270500_991e33d7eb74_06a427f2011b",
  ]

  @Test func hellosEqualTsharks() throws {
    guard let folder = Corpus.folder else {
      _ = Corpus.captures()
      return
    }
    let text = try String(contentsOf: folder.appending(path: "hellos.jsonl"), encoding: .utf8)
    var streams: Set<String> = []
    for line in text.split(separator: "\n") {
      let hello = try JSONDecoder().decode(Hello.self, from: Data(line.utf8))
      let name = "\(hello.file.dropFirst("captures/".count)) \(hello.stream ?? "")"
      guard hello.proto == "dtls", hello.stream != nil, streams.insert(name).inserted else { continue }
      let flows = DatagramFlows(folder.appending(path: hello.file))
      let tls = try #require(
        flows.flow(from: (hello.src, hello.sport), to: (hello.dst, hello.dport))?.dtls.tls, "\(name)")
      #expect(tls.serverName == hello.sni && tls.alpn == hello.alpn ?? [], "\(name)")
      if let fingerprint = Self.fingerprints[name] { #expect(tls.ja4 == fingerprint, "\(name)") }
    }
    #expect(streams.isSuperset(of: Self.fingerprints.keys))
  }

  /// What is claimed for STUN is labelled so, or as a service that uses it; tshark names 78 flows over UDP here, and
  /// nothing else of the corpus passes for STUN.
  @Test func onlySTUNPassesForSTUN() throws {
    guard let folder = Corpus.folder else {
      _ = Corpus.captures()
      return
    }
    var labels: [String: [DatagramFlows.Key: (tag: String, service: String)]] = [:]
    for row in try String(contentsOf: folder.appending(path: "labels.tsv"), encoding: .utf8).split(separator: "\n") {
      let cells = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard cells.count > 7, let a = IPAddress(cells[2]), let b = IPAddress(cells[4]), let portA = UInt16(cells[3]),
        let portB = UInt16(cells[5])
      else { continue }
      labels[cells[0], default: [:]][DatagramFlows.key(Endpoint(a, portA), Endpoint(b, portB))] = (cells[6], cells[7])
    }
    var sure = 0
    var streams = 0
    for capture in Corpus.captures() {
      let name = String(capture.path.dropFirst(folder.path.count + 1))
      let flows = DatagramFlows(capture)
      streams += flows.stunStreams
      for (key, flow) in flows.flows where flow.stun.isSure {
        sure += 1
        let label = labels[name]?[key]
        #expect(label == nil || label?.tag == "calling" || label?.tag == "?", "\(name): \(label?.service ?? "")")
      }
      for (_, flow) in flows.flows where !flow.stun.isSure {
        #expect(flow.stunDatagrams == 0, "\(name): taken for STUN for a while")
      }
    }
    #expect(sure >= 78)
    #expect(streams >= 1)
    print("\(sure) flows of STUN over UDP, \(streams) sides of STUN over TCP")
  }

  @Test func messagesOfOneSegmentAreCutApart() throws {
    guard let folder = Corpus.folder else { return }
    let flows = DatagramFlows(folder.appending(path: "captures/ndpi/stun_tcp_multiple_msgs_same_pkt.pcap"))
    #expect(flows.streamFacts.messages >= 4)
    #expect(flows.streamFacts.hasTURN)
  }
}

/// The flows of a capture: those over UDP each with a STUN and a DTLS reader, as RFC 7983 lets them share ports.
struct DatagramFlows {
  struct Key: Hashable {
    var a: Endpoint
    var b: Endpoint
  }
  struct Flow {
    var first: Endpoint
    var datagrams = 0
    var stun = STUNConversation()
    var stunDatagrams = 0
    var dtls = DTLSConversation()
    var dtlsDatagrams = 0
  }

  private(set) var flows: [Key: Flow] = [:]
  /// Sides of TCP connections that begin with STUN.
  private(set) var stunStreams = 0
  /// What all of them say.
  var streamFacts: STUNFacts { streamConversation.facts }
  private var streamConversation = STUNConversation()
  private var streams: [[Endpoint]: STUNStream?] = [:]

  /// The flows, as far as the capture can be read.
  init(_ capture: URL) {
    guard var file = try? CaptureFile.open(path: capture.path) else { return }
    var decoder = Decoder()
    var headers = Headers()
    var batch = PacketBatch()
    while let outcome = try? file.next(&batch), outcome != .end {
      for i in 0..<batch.count {
        let packet = batch.items[i]
        let view = file.bytes.slice(Int(packet.offset), Int(packet.captured))
        let result = decoder.decode(
          view, linkType: LinkType(rawValue: packet.linkType), wireLength: Int(packet.wire),
          timestamp: packet.timestamp, into: &headers)
        guard result == .flow, !headers.isFirstFragment else { continue }
        let start = Int(headers.payloadOffset)
        if headers.transport == .tcp {
          take(segment: view.slice(start, Int(headers.payloadCaptured)), headers)
          continue
        }
        if headers.isReassembled {
          take(decoder.reassembled.slice(start, Int(headers.payloadCaptured)), headers)
        } else {
          take(view.slice(start, Int(headers.payloadCaptured)), headers)
        }
      }
    }
  }

  static func key(_ a: Endpoint, _ b: Endpoint) -> Key {
    let isOrdered = a.address == b.address ? a.port <= b.port : IPAddress.precedes(a.address, b.address)
    return isOrdered ? Key(a: a, b: b) : Key(a: b, b: a)
  }

  private mutating func take(_ datagram: RawSpan, _ headers: Headers) {
    let source = Endpoint(headers.source, headers.sourcePort)
    let key = Self.key(source, Endpoint(headers.destination, headers.destinationPort))
    var flow = flows.removeValue(forKey: key) ?? Flow(first: source)
    flow.datagrams += 1
    let side: FlowSide = flow.first == source ? .client : .server
    let isKnown = flow.stun.isSure || flow.stunDatagrams > 0
    if isKnown || STUNConversation.canBegin(datagram), flow.stun.read(datagram: datagram, from: side) {
      flow.stunDatagrams += 1
      if let inner = flow.stun.inner, DTLSConversation.canBegin(datagram.slice(inner.lowerBound, inner.count)) {
        _ = flow.dtls.consume(datagram.slice(inner.lowerBound, inner.count), from: side)
        flow.dtlsDatagrams += 1
      }
    } else if flow.dtlsDatagrams > 0 || DTLSConversation.canBegin(datagram) {
      if flow.dtls.read(datagram: datagram, from: side) { flow.dtlsDatagrams += 1 }
    }
    flows[key] = flow
  }

  /// Segments as they come: good enough for captures without loss.
  private mutating func take(segment: RawSpan, _ headers: Headers) {
    guard segment.byteCount > 0 else { return }
    let key = [Endpoint(headers.source, headers.sourcePort), Endpoint(headers.destination, headers.destinationPort)]
    if streams[key] == nil {
      let isSTUN = STUNStream.recognize(segment) == .mine
      streams[key] = isSTUN ? STUNStream() : STUNStream?.none
      if isSTUN { stunStreams += 1 }
    }
    guard var stream = streams[key] ?? nil else { return }
    _ = stream.consume(segment, from: .client) { _ = streamConversation.consume($0, from: .client) }
    streams[key] = stream
  }

  /// The flow that has these ends.
  func flow(from a: (String?, UInt16?), to b: (String?, UInt16?)) -> Flow? {
    guard let source = a.0.flatMap({ IPAddress($0) }), let destination = b.0.flatMap({ IPAddress($0) }), let from = a.1,
      let to = b.1
    else { return nil }
    return flows[Self.key(Endpoint(source, from), Endpoint(destination, to))]
  }
}
