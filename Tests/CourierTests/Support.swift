import Bytes
import Courier
import Foundation
import Protocols

/// Bytes from hexadecimal digits; anything else between them is for the reader.
func bytes(_ hex: String) -> [UInt8] {
  let digits = hex.utf8.compactMap { byte in Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) } }
  return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}

/// A piece of plaintext with its sender.
struct Piece {
  var side: FlowSide
  var bytes: [UInt8]
  init(_ side: FlowSide, _ bytes: [UInt8]) {
    self.side = side
    self.bytes = bytes
  }
}

extension CourierConnection {
  /// Takes pieces as records with the ordinals 1, 2, ... of their side.
  mutating func read(_ pieces: [Piece]) -> [CourierMessage] {
    var messages: [CourierMessage] = []
    var records: [FlowSide: Int] = [:]
    for piece in pieces {
      records[piece.side, default: 0] += 1
      consume(piece.bytes.rawSpan, from: piece.side, record: records[piece.side] ?? 0) { messages.append($0) }
    }
    return messages
  }
}

/// A command of the older framing.
func tlv(_ command: UInt8, _ fields: [(UInt8, [UInt8])]) -> [UInt8] {
  let body = fields.flatMap { [$0.0, UInt8($0.1.count >> 8), UInt8($0.1.count & 255)] + $0.1 }
  return [command] + [24, 16, 8, 0].map { UInt8(body.count >> $0 & 255) } + body
}

/// A command of the packed framing, its body given; below 255 bytes the length is one byte.
func pack(_ command: UInt8, _ body: [UInt8]) -> [UInt8] {
  guard body.count >= 255 else { return [command, UInt8(body.count)] + body }
  let rest = body.count - 255
  return [command, 0xff] + (rest < 128 ? [UInt8(rest)] : [UInt8(rest & 127) | 0x80, UInt8(rest >> 7)]) + body
}

/// A property list as Foundation writes it.
func propertyList(_ value: [String: Any]) throws -> [UInt8] {
  [UInt8](try PropertyListSerialization.data(fromPropertyList: value, format: .binary, options: 0))
}

/// SHA-1 of "com.apple.madrid", as pushproxy's `messages.py` has it.
let madrid = bytes("e4e6d952954168d0a5db02dbaf27cc35fc18d159")
let token = [UInt8](repeating: 0xaa, count: 32)
let connectTLV = tlv(7, [(1, token), (2, [1]), (5, [0, 0, 0, 0x41])])
let connectedTLV = tlv(8, [(1, [0]), (3, token)])

/// Connect with token (cached), state 1, flags 0x41: 41 = key 1, cached; 20 = data of 32 bytes; 02 81; 05 a0 41.
let connectPacked = pack(7, bytes("41 20") + token + bytes("02 81 05 a0 41"))
/// Connected: status 0, token (cached).
let connectedPacked = pack(8, bytes("01 80 43 20") + token)

/// A conversation in the packed framing, each command a record.
let packedConversation: [Piece] = [
  Piece(.client, connectPacked), Piece(.server, connectedPacked),
  // SetState: state 1, interval 0x7fffffff (a3 = integer of four bytes).
  Piece(.client, bytes("14 08  01 81  02 a3 7fffffff")),
  Piece(.server, bytes("0e 02  01 80")),
  // Typing: topic (cached, data of 20), token by reference, payload {c: 100, dtl: [{tP: "mailto:b" (cached)}]}, id 7.
  // 10 63 = a new key of one byte, 12 64746c = one of three, 51 7450 = one of two whose value is cached.
  Piece(
    .client,
    pack(
      0x0a,
      bytes("41 14") + madrid + bytes("82 01  03 c2 10 63 a0 64  12 64746c d1 c1 51 7450 48 6d61696c746f3a62  04 87"))),
  Piece(.server, bytes("0b 04  04 87 08 80")),
  // Text: topic, token and keys by reference (c is index 2, dtl 1); the keys P and E are new, so that c would be 4 afterwards.
  Piece(
    .client,
    pack(0x0a, bytes("81 01 82 02 03 c3 22 a0 64 21 d1 c1 10 50 05 1122334455 10 45 44 70616972  04 88"))),
  Piece(.server, bytes("0b 04  04 88 08 80")),
  // A push: token by reference (index 0), topic of an app, JSON, id 0x01020304, from storage.
  Piece(
    .server,
    pack(
      0x0a,
      bytes("81 00 42 14") + [UInt8](1...20) + bytes("03 15") + Array(#"{"aps":{"alert":"x"}}"#.utf8)
        + bytes("04 a3 01020304 07 82"))),
  Piece(.client, bytes("0b 0a  81 02 04 a3 01020304 08 80")),
]
