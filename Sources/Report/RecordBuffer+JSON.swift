// JSON text (RFC 8259).

extension RecordBuffer {
  /// Writes the comma that a further member or element needs: the byte before it tells whether there was one.
  mutating func separate() {
    switch bytes.last {
    case nil, UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: ":"), UInt8(ascii: "\n"): break
    default: append(UInt8(ascii: ","))
    }
  }

  /// Writes a member's name. Names are ours and need no escape.
  mutating func key(_ name: String) {
    separate()
    append(UInt8(ascii: "\""))
    append(name)
    append(UInt8(ascii: "\""))
    append(UInt8(ascii: ":"))
  }

  /// Writes a member with text.
  mutating func member(_ name: String, _ text: String) {
    key(name)
    string(text)
  }

  /// Writes a member with text, where there is any.
  mutating func member(_ name: String, _ text: String?) {
    if let text, !text.isEmpty { member(name, text) }
  }

  /// Writes a member with a whole number.
  mutating func member<Number: FixedWidthInteger>(_ name: String, _ number: Number) {
    key(name)
    append(decimal: number)
  }

  /// Writes a member with a time.
  mutating func member(_ name: String, time: Int64) {
    key(name)
    append(UInt8(ascii: "\""))
    append(time: time)
    append(UInt8(ascii: "\""))
  }

  /// Writes a member with a list of texts, where it holds any.
  mutating func member(_ name: String, _ texts: [String]) {
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
  mutating func member<Number: FixedWidthInteger>(_ name: String, _ numbers: some Collection<Number>) {
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
  mutating func member(_ name: String, _ counts: [String: UInt64]) {
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
  mutating func object(_ name: String, _ body: (inout RecordBuffer) -> Void) {
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
  mutating func objects<Element>(
    _ name: String, _ elements: [Element], _ body: (Element, inout RecordBuffer) -> Void
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
  mutating func string(_ text: String) {
    append(UInt8(ascii: "\""))
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != 0x22 && $0 != 0x5c }) {
      append(text)
    } else {
      for scalar in text.unicodeScalars { escaped(scalar) }
    }
    append(UInt8(ascii: "\""))
  }

  private mutating func escaped(_ scalar: Unicode.Scalar) {
    switch scalar.value {
    case 0x22, 0x5c:
      append(UInt8(ascii: "\\"))
      append(UInt8(truncatingIfNeeded: scalar.value))
    case 0x0a: append("\\n")
    case 0x0d: append("\\r")
    case 0x09: append("\\t")
    case 0..<0x20, 0x7f...0x9f, 0x200b...0x200f, 0x2028...0x202e, 0x2066...0x2069, 0xfeff:
      append("\\u")
      append(hex: UInt64(scalar.value), digits: 4)
    default: append(scalar)
    }
  }
}
