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
    // Inside sFlow samples there is more that is not read here.
    #expect(missing.count <= 1, "\(missing)")
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

  /// Of captures whose flows lie in a rare link layer or tunnel: packet, source, ports and tunnel as tshark 4.0.17 shows
  /// them; the Broadcom tag, which it does not know, as tcpdump 4.99.3 does.
  static let rare: [(file: String, packet: Int, source: String, ports: (UInt16, UInt16), tunnel: TunnelKind?)] = [
    ("captures/zeek/wlanmon.pcap", 1, "172.17.156.76", (61738, 53), nil),
    ("captures/wireshark/tftp.pcap", 1, "192.168.44.123", (63801, 69), nil),
    ("captures/ndpi/capwap.pcap", 329, "0.0.0.0", (68, 67), .capwap),
    ("captures/zeek/tunnels__gre-aruba-amsdu.pcap", 1, "157.240.18.16", (443, 49392), .gre),
    ("captures/tcpdump/LINKTYPE_PKTAP.pcap", 1, "10.32.4.27", (63538, 53), nil),
    ("captures/tcpdump/LINKTYPE_USER2_PKTAP.pcap", 1, "10.32.4.27", (63538, 53), nil),
    ("captures/tcpdump/ieee802.11_htc.pcap", 1, "0.0.0.0", (68, 67), nil),
    ("captures/tcpdump/brcm-tag.pcap", 11, "192.168.1.1", (67, 68), nil),
    ("captures/tcpdump/macsec-short-valid.pcap", 1, "192.168.114.1", (37459, 6666), nil),
    ("captures/tcpdump/ipoib.pcap", 9, "192.168.56.10", (34170, 22), nil),
  ]

  @Test(arguments: rare.indices)
  func rareLinkLayersGiveTheFlowThatTsharkSees(_ index: Int) throws {
    let wanted = Self.rare[index]
    guard let folder = Corpus.folder else {
      _ = Corpus.captures()
      return
    }
    let packets = try CaptureReader(folder.appending(path: wanted.file)).packets
    let packet = try #require(packets.dropFirst(wanted.packet - 1).first)
    let decoded = decode(packet.bytes, link: LinkType(rawValue: packet.linkType), wire: packet.wireLength)
    #expect(decoded.outcome == .flow)
    #expect(decoded.headers.source.description == wanted.source)
    #expect(decoded.headers.sourcePort == wanted.ports.0)
    #expect(decoded.headers.destinationPort == wanted.ports.1)
    #expect(decoded.headers.scope.tunnels == (wanted.tunnel.map { [$0] } ?? []))
  }
}
