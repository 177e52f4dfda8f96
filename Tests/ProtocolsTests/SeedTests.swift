import Bytes
import TestSupport
import Testing

@testable import Protocols

/// What the fuzzers start from and what they found, read again as in FuzzTLS.swift and FuzzDNS.swift.
@Suite struct SeedTests {
  /// A stream as FuzzTLS takes it: length and side before each chunk, a gap or single bytes where it says so.
  private func feed(_ input: [UInt8], serverPort: UInt16) -> (largest: Int, kept: Int, parser: StreamParser) {
    var parser = StreamParser(clientPort: 50_000, serverPort: serverPort)
    var largest = 0
    var kept = 0
    var at = 0
    while parser.wantsMore, at + 2 <= input.count {
      let head = Int(input[at]) << 8 | Int(input[at + 1])
      let side: FlowSide = head & 0x8000 == 0 ? .client : .server
      if head & 0x4000 != 0 { parser.skipGap(from: side) }
      let chunk = Array(input[at + 2..<min(at + 2 + head & 0x1fff, input.count)])
      at += 2 + chunk.count
      for part in head & 0x2000 != 0 ? chunk.map({ [$0] }) : [chunk] {
        parser.consume(unsafe part.span.bytes, from: side)
        largest = max(largest, parser.bufferedBytes)
        if !parser.wantsMore { kept = max(kept, parser.bufferedBytes) }
      }
    }
    return (largest, kept, parser)
  }

  @Test func tlsSeedsStayWithinTheirBounds() throws {
    let seeds = try FuzzSeeds.all(of: "TLS")
    #expect(seeds.count >= 20)
    var hellos = 0
    for (name, input) in seeds {
      guard input.count > 1 else { continue }
      let rest = Array(input.dropFirst())
      switch input[0] % 5 {
      case 0, 1:
        let fed = feed(rest, serverPort: input[0] % 5 == 0 ? 443 : 25)
        #expect(fed.largest <= 1 << 18, "\(name): buffers grow")
        #expect(fed.kept == 0, "\(name): memory kept after the end")
        hellos += fed.parser.facts.tls == nil ? 0 : 1
      case 2:
        guard rest.count > 6, rest[0] == 22, rest[5] == 1 else { continue }
        var whole = StreamParser(clientPort: 1, serverPort: 443)
        var bytewise = whole
        whole.consume(unsafe rest.span.bytes, from: .client)
        for byte in rest { bytewise.consume(unsafe [byte].span.bytes, from: .client) }
        #expect(whole.facts.tls == bytewise.facts.tls, "\(name): a cut changed what was read")
        hellos += whole.facts.tls == nil ? 0 : 1
      case 3:
        let cache = FingerprintCache()
        var reader = ByteReader(unsafe rest.span.bytes)
        guard let hello = try? ClientHello(parsing: &reader) else { continue }
        #expect(cache.ja3(of: hello) == JA3.fingerprint(of: hello), "\(name)")
        #expect(cache.ja4(of: hello, over: .quic) == JA4.fingerprint(of: hello, over: .quic), "\(name)")
        hellos += 1
      default:
        let names = CertificateNames(der: rest).names
        #expect(names.allSatisfy { !$0.isEmpty && !$0.utf8.contains { $0 < 0x20 } }, "\(name): \(names)")
      }
    }
    #expect(hellos > 5, "seeds that say nothing prove nothing")
  }

  @Test func dnsSeedsDoNotDependOnTheirCuts() throws {
    let seeds = try FuzzSeeds.all(of: "DNS")
    #expect(seeds.count >= 9)
    var questions = 0
    for (name, input) in seeds {
      guard input.count > 1 else { continue }
      let rest = Array(input.dropFirst())
      switch input[0] % 3 {
      case 0:
        guard let message = try? DNSMessage(parsing: unsafe rest.span.bytes) else { continue }
        questions += message.questions.count
        #expect(message.questions.allSatisfy { $0.name.utf8.count <= 4 * DNSName.maximumLength }, "\(name)")
        #expect(message.answers.count + message.additionals.count <= DNSMessage.maximumRecords, "\(name)")
      case 1:
        var whole = StreamParser(clientPort: 40_000, serverPort: 53)
        var pieces = whole
        whole.consume(unsafe rest.span.bytes, from: .server)
        let size = 1 + Int(input[0] / 3)
        for start in stride(from: 0, to: rest.count, by: size) {
          let piece = Array(rest[start..<min(start + size, rest.count)])
          pieces.consume(unsafe piece.span.bytes, from: .server)
          #expect(pieces.bufferedBytes <= 1 << 16, "\(name): buffers grow")
        }
        guard whole.facts.application == .dns else { continue }
        questions += whole.facts.dnsQuestions.count
        #expect(whole.facts.dnsQuestions == pieces.facts.dnsQuestions, "\(name): a cut changed what was read")
        #expect(whole.takeAnswers() == pieces.takeAnswers(), "\(name): a cut changed what was read")
      default:
        useCache(rest, name)
      }
    }
    #expect(questions > 3, "seeds that say nothing prove nothing")
  }

  /// Steps of four bytes: what, who, which address, and how much time passes.
  private func useCache(_ input: [UInt8], _ name: String) {
    guard let capacity = input.first else { return }
    var cache = NameCache(capacity: Int(capacity))
    var now: Int64 = 0
    for at in stride(from: 1, to: input.count - 3, by: 4) {
      let step = input[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      let client = IPAddress(v4: step >> 16 & 7)
      let server = IPAddress(v4: step >> 8 & 7)
      now += Int64(step & 255) * 10_000_000_000
      if step >> 24 & 1 == 0 {
        let answer = DNSAnswer(name: "n\(step >> 19 & 7)", address: server, timeToLive: step >> 25)
        cache.learn(client: client, answers: [answer], at: now)
        #expect(cache.names(client: client, server: server, at: now).first == answer.name, "\(name): just learned")
      }
      let names = cache.names(client: client, server: server, at: now)
      #expect(names.count <= NameCache.maximumNames && Set(names).count == names.count, "\(name)")
    }
  }
}
