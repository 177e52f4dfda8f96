import Bytes

@testable import Protocols

/// Bytes for tests: the traces of RFC 8448 and messages built by hand (synthetic, marked so).
enum Sample {
  static func hex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }

  /// RFC 8448, section 3: the ClientHello message with its header.
  static let rfc8448ClientHello = hex(
    """
    010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7000006130113031302010000910000000b
    0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d002099
    381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e0403050306030203080408
    05080604010501060102010402050206020202002d00020101001c00024001
    """)

  /// RFC 8448, section 3: the ServerHello message with its header.
  static let rfc8448ServerHello = hex(
    """
    020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020c98288
    76112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304
    """)

  /// Synthetic: a certificate by OpenSSL for courier.example.test, *.push.example.test and 192.0.2.1.
  static let certificate = hex(
    """
    3082027c308201e5a003020102021447eaca387633c8195726b7719eed98756f39845b300d06092a864886f70d01010b050030313110
    300e060355040a0c074578616d706c65311d301b06035504030c14636f75726965722e6578616d706c652e74657374301e170d323631
    3132323139303633365a170d3336313131393139303633365a30313110300e060355040a0c074578616d706c65311d301b0603550403
    0c14636f75726965722e6578616d706c652e7465737430819f300d06092a864886f70d010101050003818d0030818902818100bffd82
    780ff04bc0b0b83863ad06e9d76ee6be130406092ea869d90615b95ba8c8c7c4ee15dbe9983c67e18f038a0a8bff84bba17b9ccd2f1a
    4acb11a65491525d461e3985456b4e0967dfcd25303a96598f71bd009f054115b293825fedcfd6408beebd1d47fb949cae6111b45e34
    7b59196d8143c8610c7b3a746a63c4655b0203010001a3819030818d301d0603551d0e04160414894f8222fe03715fbb966b911cd7d9
    10cb9a4fdb301f0603551d23041830168014894f8222fe03715fbb966b911cd7d910cb9a4fdb300f0603551d130101ff040530030101
    ff303a0603551d11043330318214636f75726965722e6578616d706c652e7465737482132a2e707573682e6578616d706c652e746573
    748704c0000201300d06092a864886f70d01010b0500038181005f4642babb941c3c3fd608197608dfeaa696417ff1ff4b77e9d964a7
    9dfb73d88a9ca2511af956f1174fd08995191cdf4844b89b888caf62814ff4730976f4a40e18081fa04be76307f66648ac1d06aa6f62
    998df6631f0cb24d8276392c54de8ad288680eeee5335593c4d69865135d3fcbfab6a919daf92ccaa4018a40e882
    """)

  static func u16(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }
  static func u24(_ value: Int) -> [UInt8] { [UInt8(value >> 16 & 255)] + u16(value) }
  static func pairs(_ values: [UInt16]) -> [UInt8] { values.flatMap { u16(Int($0)) } }

  static func field(_ type: Int, _ value: [UInt8]) -> [UInt8] { u16(type) + u16(value.count) + value }

  static func serverName(_ name: [UInt8]) -> [UInt8] {
    let entry = [0] + u16(name.count) + name
    return field(0, u16(entry.count) + entry)
  }

  static func alpn(_ names: [[UInt8]]) -> [UInt8] {
    let list = names.flatMap { [UInt8($0.count)] + $0 }
    return field(16, u16(list.count) + list)
  }

  static func versions(_ values: [UInt16]) -> [UInt8] { field(43, [UInt8(values.count * 2)] + pairs(values)) }
  static func list16(_ type: Int, _ values: [UInt16]) -> [UInt8] {
    field(type, u16(values.count * 2) + pairs(values))
  }

  /// Synthetic: a ClientHello's body.
  static func clientHelloBody(
    version: Int = 0x0303, suites: [UInt16] = [0x1301, 0xc02f], extensions: [UInt8]? = nil
  ) -> [UInt8] {
    var body = u16(version) + [UInt8](repeating: 7, count: 32) + [0] + u16(suites.count * 2) + pairs(suites) + [1, 0]
    if let extensions { body += u16(extensions.count) + extensions }
    return body
  }

  static func message(_ type: UInt8, _ body: [UInt8]) -> [UInt8] { [type] + u24(body.count) + body }

  static func record(_ type: UInt8, _ fragment: [UInt8], version: Int = 0x0301) -> [UInt8] {
    [type] + u16(version) + u16(fragment.count) + fragment
  }

  /// Synthetic: a ServerHello message of TLS 1.2 or 1.3, or a HelloRetryRequest.
  static func serverHello(isTLS13: Bool, isRetry: Bool = false) -> [UInt8] {
    let retry = hex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
    let random = isRetry ? retry : [UInt8](repeating: 9, count: 32)
    let extensions = isTLS13 ? field(43, [3, 4]) : alpn([Array("h2".utf8)])
    return message(2, [3, 3] + random + [0, 0x13, 0x01, 0] + u16(extensions.count) + extensions)
  }

  static func certificateMessage(_ certificates: [[UInt8]]) -> [UInt8] {
    let list = certificates.flatMap { u24($0.count) + $0 }
    return message(11, u24(list.count) + list)
  }

  /// Synthetic: a hello with a name, as a record.
  static func helloRecord(_ name: String, isTLS13: Bool = true) -> [UInt8] {
    let extensions = serverName(Array(name.utf8)) + (isTLS13 ? versions([0x0a0a, 0x0304, 0x0303]) : [])
    return record(22, message(1, clientHelloBody(extensions: extensions)))
  }
}

extension StreamParser {
  /// Feeds bytes of a side, in chunks of at most `chunk` bytes.
  mutating func feed(_ bytes: [UInt8], from side: FlowSide, chunk: Int = .max) {
    var start = 0
    while start < bytes.count {
      let end = chunk < bytes.count - start ? start + chunk : bytes.count
      consume(Array(bytes[start..<end]).rawSpan, from: side)
      start = end
    }
  }

  mutating func feed(_ text: String, from side: FlowSide, chunk: Int = .max) {
    feed(Array(text.utf8), from: side, chunk: chunk)
  }

  static func stream(serverPort: UInt16 = 443) -> StreamParser {
    StreamParser(clientPort: 50_000, serverPort: serverPort)
  }
}

extension DatagramParser {
  /// What a test looks at: the parser itself cannot be copied into an expectation.
  struct State {
    var facts: FlowFacts
    var wantsMore: Bool
    var bufferedBytes: Int
  }

  var state: State { State(facts: facts, wantsMore: wantsMore, bufferedBytes: bufferedBytes) }
}
