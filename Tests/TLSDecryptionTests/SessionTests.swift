import Bytes
import Protocols
import TestSupport
import Testing

@testable import TLSDecryption

/// Sessions that OpenSSL 3.0 spoke with itself over a pre-shared key or a throw-away certificate, one for each kind of
/// protection.
@Suite struct SessionTests {
  struct Sample: Sendable, CustomTestStringConvertible {
    var name: String
    var suite: UInt16
    var client = ["from the client\n", "again from the client\n"]
    var server = ["from the server\n"]
    var testDescription: String { name }

    func session() throws -> Session {
      let seed = try #require(try FuzzSeeds.all(of: "Decryption").first { $0.name == name })
      return Session(parsing: seed.bytes)
    }
  }

  static let tls12 = [
    Sample(name: "tls12-aes128-gcm", suite: 0x00a8), Sample(name: "tls12-aes256-gcm", suite: 0x00a9),
    Sample(name: "tls12-chacha20", suite: 0xccab), Sample(name: "tls12-aes128-cbc-sha", suite: 0x008c),
    Sample(name: "tls12-aes128-cbc-sha-etm", suite: 0x008c), Sample(name: "tls12-aes256-cbc-sha", suite: 0x008d),
    Sample(name: "tls12-aes256-cbc-sha-etm", suite: 0x008d), Sample(name: "tls12-aes128-cbc-sha256", suite: 0x00ae),
    Sample(name: "tls12-aes128-cbc-sha256-etm", suite: 0x00ae),
    Sample(name: "tls12-aes256-cbc-sha384", suite: 0x00af),
    Sample(name: "tls12-aes256-cbc-sha384-etm", suite: 0x00af),
  ]
  static let renegotiation = Sample(name: "tls12-renegotiation", suite: 0x00a8)
  static let updates = Sample(
    name: "tls13-chacha20-updates", suite: 0x1303,
    client: ["from the client\n", "again from the client\n", "a third time\n"])
  static let early = Sample(
    name: "tls13-early-data", suite: 0x1302, client: ["early from the client\n", "from the client\n"])
  static let tls13 = [
    Sample(name: "tls13-aes128-gcm", suite: 0x1301), Sample(name: "tls13-aes256-gcm-retry", suite: 0x1302), updates,
    early,
  ]
  static let all = tls12 + tls13 + [renegotiation]

  @Test(arguments: all)
  func everyRecordOpens(sample: Sample) throws {
    let session = try sample.session()
    #expect(session.secrets.count >= 1)
    for cut in [session, session.cut(to: 1), session.cut(to: 61)] {
      let reading = cut.read()
      #expect(reading.said(.client) == sample.client)
      #expect(reading.said(.server) == sample.server)
      #expect(reading.connection.closedRecords == 0)
      #expect(reading.connection.missingRecords == 0)
      #expect(reading.connection.cipherSuite == sample.suite)
      #expect(reading.connection.version == (sample.name.hasPrefix("tls13") ? .tls13 : .tls12))
      let numbers = reading.records.filter { $0.event.side == .client && $0.event.applicationNumber > 0 }
      #expect(numbers.map(\.event.applicationNumber) == Array(1...sample.client.count))
      for (event, text) in reading.records where event.isDecrypted {
        #expect(event.plaintextLength == text.count)
        #expect(event.length > event.plaintextLength + event.paddingLength)
      }
    }
  }

  /// RFC 5246, section 6.2.3.2: what padding says must fit the block cipher's arithmetic.
  @Test(arguments: tls12.filter { $0.name.contains("cbc") })
  func paddingFillsTheBlock(sample: Sample) throws {
    let macLength = sample.name.contains("sha384") ? 48 : sample.name.contains("sha256") ? 32 : 20
    for (event, _) in try sample.session().read().records where event.isDecrypted {
      #expect(event.length == 16 + event.plaintextLength + event.paddingLength + macLength)
      #expect((1...256).contains(event.paddingLength))
    }
  }

  @Test func keyUpdatesAreCountedBySide() throws {
    let reading = try Self.updates.session().read()
    let client = reading.records.filter { $0.event.side == .client && $0.event.applicationNumber > 0 }
    #expect(client.map(\.event.keyUpdates) == [0, 1, 2])
    let server = reading.records.filter { $0.event.side == .server && $0.event.applicationNumber > 0 }
    #expect(server.map(\.event.keyUpdates) == [1], "the client asked for one")
  }

  @Test func aNewHandshakeHasKeysOfItsOwn() throws {
    let session = try Self.renegotiation.session()
    let reading = session.read()
    let client = reading.records.filter { $0.event.side == .client && $0.event.applicationNumber > 0 }
    #expect(client.map(\.event.keyUpdates) == [0, 1])
    // With the first handshake's secret alone, what follows the second is closed, and said to be.
    let first = try #require(session.chunks.first).bytes[11..<43]
    var partial = TLSSecrets()
    let log = try #require(try FuzzSeeds.all(of: "Decryption").first { $0.name == Self.renegotiation.name }).bytes
    let lines = log[2..<2 + (Int(log[0]) << 8 | Int(log[1]))].split(separator: 10)
    for line in lines where String(decoding: line, as: UTF8.self).contains(first.hex) {
      _ = partial.add(keyLog: Array(line))
    }
    #expect(partial.count == 1)
    let closed = session.read(secrets: partial)
    #expect(closed.said(.client) == ["from the client\n"])
    #expect(closed.records.last?.event.obstacle == .noSecrets)
  }

  /// Whatever single record is lost, the ones behind it open, but for those that only the lost one could explain.
  @Test(arguments: all)
  func aLostRecordCostsItself(sample: Sample) throws {
    let session = try sample.session().cutToRecords()
    let whole = session.read()
    for lost in session.chunks.indices {
      let event = whole.records[lost].event
      // Without hellos there is nothing to look up, and without either half of a second handshake neither.
      if event.epoch == .clear, event.type == .handshake { continue }
      if sample.name == Self.renegotiation.name, event.type == .handshake { continue }
      var gap = session
      gap.chunks.remove(at: lost)
      if let next = gap.chunks[lost...].firstIndex(where: { $0.side == event.side }) {
        gap.chunks[next].isBehindGap = true
      }
      let reading = gap.read()
      var expected = whole.records.filter { $0.event.type == .applicationData }
      if event.type == .applicationData {
        expected.removeAll { $0.event.side == event.side && $0.event.applicationNumber == event.applicationNumber }
      }
      let found = reading.records.filter { $0.event.type == .applicationData && $0.event.isDecrypted }
      #expect(found.map(\.text) == expected.map(\.text), "without record \(lost)")
    }
  }

  /// Lost bytes inside a record: the search finds the next one, whatever the segments are. (The side is moved behind the
  /// other, which a second handshake would not survive.)
  @Test(arguments: tls12 + tls13, [3, 40, 200])
  func aHoleCostsTheRecordAroundIt(sample: Sample, length: Int) throws {
    let session = try sample.session()
    let records = session.cutToRecords()
    let place = try #require(records.read().records.firstIndex { $0.event.applicationNumber == 1 })
    var hole = records
    hole.chunks[place].bytes.removeFirst(2)
    let side = hole.chunks[place].side
    hole.chunks[place].isBehindGap = true
    var bytes: [UInt8] = []
    for chunk in hole.chunks[place...] where chunk.side == side { bytes += chunk.bytes }
    hole.chunks[place...].removeAll { $0.side == side }
    for at in stride(from: 0, to: bytes.count, by: length) {
      hole.chunks.append(
        Session.Chunk(
          side: side, bytes: Array(bytes[at..<min(at + length, bytes.count)]), isBehindGap: at == 0))
    }
    let said = hole.read().said(side)
    #expect(said == Array((side == .client ? sample.client : sample.server).dropFirst()))
  }

  @Test(arguments: all)
  func withoutSecretsRecordsAreCountedAndClosed(sample: Sample) throws {
    let reading = try sample.session().read(secrets: TLSSecrets())
    #expect(reading.connection.status == .closed(.noSecrets))
    #expect(reading.connection.openedRecords == 0)
    #expect(reading.records.allSatisfy { $0.event.obstacle == nil || $0.text.isEmpty })
    let whole = try sample.session().read()
    #expect(reading.records.map(\.event.length) == whole.records.map(\.event.length))
  }

  /// A session that was joined behind its hellos.
  @Test(arguments: tls12 + tls13)
  func withoutHellosNothingIsClaimed(sample: Sample) throws {
    var session = try sample.session().cutToRecords()
    let whole = session.read().records
    let begin = try #require(whole.firstIndex { $0.event.applicationNumber > 0 && $0.event.epoch == .application })
    session.chunks.removeFirst(begin)
    let reading = session.read()
    #expect(reading.records.count == whole.count - begin)
    #expect(reading.records.allSatisfy { !$0.event.isDecrypted })
    #expect(reading.connection.status == .closed(.handshakeNotSeen))
  }

  @Test func secretsMayComeLate() throws {
    for sample in Self.tls12 + [Self.tls13[0], Self.tls13[1]] {
      let session = try sample.session().cutToRecords()
      let place = try #require(session.read().records.firstIndex { $0.event.applicationNumber > 0 })
      var early = session
      early.chunks.removeSubrange(place...)
      var late = session
      late.chunks.removeSubrange(..<place)
      let begun = early.read(secrets: TLSSecrets())
      let reading = late.read(begun.connection)
      #expect(reading.said(.client) == sample.client, "\(sample.name)")
      #expect(reading.said(.server) == sample.server, "\(sample.name)")
    }
  }

  @Test func whatIsNotImplementedIsNamed() throws {
    let reading = try Sample(name: "tls12-ccm", suite: 0xc0a8).session().read()
    #expect(reading.connection.status == .closed(.notSupported(version: 0x0303, suite: 0xc0a8)))
  }

  @Test func whatPrecedesTLSIsPassedOver() throws {
    let sample = Self.tls12[0]
    for length in [1, 10, 1000] {
      var session = try sample.session()
      session.chunks.insert(.init(side: .server, bytes: Array("220 mail.example.org ESMTP\r\n".utf8)), at: 0)
      session.chunks.insert(.init(side: .client, bytes: Array("STARTTLS\r\n".utf8)), at: 1)
      let reading = session.cut(to: length).read()
      #expect(reading.said(.client) == sample.client)
      #expect(reading.said(.server) == sample.server)
    }
  }
}
