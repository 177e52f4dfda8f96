import Bytes
import Decode
import Engine
import Foundation
import Protocols
import Report
import TestSupport
import Testing
import Truth

@testable import Censor

/// The project's own sample captures.
enum Samples {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "captures")

  /// Their names, sorted.
  static let names: [String] = {
    let all = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    return all.filter { $0.hasSuffix(".pcapng") }.sorted()
  }()

  static func path(_ name: String) -> String { folder.appending(path: name).path }

  /// The lines of a sample's truth file, each as its own JSON.
  static func truth(_ name: String) throws -> [[String: Any]] {
    let path = path(name).replacing(".pcapng", with: ".truth.jsonl")
    let text = String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    return try text.split(separator: "\n").compactMap {
      try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }
}

@Suite("A server name in a hello's first segment")
struct PartialHelloTests {
  @Test("The name shows once all of it is there, and not a byte before")
  func everyCut() throws {
    let hello = PacketBuilder.clientHello(serverName: "1-courier.push.apple.com", alpn: ["apns-pack-v1"])
    let name = Array("1-courier.push.apple.com".utf8)
    let place = try #require(hello.firstRange(of: name))
    for count in 0...hello.count {
      let part = Array(hello.prefix(count))
      let seen = PartialHello.serverName(in: unsafe part.span.bytes)
      #expect(seen == (count >= place.upperBound ? "1-courier.push.apple.com" : nil), "\(count) bytes")
    }
  }

  @Test("A name that goes on in another record does not show")
  func records() throws {
    let hello = PacketBuilder.clientHello(serverName: "www.example.org")
    let body = Array(hello.dropFirst(5))
    let place = try #require(body.firstRange(of: Array("www.example.org".utf8)))
    for cut in 1..<body.count {
      let first: [UInt8] = [22, 3, 1] + PacketBuilder.u16(cut) + body.prefix(cut)
      let second: [UInt8] = [22, 3, 1] + PacketBuilder.u16(body.count - cut) + body.dropFirst(cut)
      let both = first + second
      let seen = PartialHello.serverName(in: unsafe both.span.bytes)
      #expect(seen == (cut >= place.upperBound ? "www.example.org" : nil), "cut behind \(cut) bytes")
    }
  }

  @Test("Other bytes are no hello")
  func otherBytes() {
    var random = SeededRandom(6)
    let hello = PacketBuilder.clientHello(serverName: "www.example.org")
    for _ in 0..<20_000 {
      var bytes = hello
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
      if let name = PartialHello.serverName(in: unsafe bytes.span.bytes) { #expect(name.utf8.count <= 4 * bytes.count) }
    }
  }

  /// Keeps the first payload of each TCP client, and what the analysis says of the hello.
  private final class Keeper: TrafficObserver {
    var payloads: [UInt64: [UInt8]] = [:]
    var flows: [FlowEvent] = []
    func visit(_ packet: PacketVisit, _ payload: RawSpan) {
      guard packet.transport == .tcp, packet.side == .client, payload.byteCount > 0 else { return }
      guard payloads[packet.flow] == nil else { return }
      payloads[packet.flow] = (0..<payload.byteCount).map { payload.u8($0) }
    }
    func ended(_ flow: FlowEvent) { flows.append(flow) }
  }

  @Test(
    "In the samples the first segment shows the name that the whole hello has, or none",
    arguments: ["cipher-suites.pcapng", "first-look.pcapng", "hostile.pcapng", "office.pcapng", "shared-day.pcapng"])
  func samples(_ sample: String) throws {
    let keeper = Keeper()
    var reader = TrafficReader(classifier: try Tools.classifier())
    try reader.read(path: Samples.path(sample), name: sample, observer: keeper)
    var (whole, shown) = (0, 0)
    for flow in keeper.flows where flow.transport == .tcp {
      guard let tls = flow.facts.tls, let first = keeper.payloads[flow.id], first.first == 22 else { continue }
      // Hellos that are swapped, repeated or overlapped on purpose are `hostile`'s: what comes first is not the hello.
      let seen = PartialHello.serverName(in: unsafe first.span.bytes)
      if flow.facts.helloSegments <= 1, flow.facts.helloRecords <= 1, sample != "hostile.pcapng" {
        whole += 1
        #expect(seen == tls.serverName, "flow \(flow.id)")
      }
      if let seen, sample != "hostile.pcapng" {
        shown += 1
        #expect(seen == tls.serverName, "flow \(flow.id)")
      }
    }
    if sample != "hostile.pcapng" { #expect(whole > 0 && shown > 0) }
  }
}
