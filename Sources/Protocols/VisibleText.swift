import Bytes

/// Text that a peer sent, as text: UTF-8 stays, control characters, backslashes and bytes that are no UTF-8 become
/// `\xNN`, so that nothing is dropped and two different inputs never give the same text.
public func visibleText(_ bytes: borrowing RawSpan) -> String {
  var isPlain = true
  for i in 0..<bytes.byteCount {
    let byte = bytes.u8(i)
    if byte < 0x20 || byte > 0x7e || byte == 0x5c { isPlain = false }
  }
  guard isPlain else { return escaped(bytes.array) }
  // Safe: the pointer is used only inside the closure.
  return unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
}

private func escaped(_ bytes: [UInt8]) -> String {
  var text = ""
  var decoder = UTF8.ForwardParser()
  var index = bytes.makeIterator()
  var offset = 0
  while true {
    switch decoder.parseScalar(from: &index) {
    case .valid(let encoded):
      let scalar = UTF8.decode(encoded)
      let isControl = scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value)
      if isControl || scalar == "\\" {
        for byte in encoded { text += escape(byte) }
      } else {
        text.unicodeScalars.append(scalar)
      }
      offset += encoded.count
    case .error(let length):
      for byte in bytes[offset..<min(offset + length, bytes.count)] { text += escape(byte) }
      offset += length
    case .emptyInput:
      return text
    }
  }
}

private func escape(_ byte: UInt8) -> String {
  let digits = [0x5c, 0x78, hexDigit(byte >> 4), hexDigit(byte & 15)]
  return String(decoding: digits, as: UTF8.self)
}
