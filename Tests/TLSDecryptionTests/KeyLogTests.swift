import Testing

@testable import TLSDecryption

@Suite struct KeyLogTests {
  private static let random = String(repeating: "ab", count: 32)
  private static let short = String(repeating: "01", count: 32)
  private static let long = String(repeating: "02", count: 48)

  private static func read(_ text: String) -> (TLSSecrets, KeyLogReport) {
    var secrets = TLSSecrets()
    let report = secrets.add(keyLog: Array(text.utf8))
    return (secrets, report)
  }

  @Test func everyLabelIsTaken() throws {
    let (secrets, report) = Self.read(
      """
      # a comment
      CLIENT_RANDOM \(Self.random) \(Self.long)\r
      CLIENT_EARLY_TRAFFIC_SECRET \(Self.random) \(Self.short)

      CLIENT_HANDSHAKE_TRAFFIC_SECRET \(Self.random) \(Self.short)
      SERVER_HANDSHAKE_TRAFFIC_SECRET \(Self.random.uppercased()) \(Self.long)
      CLIENT_TRAFFIC_SECRET_0 \(Self.random) \(Self.short)
      SERVER_TRAFFIC_SECRET_0 \(Self.random) \(Self.long)
      """)
    #expect(report == KeyLogReport(secrets: 6))
    #expect(secrets.count == 1)
    let known = try #require(ClientRandom([UInt8](repeating: 0xab, count: 32)).flatMap { secrets[$0] })
    let (short, long) = ([UInt8](repeating: 1, count: 32), [UInt8](repeating: 2, count: 48))
    #expect(
      known
        == ConnectionSecrets(
          master: long, clientEarly: short, clientHandshake: short, serverHandshake: long, clientTraffic: short,
          serverTraffic: long))
  }

  @Test func otherLinesAreCountedByKind() {
    let (secrets, report) = Self.read(
      """
      RSA 0123456789abcdef \(Self.long)
      EXPORTER_SECRET \(Self.random) \(Self.short)
      QUIC_SERVER_TRAFFIC_SECRET_0 \(Self.random) \(Self.short)
      ECH_SECRET \(Self.random) \(Self.short)
      """)
    #expect(report == KeyLogReport(rsaLines: 1, otherLines: 3))
    #expect(secrets.count == 0)
  }

  @Test(arguments: [
    "CLIENT_RANDOM", "CLIENT_RANDOM \(random)", "CLIENT_RANDOM \(random) \(short)", "CLIENT_RANDOM ab \(long)",
    "CLIENT_RANDOM \(random) \(long) more", "CLIENT_RANDOM \(random) zz\(long.dropFirst(2))",
    "CLIENT_RANDOM \(random) \(long.dropFirst())", "CLIENT_TRAFFIC_SECRET_0 \(random) 0102", "client_random x y",
    "CLIENT_RANDOM \(random) \(long)\(long)\(long)", "\u{1}\u{2}\u{3}", "a lower-case line",
  ])
  func aBrokenLineIsNamedByItsNumber(line: String) {
    let (secrets, report) = Self.read("# first\n\(line)\nCLIENT_RANDOM \(Self.random) \(Self.long)\n")
    #expect(report.brokenLines == [2])
    #expect(report.brokenLineCount == 1)
    #expect(report.secrets == 1)
    #expect(secrets.count == 1)
  }

  @Test func ofManyBrokenLinesTheFirstAreNamed() {
    let (_, report) = Self.read(String(repeating: "?\n", count: 300))
    #expect(report.brokenLineCount == 300)
    #expect(report.brokenLines == Array(1...TLSSecrets.maximumBrokenLines))
  }

  @Test func severalLogsAreOne() {
    var secrets = TLSSecrets()
    _ = secrets.add(keyLog: Array("CLIENT_RANDOM \(Self.random) \(Self.long)".utf8))
    let other = String(repeating: "cd", count: 32)
    let report = secrets.add(keyLog: Array("CLIENT_RANDOM \(other) \(Self.long)".utf8))
    #expect(report.secrets == 1)
    #expect(secrets.count == 2)
  }

  @Test func connectionsBeyondTheCapAreCounted() {
    var secrets = TLSSecrets()
    var report = KeyLogReport()
    let part = TLSSecrets.maximumConnections / 8
    for first in 0..<9 {
      var log: [UInt8] = []
      log.reserveCapacity(part * 180)
      for number in first * part..<(first + 1) * part where first < 8 || number < 8 * part + 3 {
        let digits = String(number, radix: 16)
        let random = String(repeating: "0", count: 64 - digits.count) + digits
        log += Array("CLIENT_RANDOM \(random) \(Self.long)\n".utf8)
      }
      report = secrets.add(keyLog: log)
    }
    #expect(secrets.count == TLSSecrets.maximumConnections)
    #expect(report.notKept == 3)
  }
}
