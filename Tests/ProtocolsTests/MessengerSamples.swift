import Bytes
import TestSupport

@testable import Protocols

/// First bytes and datagrams of the messengers, all synthetic: built after the documents that the recognizers name.
enum MessengerSample {
  static func random(_ count: Int, seed: UInt64 = 1) -> [UInt8] {
    var generator = SeededRandom(seed)
    return (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  /// Random bytes of which none could be padding or text.
  static func filler(_ count: Int, _ byte: UInt8 = 0xa7) -> [UInt8] { [UInt8](repeating: byte, count: count) }

  static func little(_ value: Int, _ count: Int = 4) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  /// A first stretch of a stream that its protocol is sure of.
  struct Opening: Sendable, CustomStringConvertible {
    var messenger: MessengerProtocol
    var bytes: [UInt8]
    var side = FlowSide.client
    var port: UInt16 = 443
    /// Whether each shorter stretch is "need more", since the first byte says something.
    var isFixed = true
    var description: String { "\(messenger) of \(bytes.count) bytes" }
  }

  /// whatsmeow's opening: prologue, frame of 36 bytes, clientHello with an ephemeral key of 32 bytes.
  static let noise: [UInt8] = [0x57, 0x41, 6, 3, 0, 0, 0x24, 0x12, 0x22, 0x0a, 0x20] + random(32)

  /// core.telegram.org/mtproto/samples-auth_key: req_pq_multi, a message of 40 bytes without a key.
  static let requestPQ: [UInt8] =
    filler(8, 0) + Sample.hex("51e57ac42770964a") + little(20) + Sample.hex("f18e7ebe") + random(16)

  static let openings: [Opening] = [
    Opening(messenger: .whatsapp, bytes: noise, port: 5222),
    Opening(messenger: .whatsapp, bytes: Sample.hex("45440001000004080a0508") + noise),
    Opening(
      messenger: .whatsapp, bytes: Sample.hex("57410105000017f80501a59189fc0f") + Array("Android-2.12.84".utf8),
      port: 5222),
    Opening(messenger: .mtproto, bytes: [0xef, 10] + requestPQ),
    Opening(messenger: .mtproto, bytes: filler(4, 0xee) + little(40) + requestPQ),
    Opening(messenger: .mtproto, bytes: filler(4, 0xdd) + little(47) + requestPQ + random(7)),
    Opening(messenger: .mtproto, bytes: little(52) + little(0) + requestPQ + random(4), isFixed: false),
    Opening(
      messenger: .viber, bytes: little(96, 2) + Sample.hex("add4dc17fcff0380590000") + random(83), port: 4244,
      isFixed: false),
    Opening(messenger: .kakaotalk, bytes: little(256) + little(15) + little(2) + random(256), port: 995),
    Opening(
      messenger: .kakaotalk,
      bytes: little(1) + little(0, 2) + Array("GETCONF".utf8) + filler(4, 0) + [0] + little(9) + little(9)
        + Sample.hex("0a61000000"), isFixed: false),
    Opening(
      messenger: .mmtls,
      bytes: Sample.hex("16f10300d4000000d00103f101c02b") + random(32) + random(170)),
    Opening(messenger: .mmtls, bytes: Sample.hex("17f1030030") + random(48), side: .server),
    Opening(messenger: .mmtls, bytes: Array("POST /mmtls/0a1b2c3d HTTP/1.1\r\nHost: a.example\r\n".utf8), port: 80),
    Opening(messenger: .mars, bytes: Sample.hex("00000010 0010 0001 00000006 ffffffff"), port: 8080, isFixed: false),
    Opening(
      messenger: .oicq, bytes: Sample.hex("0020 02 3b0b 0825 1234 561f0c7b") + random(18) + [3], port: 8000,
      isFixed: false),
    Opening(
      messenger: .msTURN,
      bytes: Sample.hex("02000024 00030010") + random(16) + Sample.hex("000f000472c64bc6 0008000400000006")),
    Opening(messenger: .mqttot, bytes: Sample.hex("10a002 0006") + Array("MQTToT".utf8) + Sample.hex("03c2003c")),
    Opening(
      messenger: .fcm,
      bytes: [41, 2, 0x80, 1, 0x0a, 9] + Array("android-1".utf8) + [0x12, 15] + Array("mcs.android.com".utf8)
        + random(64), port: 5228),
    Opening(messenger: .hmsPush, bytes: Sample.hex("2500451404") + random(64), port: 5223),
    Opening(messenger: .miPush, bytes: Sample.hex("c2fe0005 00000080") + random(40), port: 5222),
    Opening(
      messenger: .miPush, bytes: Array("<iq to='xiaomi.com' id='0' chid='0' type='get'><ping/></iq>".utf8), port: 5222,
      isFixed: false),
  ]

  static func rtp(_ sequence: Int, type: UInt8 = 112, ssrc: [UInt8] = [1, 0, 4, 2]) -> [UInt8] {
    [0x90, type, UInt8(sequence >> 8), UInt8(sequence & 255), 0, 1, 2, 3] + ssrc + Sample.hex("bede000132aabbcc")
      + random(40)
  }

  static let rtcp: [UInt8] = Sample.hex("80c8000601000402e13779d7e7ec12da000009100000000500000 0b5")

  /// Michel et al., figure 5: SFU encapsulation of 8 bytes, media encapsulation of audio with RTP behind 19.
  static func zoomAudio(_ sequence: Int) -> [UInt8] {
    Sample.hex("05 0001 01020304 00") + [15] + filler(18, 0) + rtp(sequence)
  }

  static func zoomVideo(_ sequence: Int) -> [UInt8] {
    Sample.hex("05 0001 01020304 04") + [16] + filler(19, 0) + [2, 0, 7, 3] + rtp(sequence, type: 98)
  }

  static let zoomRequest: [UInt8] =
    Sample.hex("010003") + random(16, seed: 5) + Sample.hex("00000000 00000002 007a002a 007a002a 00000010")
    + random(16) + filler(4, 0)
  static let zoomAnswer: [UInt8] =
    Sample.hex("020003") + random(16, seed: 5) + Sample.hex("005a0e3e 007a002a") + filler(8, 0)

  static let zoomPeer: [UInt8] =
    Sample.hex("1f0201") + random(21) + Sample.hex("00000009") + Array("192.0.2.7".utf8) + Sample.hex("00000024")
    + filler(36, 0x41) + filler(4, 0)

  static func discovery(_ type: UInt8, address: String = "") -> [UInt8] {
    [0, type, 0, 70, 0, 0, 0xac, 0xe3] + Array(address.utf8) + filler(64 - address.utf8.count, 0) + [0, 0]
  }

  static let reflectorTag = random(16, seed: 9)
  static let reflectorHello = reflectorTag + filler(12, 0xff) + Sample.hex("feffffff 000000000000007b")
  static let reflectorAnswer =
    reflectorTag + filler(12, 0xff) + Sample.hex("c77215c0 60dab25e 000000000000007b") + filler(10, 0)
    + Sample.hex("ffff570bcdc3 00001234")

  static func reflectorData(_ inner: [UInt8]) -> [UInt8] {
    let size = inner.count
    return reflectorTag + random(4) + [0, 0, UInt8(size >> 8), UInt8(size & 255)] + inner
      + filler((4 - size % 4) % 4, 0)
  }

  static func line(_ first: UInt8, _ counter: Int, _ kind: [UInt8], _ count: Int) -> [UInt8] {
    let length = count - 4
    return [first | UInt8(length >> 8), UInt8(length & 255), 0, UInt8(counter)] + kind + random(count - 4 - kind.count)
  }

  static let viberProbe = Sample.hex("edf6 1900") + random(30)
  static let viberAnswer = Sample.hex("edf6 1a00") + random(16)
  static let mumblePing = Sample.hex("00000000 03d72000fa76287e")
  static let mumblePong = Sample.hex("00010500 03d72000fa76287e 00000003 00000064 00011940")
  static let oicq = Sample.hex("02 3b0b 0017 0017 561f0c7b") + random(30) + [3]
  static let teamSpeak = Array("TS3INIT1".utf8) + Sample.hex("0065 0000 88 063bece9 00") + random(16)

  /// Conversations with the signature that stands at their end.
  struct Talk: Sendable, CustomStringConvertible {
    var messenger: MessengerProtocol
    var strength: MessengerSignature.Strength
    var datagrams: [(FlowSide, [UInt8])]
    var port: UInt16
    var mediaOffset: Int?
    var description: String { "\(messenger) \(strength) on \(port)" }
  }

  static let talks: [Talk] = [
    Talk(messenger: .zoom, strength: .sure, datagrams: [(.client, zoomRequest), (.server, zoomAnswer)], port: 44_000),
    Talk(messenger: .zoom, strength: .sure, datagrams: [(.client, zoomRequest)], port: 8801),
    Talk(messenger: .zoom, strength: .weak, datagrams: [(.client, zoomRequest)], port: 44_000),
    Talk(messenger: .zoom, strength: .sure, datagrams: [(.client, zoomAudio(1))], port: 8801, mediaOffset: 27),
    Talk(messenger: .zoom, strength: .weak, datagrams: [(.client, zoomAudio(1))], port: 44_000, mediaOffset: 27),
    Talk(
      messenger: .zoom, strength: .sure, datagrams: [(.client, zoomVideo(1)), (.client, zoomVideo(2))], port: 44_000,
      mediaOffset: 32),
    Talk(
      messenger: .zoom, strength: .sure,
      datagrams: [(.client, zoomPeer), (.server, [15] + filler(18, 0) + rtp(5))], port: 44_000, mediaOffset: 19),
    Talk(
      messenger: .zoom, strength: .sure, datagrams: [(.server, [5, 34] + filler(15, 0) + rtcp)], port: 8801,
      mediaOffset: 17),
    Talk(
      messenger: .discord, strength: .sure,
      datagrams: [(.client, discovery(1)), (.server, discovery(2, address: "192.0.2.1"))], port: 50_004),
    Talk(messenger: .discord, strength: .sure, datagrams: [(.server, Sample.hex("1337cafe09000000"))], port: 50_001),
    Talk(
      messenger: .telegramReflector, strength: .sure,
      datagrams: [(.client, reflectorHello), (.server, reflectorAnswer), (.client, reflectorData(rtp(9)))], port: 597,
      mediaOffset: 24),
    Talk(messenger: .lineCall, strength: .sure, datagrams: [(.client, line(0xd8, 9, [6, 2], 876))], port: 20_610),
    Talk(
      messenger: .lineCall, strength: .weak, datagrams: [(.client, line(0xd0, 9, [0x18, 0x71], 135))], port: 20_610),
    Talk(
      messenger: .lineCall, strength: .sure,
      datagrams: [
        (.client, line(0xd0, 9, [0x18, 0x71], 135)), (.client, line(0xd0, 10, [0x18, 0x71], 300)),
        (.client, line(0xd0, 11, [0x4a, 7], 541)),
      ], port: 20_610),
    Talk(messenger: .viberCall, strength: .weak, datagrams: [(.client, viberProbe)], port: 7987),
    Talk(
      messenger: .viberCall, strength: .sure, datagrams: [(.client, viberProbe), (.server, viberAnswer)], port: 7987),
    Talk(messenger: .mumble, strength: .weak, datagrams: [(.client, mumblePing)], port: 64_738),
    Talk(messenger: .mumble, strength: .sure, datagrams: [(.client, mumblePing), (.server, mumblePong)], port: 40_000),
    Talk(messenger: .oicq, strength: .sure, datagrams: [(.client, oicq)], port: 8000),
    Talk(messenger: .oicq, strength: .weak, datagrams: [(.client, oicq)], port: 9000),
    Talk(messenger: .oicq, strength: .sure, datagrams: [(.client, oicq), (.server, oicq)], port: 9000),
    Talk(messenger: .teamSpeak, strength: .sure, datagrams: [(.client, teamSpeak)], port: 9987),
    Talk(messenger: .webex, strength: .weak, datagrams: [(.client, Sample.hex("0100000000000001"))], port: 9000),
  ]
}

/// The recognizers over arrays, for expectations, which take no borrowed bytes.
extension MessengerSignature {
  static func of(stream: [UInt8], from side: FlowSide = .client, port: UInt16) -> MessengerRecognition {
    recognize(stream: stream.rawSpan, from: side, serverPort: port)
  }

  static func of(datagram: [UInt8], from side: FlowSide = .client, port: UInt16) -> MessengerSignature? {
    recognize(datagram: datagram.rawSpan, from: side, serverPort: port, clientPort: 50_000, ordinal: 0)
  }
}

extension MessengerConversation {
  mutating func take(_ datagram: [UInt8], from side: FlowSide) -> DatagramReading {
    consume(datagram.rawSpan, from: side)
  }
}

extension MessengerStream {
  mutating func take(_ chunk: [UInt8], from side: FlowSide) -> MessengerSignature? {
    consume(chunk.rawSpan, from: side)
  }
}
