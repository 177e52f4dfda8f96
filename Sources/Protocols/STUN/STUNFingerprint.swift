import Bytes

//  RFC 8489, section 14.7: FINGERPRINT is the last attribute, and holds CRC-32 (ITU V.42) over the message before it,
//  XORed with 0x5354554e

extension STUNMessage {
  /// Whether it ends with a FINGERPRINT that fits its bytes: proof of a whole STUN message.
  public var hasValidFingerprint: Bool {
    let start = bytes.byteCount &- 8
    guard !isCut, start >= Self.headerLength,
      bytes.u32(start) == UInt32(STUNAttributeType.fingerprint.rawValue) << 16 | 4
    else { return false }
    return crc32(bytes.slice(0, start)) ^ 0x5354_554e == bytes.u32(start &+ 4)
  }
}

/// CRC-32 with the reflected polynomial 0xedb88320 (ITU V.42, section 8.1.1.6.2), four bits at a time.
private func crc32(_ bytes: borrowing RawSpan) -> UInt32 {
  var crc: UInt32 = 0xffff_ffff
  for i in 0..<bytes.byteCount {
    crc ^= UInt32(bytes.u8(i))
    crc = crc >> 4 ^ remainder(crc)
    crc = crc >> 4 ^ remainder(crc)
  }
  return ~crc
}

private func remainder(_ crc: UInt32) -> UInt32 {
  switch crc & 15 {
  case 0x0: 0
  case 0x1: 0x1db7_1064
  case 0x2: 0x3b6e_20c8
  case 0x3: 0x26d9_30ac
  case 0x4: 0x76dc_4190
  case 0x5: 0x6b6b_51f4
  case 0x6: 0x4db2_6158
  case 0x7: 0x5005_713c
  case 0x8: 0xedb8_8320
  case 0x9: 0xf00f_9344
  case 0xa: 0xd6d6_a3e8
  case 0xb: 0xcb61_b38c
  case 0xc: 0x9b64_c2b0
  case 0xd: 0x86d3_d2d4
  case 0xe: 0xa00a_e278
  default: 0xbdbd_f21c
  }
}
