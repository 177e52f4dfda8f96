// JSON text (RFC 8259).

extension RecordBuffer {
  /// Writes the comma that a further member or element needs: the byte before it tells whether there was one.
  public mutating func separate() {
    switch bytes.last {
    case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: "\n"): break
    default: append(UInt8(ascii: ","))
    }
  }

  /// Writes a member's name. Names are ours and need no escape.
  public mutating func key(_ name: StaticString) {
    separate()
    append(UInt8(ascii: "\""))
    append(name)
    append("\":" as StaticString)
  }

  /// Writes a member with text.
  public mutating func member(_ name: StaticString, _ text: String) {
    key(name)
    string(text)
  }

  /// Writes a member with text, where there is any.
  public mutating func member(_ name: StaticString, _ text: String?) {
    if let text, !text.isEmpty { member(name, text) }
  }

  /// Writes a member with a whole number.
  public mutating func member<Number: FixedWidthInteger>(_ name: StaticString, _ number: Number) {
    key(name)
    append(decimal: number)
  }

  /// Writes a member with a time.
  public mutating func member(_ name: StaticString, time: Int64) {
    key(name)
    append(UInt8(ascii: "\""))
    append(time: time)
    append(UInt8(ascii: "\""))
  }

  /// Writes a member with a list of texts, where it holds any.
  public mutating func member(_ name: StaticString, _ texts: [String]) {
    guard !texts.isEmpty else { return }
    key(name)
    append(UInt8(ascii: "["))
    for text in texts {
      separate()
      string(text)
    }
    append(UInt8(ascii: "]"))
  }

  /// Writes a member with a list of whole numbers, where it holds any.
  public mutating func member<Number: FixedWidthInteger>(_ name: StaticString, _ numbers: some Collection<Number>) {
    guard !numbers.isEmpty else { return }
    key(name)
    append(UInt8(ascii: "["))
    for number in numbers {
      separate()
      append(decimal: number)
    }
    append(UInt8(ascii: "]"))
  }

  /// Writes a member with counts by name, in the order of the names, where it holds any.
  public mutating func member(_ name: StaticString, _ counts: [String: UInt64]) {
    guard !counts.isEmpty else { return }
    key(name)
    append(UInt8(ascii: "{"))
    for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
      separate()
      string(name)
      append(UInt8(ascii: ":"))
      append(decimal: count)
    }
    append(UInt8(ascii: "}"))
  }

  /// Writes a member with an object; nothing where `body` writes nothing.
  public mutating func object(_ name: StaticString, _ body: (inout RecordBuffer) -> Void) {
    let before = bytes.count
    key(name)
    append(UInt8(ascii: "{"))
    let empty = bytes.count
    body(&self)
    if bytes.count == empty {
      truncate(to: before)
    } else {
      append(UInt8(ascii: "}"))
    }
  }

  /// Writes a member with a list of objects, where it holds any.
  public mutating func objects<Element>(
    _ name: StaticString, _ elements: [Element], _ body: (Element, inout RecordBuffer) -> Void
  ) {
    guard !elements.isEmpty else { return }
    key(name)
    append(UInt8(ascii: "["))
    for element in elements {
      separate()
      append(UInt8(ascii: "{"))
      body(element, &self)
      append(UInt8(ascii: "}"))
    }
    append(UInt8(ascii: "]"))
  }

  /// Writes a string, so escaped that neither a JSON reader nor a terminal is led astray: RFC 8259's control
  /// characters and also DEL, C1 controls, line separators and bidirectional controls.
  public mutating func string(_ text: String) {
    append(UInt8(ascii: "\""))
    // Safe: the storage is lent for the closure only.
    let isPlain = unsafe text.utf8.withContiguousStorageIfAvailable { unsafe Self.isPlain($0.span) }
    if isPlain == true {
      append(text)
    } else {
      for scalar in text.unicodeScalars { escaped(scalar) }
    }
    append(UInt8(ascii: "\""))
  }

  /// Whether text is printable ASCII that needs no escape.
  private static func isPlain(_ text: Span<UInt8>) -> Bool {
    for i in text.indices {
      let byte = text[i]
      guard byte >= 0x20, byte < 0x7f, byte != 0x22, byte != 0x5c else { return false }
    }
    return true
  }

  private mutating func escaped(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x22, 0x5c:
      append(UInt8(ascii: "\\"))
      append(UInt8(truncatingIfNeeded: scalar.value))
    case 0x0a: append("\\n" as StaticString)
    case 0x0d: append("\\r" as StaticString)
    case 0x09: append("\\t" as StaticString)
    case 0..<0x20, 0x7f...0x9f, 0x200b...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff:
      append("\\u" as StaticString)
      append(hex: UInt64(scalar.value), digits: 4)
    default: append(scalar)
    }
  }
}
