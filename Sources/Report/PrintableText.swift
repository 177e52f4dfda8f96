import Bytes

/// Text that a terminal shows and does not obey. Letters, digits, punctuation, symbols and spaces stay; everything
/// else (escape sequences, bidirectional and joining controls, combining marks, unassigned) is written as `\x1b` or
/// `\u{202e}`.
public func printable(_ text: String) -> String {
  if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) { return text }
  var harmless = ""
  for scalar in text.unicodeScalars {
    if isPrintable(scalar) {
      harmless.unicodeScalars.append(scalar)
    } else if scalar.value < 0x100 {
      harmless += "\\x" + [UInt8(truncatingIfNeeded: scalar.value)].hex
    } else {
      harmless += "\\u{" + String(scalar.value, radix: 16) + "}"
    }
  }
  return harmless
}

private func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
  if scalar.value < 0x7f { return scalar.value >= 0x20 }
  switch scalar.properties.generalCategory {
  case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .otherLetter, .decimalNumber, .letterNumber,
    .otherNumber, .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation, .initialPunctuation,
    .finalPunctuation, .otherPunctuation, .mathSymbol, .currencySymbol, .otherSymbol:
    return !scalar.properties.isDefaultIgnorableCodePoint && !(0x1100...0x11ff).contains(scalar.value)
      && !(0x1f1e6...0x1f1ff).contains(scalar.value)
  default: return false
  }
}

/// Columns that printable text takes on a terminal.
func columns(of text: some StringProtocol) -> Int {
  if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
  return text.unicodeScalars.reduce(0) { $0 + columns(of: $1) }
}

/// Two for the wide and full-width characters of Unicode Standard Annex 11 and for emoji, else one.
private func columns(of scalar: Unicode.Scalar) -> Int {
  switch scalar.value {
  case ..<0x1100: 1
  case 0x2329...0x232a, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0xa4cf, 0xa960...0xa97f,
    0xac00...0xd7a3, 0xf900...0xfaff, 0xfe10...0xfe19, 0xfe30...0xfe6f, 0xff01...0xff60, 0xffe0...0xffe6,
    0x16fe0...0x18cff, 0x1aff0...0x1b2ff, 0x1f200...0x1f2ff, 0x20000...0x3fffd:
    2
  default: scalar.properties.isEmojiPresentation || (0x1f300...0x1faff).contains(scalar.value) ? 2 : 1
  }
}

/// Which end of a text may be cut off to make it fit.
public enum Cut: Sendable {
  /// The end goes: prose, values.
  case end
  /// The start goes: host names, whose right end says whose they are.
  case start
  /// The middle goes: addresses.
  case middle
}

/// Printable text in at most `width` columns, with an ellipsis where something was cut off.
func fitted(_ text: String, to width: Int, cut: Cut, ellipsis: String = "…") -> String {
  guard columns(of: text) > width else { return text }
  guard width > columns(of: ellipsis) else { return String(ellipsis.prefix(max(width, 0))) }
  let room = width - columns(of: ellipsis)
  switch cut {
  case .end: return head(text, room) + ellipsis
  case .start: return ellipsis + tail(text, room)
  case .middle: return head(text, (room + 1) / 2) + ellipsis + tail(text, room / 2)
  }
}

private func head(_ text: String, _ width: Int) -> String { taken(text.unicodeScalars, width) }

private func tail(_ text: String, _ width: Int) -> String {
  String(String.UnicodeScalarView(taken(text.unicodeScalars.reversed(), width).unicodeScalars.reversed()))
}

private func taken(_ scalars: some Sequence<Unicode.Scalar>, _ width: Int) -> String {
  var part = ""
  var used = 0
  for scalar in scalars {
    used += columns(of: scalar)
    if used > width { break }
    part.unicodeScalars.append(scalar)
  }
  return part
}

/// Prose in lines of at most `width` columns, broken at spaces; later lines are indented.
func wrapped(
  _ text: String, to width: Int, first: String = "", indent: String = "", ellipsis: String = "…"
) -> [String] {
  var lines: [String] = []
  var line = first
  var isFresh = true
  for word in text.split(separator: " ") {
    let gap = isFresh ? "" : " "
    if !isFresh, columns(of: line) + 1 + columns(of: word) > width {
      lines.append(line)
      line = indent + word
    } else {
      line += gap + word
    }
    isFresh = false
  }
  lines.append(line)
  return lines.map { fitted($0, to: width, cut: .end, ellipsis: ellipsis) }
}

/// Prose in lines of at most `width` characters, broken at blanks, and inside words that are longer than a line. A no-break
/// space is no place for a line's end, so that a number keeps its unit.
public func brokenLines(_ text: String, to width: Int) -> [String] {
  let width = max(1, width)
  var lines: [String] = []
  var line = ""
  for word in text.split(separator: " ") {
    var word = word
    if !line.isEmpty, line.count + 1 + word.count <= width {
      line += " " + word
      continue
    }
    if !line.isEmpty { lines.append(line) }
    while word.count > width {
      lines.append(String(word.prefix(width)))
      word = word.dropFirst(width)
    }
    line = String(word)
  }
  return line.isEmpty && !lines.isEmpty ? lines : lines + [line]
}
