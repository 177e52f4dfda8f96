/// How wide text is, roughly and rather too much than too little, so that labels can be placed without a browser.
public enum TextMetrics {
  /// Advance widths of U+0020 to U+007E in hundredths of an em, of DejaVu Sans, the widest of the usual system fonts.
  private static let widths: [Double] = [
    32, 40, 46, 84, 64, 95, 78, 27, 39, 39, 50, 84, 32, 36, 32, 34, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 34, 34, 84,
    84, 84, 53, 100, 68, 69, 70, 77, 63, 58, 77, 75, 29, 29, 66, 56, 86, 75, 79, 60, 79, 69, 63, 61, 73, 68, 99, 69, 61,
    69, 39, 34, 39, 84, 50, 50, 61, 63, 55, 63, 62, 35, 63, 63, 28, 28, 58, 28, 97, 63, 61, 63, 63, 41, 52, 39, 63, 59,
    82, 59, 59, 52, 64, 34, 64, 84,
  ]

  /// How much wider semibold text is.
  static let boldFactor = 1.14

  /// Width of text in the unit of its size.
  ///
  /// Characters beyond ASCII count as Latin letters up to U+02FF and as full-width from U+1100 on.
  public static func width(_ text: String, size: Double) -> Double {
    var hundredths = 0.0
    for scalar in text.unicodeScalars {
      let value = scalar.value
      if value >= 0x20, value <= 0x7E {
        hundredths += widths[Int(value - 0x20)]
      } else if value == 0xA0 {
        hundredths += 32
      } else {
        hundredths += value < 0x300 ? 70 : value < 0x1100 ? 80 : 105
      }
    }
    return hundredths / 100 * size
  }

  /// Text in lines of at most a width, broken at spaces, and inside words that are longer than a line.
  public static func wrapped(_ text: String, width limit: Double, size: Double) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      var word = String(word)
      let joined = line.isEmpty ? word : line + " " + word
      if width(joined, size: size) <= limit {
        line = joined
        continue
      }
      if !line.isEmpty { lines.append(line) }
      while width(word, size: size) > limit, word.count > 1 {
        var head = word
        while width(head, size: size) > limit, head.count > 1 { head.removeLast() }
        lines.append(head)
        word.removeFirst(head.count)
      }
      line = word
    }
    if !line.isEmpty || lines.isEmpty { lines.append(line) }
    return lines
  }

  /// Text of at most so many characters; an ellipsis stands for what is cut out of its middle.
  public static func shortened(_ text: String, characters limit: Int) -> String {
    guard limit > 3, text.count > limit else { return text }
    let tail = limit / 3
    return text.prefix(limit - tail - 1) + "\u{2026}" + text.suffix(tail)
  }

  /// Text of at most a width; an ellipsis stands for what is cut off its end.
  public static func shortened(_ text: String, width limit: Double, size: Double) -> String {
    guard width(text, size: size) > limit else { return text }
    var text = String(text.prefix(400))
    while !text.isEmpty, width(text + "\u{2026}", size: size) > limit { text.removeLast() }
    return text + "\u{2026}"
  }
}
