import Bytes
import Decode
import Testing

@testable import Report

@Suite("Community ID")
struct CommunityIDTests {
  struct Vector: Sendable {
    var proto: UInt8, a: String, aPort: UInt16, b: String, bPort: UInt16, text: String
  }

  // corelight/community-id-spec, baseline/baseline_deflt.json: its TCP and UDP rows. SCTP has ports like them.
  static let vectors = [
    Vector(
      proto: 6, a: "2001:470:e5bf:dead:4957:2174:e82c:4887", aPort: 63_943, b: "2607:f8b0:400c:c03::1a", bPort: 25,
      text: "1:/qFaeAR+gFe1KYjMzVDsMv+wgU4="),
    Vector(
      proto: 132, a: "192.168.170.8", aPort: 7, b: "192.168.170.56", bPort: 7, text: "1:MP2EtRCAUIZvTw6MxJHLV7N7JDs="),
    Vector(
      proto: 6, a: "128.232.110.120", aPort: 34_855, b: "66.35.250.204", bPort: 80,
      text: "1:LQU9qZlK+B5F3KDmev6m5PMibrg="),
    Vector(
      proto: 17, a: "192.168.1.52", aPort: 54_585, b: "8.8.8.8", bPort: 53, text: "1:d/FP5EW3wiY1vCndhwleRRKHowQ="),
  ]

  @Test(arguments: vectors)
  func published(_ vector: Vector) {
    func text(_ source: String, _ sourcePort: UInt16, _ destination: String, _ destinationPort: UInt16) -> String {
      CommunityID.text(
        source: address(source), sourcePort: sourcePort, destination: address(destination),
        destinationPort: destinationPort, transport: TransportProtocol(rawValue: vector.proto))
    }
    #expect(text(vector.a, vector.aPort, vector.b, vector.bPort) == vector.text)
    #expect(text(vector.b, vector.bPort, vector.a, vector.aPort) == vector.text)
  }

  // baseline/baseline_seed1.json of the same.
  @Test func publishedWithSeed() {
    let text = CommunityID.text(
      source: address("128.232.110.120"), sourcePort: 34_855, destination: address("66.35.250.204"),
      destinationPort: 80, transport: .tcp, seed: 1)
    #expect(text == "1:3V71V58M3Ksw/yuFALMcW0LAHvc=")
  }

  @Test func equalAddressesAreOrderedByPort() {
    let ports: [(UInt16, UInt16)] = [(5_000, 80), (80, 5_000)]
    let texts = ports.map { source, destination in
      CommunityID.text(
        source: address("127.0.0.1"), sourcePort: source, destination: address("127.0.0.1"),
        destinationPort: destination, transport: .tcp)
    }
    #expect(texts[0] == texts[1])
  }
}
