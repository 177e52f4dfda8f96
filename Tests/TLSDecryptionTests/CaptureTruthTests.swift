import Bytes
import Capture
import Decode
import Flows
import Foundation
import Protocols
import Testing

@testable import TLSDecryption

/// Every sample of captures/ that has secrets inside: the records of application data are, one by one, those that the
/// truth beside it names.
@Suite struct CaptureTruthTests {
  struct Endpoint: Hashable {
    var address: IPAddress
    var port: UInt16
  }

  struct Direction: Hashable {
    var client: Endpoint, server: Endpoint
    var isUp: Bool
  }

  struct Line: Decodable {
    var truth: String
    var proto: String?
    var src_ip: String?
    var src_port: UInt16?
    var dest_ip: String?
    var dest_port: UInt16?
    var direction: String?
    var plaintext: Int?
    var records: [Int]?
    var command: UInt8?
  }

  final class Flow {
    var connection = TLSConnection()
    var client: Endpoint
    var server: Endpoint
    var up: StreamReassembler, down: StreamReassembler
    /// Number, plaintext length and first byte of the opened records of application data.
    var records: [FlowSide: [(number: Int, length: Int, first: UInt8?)]] = [:]

    init(client: Endpoint, server: Endpoint) {
      (self.client, self.server) = (client, server)
      (up, down) = (StreamReassembler(start: nil), StreamReassembler(start: nil))
    }

    func take(_ bytes: RawSpan, _ side: FlowSide, _ secrets: TLSSecrets) {
      connection.consume(bytes, from: side, secrets: secrets) { event, text in
        guard event.isDecrypted, event.applicationNumber > 0 else { return }
        #expect(event.plaintextLength == text.byteCount)
        records[side, default: []].append(
          (event.applicationNumber, event.plaintextLength, text.byteCount > 0 ? text.u8(0) : nil))
      }
    }

    func segment(_ side: FlowSide, _ sequence: UInt32, _ payload: RawSpan, _ secrets: TLSSecrets) {
      var stream = side == .client ? up : down
      switch stream.admit(sequence: sequence, length: payload.byteCount) {
      case .next(let offset, let count): take(payload.slice(offset, count), side, secrets)
      case .early:
        let isHeld = stream.hold(sequence: sequence, payload)
        #expect(isHeld)
      case .old: break
      }
      while let held = stream.takeHeld() { take(held.rawSpan, side, secrets) }
      if side == .client { up = stream } else { down = stream }
    }

    func finish(_ secrets: TLSSecrets) {
      for side in [FlowSide.client, .server] {
        var stream = side == .client ? up : down
        while stream.skipGap() != nil {
          connection.skipGap(from: side)
          while let held = stream.takeHeld() { take(held.rawSpan, side, secrets) }
        }
      }
    }
  }

  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "captures")

  static func captures() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".pcapng") }.sorted()
  }

  /// The TCP connections of a capture with what could be opened of them.
  static func flows(_ name: String) throws -> [Flow] {
    var file = try CaptureFile.open(path: folder.appending(path: name).path)
    var batch = PacketBatch()
    var decoder = Decoder()
    var headers = Headers()
    var secrets = TLSSecrets()
    var blocks = 0
    var flows: [Direction: Flow] = [:]
    var order: [Flow] = []
    reading: while true {
      switch try file.next(&batch) {
      case .end: break reading
      case .idle: continue
      case .packets: break
      }
      while blocks < file.secrets.count {
        let report = secrets.add(keyLog: file.secrets[blocks].data)
        #expect(report.brokenLineCount == 0)
        blocks += 1
      }
      for place in 0..<batch.count {
        let item = batch.items[place]
        let packet = file.bytes.slice(Int(item.offset), Int(item.captured))
        let outcome = decoder.decode(
          packet, linkType: LinkType(rawValue: item.linkType), wireLength: Int(item.wire), timestamp: item.timestamp,
          into: &headers)
        guard outcome == .flow, headers.transport == .tcp else { continue }
        let source = Endpoint(address: headers.source, port: headers.sourcePort)
        let target = Endpoint(address: headers.destination, port: headers.destinationPort)
        let isOpening = headers.tcpFlags.contains(.syn) && !headers.tcpFlags.contains(.ack)
        let key = Direction(client: source, server: target, isUp: true)
        let reverse = Direction(client: target, server: source, isUp: true)
        if isOpening || flows[key] == nil && flows[reverse] == nil {
          let isClient = isOpening || target.port < source.port
          let flow = isClient ? Flow(client: source, server: target) : Flow(client: target, server: source)
          if isOpening {
            flow.up = StreamReassembler(start: headers.tcpSequence &+ 1)
            flow.down = StreamReassembler(start: nil)
          }
          flows[isClient ? key : reverse] = flow
          order.append(flow)
          if isOpening { continue }
        }
        guard headers.payloadLength > 0, !headers.tcpFlags.contains(.syn) else { continue }
        let (flow, side) = flows[key].map { ($0, FlowSide.client) } ?? (flows[reverse] ?? order[0], .server)
        let (begin, count) = (Int(headers.payloadOffset), Int(headers.payloadCaptured))
        if headers.isReassembled {
          flow.segment(side, headers.tcpSequence, decoder.reassembled.slice(begin, count), secrets)
        } else {
          flow.segment(side, headers.tcpSequence, packet.slice(begin, count), secrets)
        }
      }
    }
    for flow in order { flow.finish(secrets) }
    return order
  }

  @Test(arguments: try captures())
  func recordsAreThoseOfTheTruth(name: String) throws {
    let truth = Self.folder.appending(path: name.replacingOccurrences(of: ".pcapng", with: ".truth.jsonl"))
    guard let text = try? String(contentsOf: truth, encoding: .utf8) else { return }
    var expected: [Direction: [Int: (line: Line, isFirst: Bool)]] = [:]
    for row in text.split(separator: "\n") {
      let line = try JSONDecoder().decode(Line.self, from: Data(row.utf8))
      guard line.truth == "message", line.proto == "TCP", let records = line.records, !records.isEmpty,
        let client = line.src_ip.flatMap({ IPAddress($0) }), let clientPort = line.src_port,
        let server = line.dest_ip.flatMap({ IPAddress($0) }), let serverPort = line.dest_port
      else { continue }
      let direction = Direction(
        client: Endpoint(address: client, port: clientPort), server: Endpoint(address: server, port: serverPort),
        isUp: line.direction == "to_server")
      for (place, record) in records.enumerated() {
        #expect(expected[direction]?[record] == nil)
        expected[direction, default: [:]][record] = (line, place == 0)
      }
    }
    let flows = try Self.flows(name)
    for (direction, records) in expected {
      let side: FlowSide = direction.isUp ? .client : .server
      let candidates = flows.filter { $0.client == direction.client && $0.server == direction.server }
      let opened = candidates.flatMap { $0.records[side] ?? [] }
      let isLate = records.keys.min().map { $0 > 1 } ?? false
      if isLate, opened.isEmpty {
        // Its handshake was before the capture began.
        #expect(candidates.allSatisfy { $0.connection.openedRecords == 0 })
        continue
      }
      #expect(opened.map(\.number) == records.keys.sorted(), "\(name) \(direction)")
      for record in opened {
        guard let (line, isFirst) = records[record.number] else { continue }
        if line.records?.count == 1 {
          #expect(record.length == line.plaintext, "\(name) \(direction) \(record.number)")
        }
        if isFirst, let command = line.command { #expect(record.first == command) }
      }
    }
  }

  /// As many records as tools/lab/prove.py, which asks tshark, finds in all samples that it was written for.
  @Test func asManyRecordsOpenAsTsharkOpens() throws {
    var opened = 0
    for name in try Self.captures() {
      for flow in try Self.flows(name) {
        opened += flow.records.values.reduce(0) { $0 + $1.count }
      }
    }
    #expect(opened >= 2185)
  }
}
