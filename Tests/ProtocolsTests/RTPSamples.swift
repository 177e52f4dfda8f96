import Bytes

@testable import Protocols

/// Synthetic RTP and RTCP after the figures of RFC 3550.
enum RTPSample {
  static func u32(_ value: UInt32) -> [UInt8] { Sample.u16(Int(value >> 16)) + Sample.u16(Int(value & 0xffff)) }

  /// A packet (section 5.1) whose payload repeats a byte.
  static func packet(
    _ sequence: UInt16, timestamp: UInt32, ssrc: UInt32 = 0x1234_5678, type: UInt8 = 111, marker: Bool = false,
    size: Int = 80, extensionProfile: UInt16? = nil
  ) -> [UInt8] {
    var bytes: [UInt8] = [0x80, type | (marker ? 0x80 : 0)] + Sample.u16(Int(sequence)) + u32(timestamp) + u32(ssrc)
    if let extensionProfile {
      bytes[0] |= 0x10
      bytes += Sample.u16(Int(extensionProfile)) + [0, 1, 0x31, 0, 1, 0]
    }
    return bytes + [UInt8](repeating: 0xa5, count: size)
  }

  /// A sender report without report blocks (section 6.4.1).
  static func senderReport(_ ssrc: UInt32, blocks: Int = 0) -> [UInt8] {
    [0x80 | UInt8(blocks), 200] + Sample.u16(6 + 6 * blocks) + u32(ssrc)
      + [UInt8](repeating: 0x5a, count: 20 + 24 * blocks)
  }

  /// A receiver report (section 6.4.2).
  static func receiverReport(_ ssrc: UInt32, blocks: Int = 1) -> [UInt8] {
    [0x80 | UInt8(blocks), 201] + Sample.u16(1 + 6 * blocks) + u32(ssrc) + [UInt8](repeating: 0x5a, count: 24 * blocks)
  }

  /// A source description with a CNAME (section 6.5).
  static func sourceDescription(_ ssrc: UInt32, name: String) -> [UInt8] {
    var chunk = u32(ssrc) + [1, UInt8(name.utf8.count)] + Array(name.utf8)
    repeat { chunk.append(0) } while chunk.count % 4 != 0
    return [0x81, 202] + Sample.u16(chunk.count / 4) + chunk
  }

  /// A goodbye (section 6.6).
  static func bye(_ ssrc: UInt32) -> [UInt8] { [0x81, 203, 0, 1] + u32(ssrc) }
}

extension RTPConversation {
  /// Feeds datagrams of a side and gives what each came to.
  mutating func feed(_ datagrams: [[UInt8]], from side: FlowSide = .client) -> [DatagramReading] {
    datagrams.map { consume($0.rawSpan, from: side) }
  }
}

// A span cannot be named inside `#expect`.
extension RTCPDatagram {
  init(of bytes: [UInt8]) { self.init(bytes.rawSpan) }
}

extension RTPHeader {
  init(of bytes: [UInt8]) throws(ParseError) { try self.init(parsing: bytes.rawSpan) }
}

extension MultiplexedRange {
  init(of bytes: [UInt8]) { self.init(bytes.rawSpan) }
}
