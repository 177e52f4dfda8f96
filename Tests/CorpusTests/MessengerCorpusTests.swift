import Bytes
import Capture
import Decode
import Foundation
import TestSupport
import Testing

@testable import Protocols

/// The messengers' own protocols against labelled real captures of other projects: skipped, aloud, where they are not at
/// hand. Every flow of every capture is asked, those of DNS, QUIC, STUN and games too, so that a claim too many shows.
@Suite struct MessengerCorpusTests {
  /// What each sure claim may be labelled, and how many such flows there are at least.
  private static let expected: [(messenger: MessengerProtocol, labels: Set<String>, flows: Int)] = [
    // Discord rents machines at i3D, whose name some of its flows are labelled with.
    (.discord, ["calling/discord", "other/i3d", "?/conflict-i3d"], 37),
    (.hmsPush, ["push/hms-push"], 6),
    // LOCO on port 8080 to Kakao's own address, which the label takes for a proxy.
    (.kakaotalk, ["messaging/kakaotalk", "other/http_proxy"], 1),
    (.lineCall, ["calling/line"], 3),
    // The label is that of the vendor.
    (.miPush, ["other/xiaomi", "?/amazonaws"], 7),
    (.mumble, ["calling/mumble"], 2),
    (.oicq, ["messaging/qq"], 29),
    // The label is that of the messenger, whose calls these are.
    (.telegramReflector, ["messaging/telegram"], 12),
    (.viber, ["messaging/viber"], 4),
    (.viberCall, ["calling/viber"], 4),
    (.whatsapp, ["messaging/whatsapp"], 8),
    (.zoom, ["calling/zoom"], 8),
  ]

  @Test func claimsAgreeWithTheLabels() throws {
    guard let folder = Corpus.folder else {
      _ = Corpus.captures()
      return
    }
    let labels = try FlowLabels(folder)
    var flows = 0
    var weak = 0
    var sure: [MessengerProtocol: Int] = [:]
    for capture in Corpus.captures() {
      let name = "captures/" + capture.path.split(separator: "/").suffix(2).joined(separator: "/")
      for flow in FlowTaster.flows(of: capture) {
        flows += 1
        guard let signature = flow.signature else { continue }
        guard signature.strength == .sure else {
          weak += 1
          continue
        }
        let label = labels[name, flow.ends]
        let allowed = Self.expected.first { $0.messenger == signature.messenger }?.labels ?? []
        #expect(allowed.contains(label), "\(name) \(flow.ends): \(signature.messenger), labelled \(label)")
        sure[signature.messenger, default: 0] += 1
      }
    }
    #expect(flows > 10_000)
    for (messenger, _, count) in Self.expected {
      #expect(sure[messenger] ?? 0 >= count, "\(messenger): \(sure[messenger] ?? 0) of \(count)")
    }
    print("\(flows) flows: \(sure.values.reduce(0, +)) sure claims, \(weak) weak ones")
    #expect(weak <= 10, "weak claims are to be few")
  }

  /// Courier connections score high, and few others that high. The corpus has three with enough records: this is a check
  /// that nothing is upside down, no measure.
  @Test func theCourierHasItsShape() throws {
    guard let folder = Corpus.folder else {
      _ = Corpus.captures()
      return
    }
    let labels = try FlowLabels(folder)
    var couriers: [Double] = []
    var others: [Double] = []
    for capture in Corpus.captures() {
      let name = "captures/" + capture.path.split(separator: "/").suffix(2).joined(separator: "/")
      for flow in FlowTaster.flows(of: capture) {
        guard flow.records.count >= 6, let shape = APNsShape(records: flow.records.span) else { continue }
        if labels[name, flow.ends] == "push/apns" { couriers.append(shape.score) } else { others.append(shape.score) }
      }
    }
    let high = others.count { $0 >= 0.6 }
    print("courier scores \(couriers), \(high) of \(others.count) other TLS flows at 0.6 or more")
    #expect(couriers.count >= 2 && couriers.allSatisfy { $0 >= 0.6 })
    #expect(high * 20 < others.count)
  }
}

/// `labels.tsv`: tag and service of a flow.
struct FlowLabels {
  private var rows: [String: [String: String]] = [:]

  init(_ folder: URL) throws {
    for row in try String(contentsOf: folder.appending(path: "labels.tsv"), encoding: .utf8).split(separator: "\n") {
      let cells = row.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard cells.count > 7, let a = IPAddress(cells[2]), let b = IPAddress(cells[4]) else { continue }
      let ends = FlowTaster.name(cells[1], ("\(a)", cells[3]), ("\(b)", cells[5]))
      rows[cells[0], default: [:]][ends] = "\(cells[6])/\(cells[7])"
    }
  }

  /// The label of a flow, "none" where it has none.
  subscript(file: String, ends: String) -> String { rows[file]?[ends] ?? "none" }
}

/// A flow's first bytes and datagrams, given to the recognizers as the engine would.
struct FlowTaster {
  private(set) var ends: String
  private(set) var signature: MessengerSignature?

  /// Lengths of the first TLS records, positive to the server, as `FlowTable.meterRecords` notes them.
  private(set) var records: [Int16] = []
  private var remaining: [FlowSide: Int] = [.client: 0, .server: 0]

  private let isStream: Bool
  private let serverPort: UInt16
  private var conversation: MessengerConversation?
  private var stream: MessengerStream
  private var prefixes: [FlowSide: [UInt8]] = [.client: [], .server: []]
  private var isOver: [FlowSide: Bool] = [:]
  private var next: [FlowSide: UInt32] = [:]
  private var datagrams = 0
  private let clientPort: UInt16

  init(_ h: Headers, clientIsSource: Bool) {
    isStream = h.transport == .tcp
    serverPort = clientIsSource ? h.destinationPort : h.sourcePort
    clientPort = clientIsSource ? h.sourcePort : h.destinationPort
    stream = MessengerStream(serverPort: serverPort)
    ends = Self.name(
      isStream ? "TCP" : "UDP", ("\(h.source)", "\(h.sourcePort)"), ("\(h.destination)", "\(h.destinationPort)"))
  }

  /// A name that does not depend on the order of the ends.
  static func name(_ transport: String, _ a: (String, String), _ b: (String, String)) -> String {
    let ends = ["\(a.0) \(a.1)", "\(b.0) \(b.1)"].sorted()
    return "\(transport) \(ends[0]) \(ends[1])"
  }

  private mutating func claim(_ found: MessengerSignature) {
    if signature == nil || (signature?.strength ?? .weak) < found.strength { signature = found }
  }

  mutating func take(_ payload: RawSpan, _ h: Headers, from side: FlowSide) {
    guard payload.byteCount > 0 else { return }
    guard isStream else { return take(datagram: payload, from: side) }
    if let expected = next[side], expected != h.tcpSequence { return }
    next[side] = h.tcpSequence &+ UInt32(payload.byteCount)
    follow(payload, side)
    if let found = stream.consume(payload, from: side) { claim(found) }
    guard isOver[side] != true, var prefix = prefixes[side] else { return }
    prefix.append(payload.slice(0, 2048 - prefix.count))
    prefixes[side] = prefix
    switch MessengerSignature.recognize(stream: prefix.rawSpan, from: side, serverPort: serverPort) {
    case .mine(let found):
      claim(found)
      isOver[side] = true
    case .needMore: isOver[side] = prefix.count >= MessengerSignature.maximumLength
    case .notMine: isOver[side] = true
    }
  }

  private mutating func follow(_ payload: RawSpan, _ side: FlowSide) {
    guard var at = remaining[side], at >= 0 else { return }
    while records.count < 16, payload.holds(5, at: at) {
      guard (20...23).contains(payload.u8(at)), payload.u8(at + 1) == 3 else {
        remaining[side] = -1
        return
      }
      let length = Int(payload.u16(at + 3))
      records.append(Int16(side == .client ? length : -length))
      at += 5 + length
    }
    remaining[side] = at - payload.byteCount
  }

  private mutating func take(datagram: RawSpan, from side: FlowSide) {
    defer { datagrams += 1 }
    guard datagrams < 64 else { return }
    if conversation == nil, datagrams < 8,
      MessengerConversation.canBegin(
        datagram, from: side, serverPort: serverPort, clientPort: clientPort, ordinal: datagrams)
    {
      conversation = MessengerConversation(serverPort: serverPort, clientPort: clientPort)
    }
    guard conversation?.consume(datagram, from: side) != nil else { return }
    if let found = conversation?.signature { claim(found) } else { signature = nil }
  }

  /// All flows of a capture.
  static func flows(of capture: URL) -> [FlowTaster] {
    var tasters: [String: FlowTaster] = [:]
    var clients: [String: String] = [:]
    var decoder = Decoder()
    var batch = PacketBatch()
    do throws(CaptureError) {
      var file = try CaptureFile.open(path: capture.path)
      while case .packets = try file.next(&batch) {
        for i in 0..<batch.count {
          let packet = batch.items[i]
          var h = Headers()
          let bytes = file.bytes.slice(Int(packet.offset), Int(packet.captured))
          let outcome = decoder.decode(
            bytes, linkType: LinkType(rawValue: packet.linkType), wireLength: Int(packet.wire),
            timestamp: packet.timestamp, into: &h)
          guard outcome == .flow, !h.isReassembled else { continue }
          let source = "\(h.source) \(h.sourcePort)"
          let key = name(
            h.transport == .tcp ? "TCP" : "UDP", ("\(h.source)", "\(h.sourcePort)"),
            ("\(h.destination)", "\(h.destinationPort)"))
          if tasters[key] == nil {
            let isAnswer = h.transport == .tcp && h.tcpFlags.contains([.syn, .ack])
            let isServer =
              isAnswer
              || !h.tcpFlags.contains(.syn) && h.sourcePort < h.destinationPort
                && h.sourcePort < 10_000
            clients[key] = isServer ? "\(h.destination) \(h.destinationPort)" : source
            tasters[key] = FlowTaster(h, clientIsSource: !isServer)
          }
          let side: FlowSide = clients[key] == source ? .client : .server
          if h.tcpFlags.contains(.syn) { continue }
          tasters[key]?.take(bytes.slice(Int(h.payloadOffset), Int(h.payloadCaptured)), h, from: side)
        }
      }
    } catch {
      // A cut or strange capture: what came before counts.
    }
    return Array(tasters.values)
  }
}
