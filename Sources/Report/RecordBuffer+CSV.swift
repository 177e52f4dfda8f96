extension RecordBuffer {
  /// Appends a field of a CSV row: quoted where it needs to be (RFC 4180, section 2), control characters made visible, and
  /// an apostrophe before what a spreadsheet would take for a formula.
  public mutating func append(csvField text: String) {
    guard let first = text.utf8.first else { return }
    let isFormula = [0x3d, 0x2b, 0x2d, 0x40, 0x09, 0x0d].contains(first)
    let harmless = printable(text)
    let needsQuotes = harmless.utf8.contains { $0 == 0x22 || $0 == 0x2c } || harmless.first == " "
    if needsQuotes { append(UInt8(ascii: "\"")) }
    if isFormula { append(UInt8(ascii: "'")) }
    for byte in harmless.utf8 {
      if byte == 0x22 { append(byte) }
      append(byte)
    }
    if needsQuotes { append(UInt8(ascii: "\"")) }
  }
}
