import Bytes
import Protocols
import Testing

@testable import TLSDecryption

/// The traces of RFC 8448, byte by byte.
@Suite struct RFC8448Tests {
  private static func session(_ lines: [String]) -> Session {
    var session = Session(
      chunks: [
        (.client, RFC8448.clientHello), (.server, RFC8448.serverHello), (.server, RFC8448.serverFlight),
        (.client, RFC8448.clientFinished), (.server, RFC8448.newSessionTicket), (.client, RFC8448.clientData),
        (.server, RFC8448.serverData), (.client, RFC8448.clientAlert), (.server, RFC8448.serverAlert),
      ].map { Session.Chunk(side: $0, bytes: $1) })
    let report = session.secrets.add(keyLog: Array(lines.joined(separator: "\n").utf8))
    #expect(report.secrets == lines.count)
    return session
  }

  @Test func keysComeFromTheTrafficSecrets() {
    func expand(_ secret: String, _ label: String, _ count: Int) -> String {
      KeyDerivation.expanded(hex(secret), label: label, count: count, hash: .sha256).hex
    }
    #expect(expand(RFC8448.serverHandshakeSecret, "key", 16) == "3fce516009c21727d0f2e4e86ee403bc")
    #expect(expand(RFC8448.serverHandshakeSecret, "iv", 12) == "5d313eb2671276ee13000b30")
    #expect(expand(RFC8448.clientHandshakeSecret, "key", 16) == "dbfaa693d1762c5b666af5d950258d01")
    #expect(expand(RFC8448.clientHandshakeSecret, "iv", 12) == "5bd3c71b836e0b76bb73265f")
    #expect(expand(RFC8448.clientSecret, "key", 16) == "17422dda596ed5d9acd890e3c63f5051")
    #expect(expand(RFC8448.serverSecret, "iv", 12) == "cf782b88dd83549aadf1e984")
    #expect(expand(RFC8448.earlySecret, "key", 16) == "920205a5b7bf2115e6fc5c2942834f54")
    #expect(expand(RFC8448.earlySecret, "iv", 12) == "6d475f0993c8e564610db2b9")
  }

  @Test(arguments: [1, 2, 7, 100, 1 << 16])
  func everyRecordOpensHoweverTheStreamIsCut(length: Int) {
    let reading = Self.session(RFC8448.keyLog).cut(to: length).read()
    let types = reading.records.map(\.event.type.rawValue)
    #expect(types == [22, 22, 22, 22, 22, 23, 23, 21, 21])
    #expect(reading.records.map(\.event.length) == [196, 90, 674, 53, 222, 67, 67, 19, 19])
    #expect(reading.records.map(\.event.plaintextLength) == [196, 90, 657, 36, 205, 50, 50, 2, 2])
    #expect(
      reading.records.map(\.event.epoch) == [
        .clear, .clear, .handshake, .handshake, .application, .application, .application, .application, .application,
      ])
    #expect(reading.records.dropFirst(2).allSatisfy { $0.event.isDecrypted && $0.event.outerType == .applicationData })
    #expect(reading.records[5].text == RFC8448.data)
    #expect(reading.records[6].text == RFC8448.data)
    #expect(reading.records[7].text == [1, 0])
    #expect(reading.records[8].text == [1, 0])
    #expect(reading.records.map(\.event.applicationNumber) == [0, 0, 0, 0, 0, 1, 1, 0, 0])
    #expect(reading.connection.status == .open)
    #expect(reading.connection.version == .tls13)
    #expect(reading.connection.cipherSuite == 0x1301)
    #expect(reading.connection.clientRandom?.bytes.hex == RFC8448.random)
  }

  /// With the application secrets alone the handshake stays closed.
  @Test func applicationDataOpensWithoutTheHandshakesSecrets() {
    let reading = Self.session(Array(RFC8448.keyLog[2...])).read()
    #expect(reading.records.map(\.event.isDecrypted) == [false, false, false, false, true, true, true, true, true])
    #expect(reading.records.map(\.event.applicationNumber) == [0, 0, 0, 0, 0, 1, 1, 0, 0])
  }

  @Test func earlyDataOpensBeforeTheServerSpoke() {
    var session = Session(
      chunks: [RFC8448.resumingHello, RFC8448.earlyData].map { Session.Chunk(side: .client, bytes: $0) })
    let closed = session.read()
    #expect(closed.records.last?.event.obstacle == .noSecrets)
    #expect(closed.connection.status == .closed(.noSecrets))
    _ = session.secrets.add(keyLog: Array(RFC8448.earlyKeyLog.utf8))
    let reading = session.read()
    #expect(reading.said(.client) == ["ABCDEF"])
    #expect(reading.records.last?.event.epoch == .early)
  }

  /// A flipped bit anywhere in a record closes that record and no other.
  @Test func aChangedRecordStaysClosed() throws {
    for place in [5, 20, 71] {
      var session = Self.session(RFC8448.keyLog)
      session.chunks[5].bytes[place] ^= 1
      let reading = session.read()
      #expect(reading.records[5].event.obstacle == .doesNotOpen)
      #expect(reading.records[5].text.isEmpty)
      #expect(reading.records[6].event.isDecrypted)
      #expect(reading.records[7].event.isDecrypted, "the record behind it opens under its own number")
    }
  }
}

/// The PRF of TLS 1.2: vectors published on the TLS working group's list
/// (https://mailarchive.ietf.org/arch/msg/tls/fzVCzk-z3FShgGJ6DOXqM1ydxms).
@Suite struct PseudorandomTests {
  @Test func sha256() {
    let output = KeyDerivation.pseudorandom(
      hex("9bbe436ba940f017b17652849a71db35"), label: "test label", seed: hex("a0ba9f936cda311827a6f796ffd5198c"),
      count: 100, hash: .sha256)
    #expect(
      output
        == hex(
          """
          e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9c9a46b4e14baf9af0fa022f7
          077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789baa48082d122ee42c5a72e5a5110fff70187347b66
          """))
  }

  @Test func sha384() {
    let output = KeyDerivation.pseudorandom(
      hex("b80b733d6ceefcdc71566ea48e5567df"), label: "test label", seed: hex("cd665cf6a8447dd6ff8b27555edb7465"),
      count: 148, hash: .sha384)
    #expect(
      output
        == hex(
          """
          7b0c18e9ced410ed1804f2cfa34a336a1c14dffb4900bb5fd7942107e81c83cde9ca0faa60be9fe34f82b1233c9146a0e534cb40
          0fed2700884f9dc236f80edd8bfa961144c9e8d792eca722a7b32fc3d416d473ebc2c5fd4abfdad05d9184259b5bf8cd4d90fa0d
          31e2dec479e4f1a26066f2eea9a69236a3e52655c9e9aee691c8f3a26854308d5eaa3be85e0990703d73e56f
          """))
  }
}
