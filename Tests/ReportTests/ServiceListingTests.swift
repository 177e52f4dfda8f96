import Classify
import Testing

@testable import Report

/// What `wiretag services` says of the ways that calls show themselves.
@Suite struct ServiceListingTests {
  private func catalogue() throws -> Catalogue {
    try Catalogue(
      merging: """
        services:
          - name: Firm calls
            tag: calling
            about: Our own relay
            also: [WhatsApp calls]
            identify:
              - {stun-attribute: [attr 0xBEEF], also: [Zoom], weight: 0.4}
              - {first-bytes: [udp either len 74 00 01], ports: [udp/16384-16403], both-ends: true}
              - {behaviour: [a burst each second]}
          - {name: Firm chat, tag: messaging, calls: Firm calls, identify: [{stun-text: [firm relay]}]}
        """, named: "mine.yaml")
  }

  private func detail(_ name: String) throws -> [String] {
    let service = try #require(try catalogue().service(named: name))
    let style = TextStyle(width: 100)
    return ServiceListing(style: style).detail(service).map { $0.trimmingSpaces }
  }

  @Test func saysWhatRowsAskFor() throws {
    let lines = try detail("Firm calls")
    for line in [
      "cannot be told from WhatsApp calls", "also shown by Zoom", "weighs 40 % of its kind",
      "only between udp/16384-16403", "listed, not compared with flows",
    ] { #expect(lines.contains(line), "\(line) in \(lines)") }
    #expect(lines.contains { $0.hasPrefix("stun-attribute") && $0.contains("attr 0xbeef") })
    #expect(try detail("Firm chat").contains("media at its names and addresses belong to Firm calls"))
    #expect(try detail("RTP").contains("a protocol that many services speak: gives way to one with a name"))
  }

  @Test func saysTheSameInJSON() throws {
    func json(_ name: String) throws -> String {
      String(decoding: ServiceListing.jsonLine(try #require(try catalogue().service(named: name))), as: UTF8.self)
    }
    let calls = try json("Firm calls")
    for part in [
      #""also":["WhatsApp calls"]"#, #""also":["Zoom"]"#, #""both_ends":true"#, #""kind":"stun-attribute""#,
      #""weight":0.4"#,
    ] { #expect(calls.contains(part), "\(part) in \(calls)") }
    #expect(try json("Firm chat").contains(#""calls":"Firm calls""#))
    #expect(try json("RTP").contains(#""generic":true"#))
  }
}

extension String {
  fileprivate var trimmingSpaces: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
