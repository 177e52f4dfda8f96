/// Numbers as people read them: grouped, rounded, with a unit. Values that are not finite read "not known".
public enum Numbers {
  /// What stands for a value that is not finite.
  public static let unknown = "not known"
  /// Between a number and its unit, so that no line ends there.
  static let space = "\u{A0}"

  /// A whole number in groups of three: "12,345".
  public static func grouped(_ number: Int) -> String {
    var digits = Array(String(number.magnitude))
    var at = digits.count - 3
    while at > 0 {
      digits.insert(",", at: at)
      at -= 3
    }
    return (number < 0 ? "\u{2212}" : "") + String(digits)
  }

  /// A number with so many decimals (at most 9), grouped: "1,234.50".
  public static func decimal(_ number: Double, places: Int) -> String {
    guard number.isFinite else { return unknown }
    let places = min(max(places, 0), 9)
    let unit = power(of: 10, places)
    let scaled = (number.magnitude * unit).rounded()
    // Beyond this a Double has no decimals left.
    guard scaled < 9e15 else { return number.description }
    let whole = Int(scaled)
    let sign = number < 0 && whole > 0 ? "\u{2212}" : ""
    guard places > 0 else { return sign + grouped(whole) }
    let fraction = String(whole % Int(unit))
    return sign + grouped(whole / Int(unit)) + "." + String(repeating: "0", count: places - fraction.count) + fraction
  }

  /// A number with so many significant digits, without zeros at the end: "0.0123", "1,230".
  public static func significant(_ number: Double, digits: Int = 3) -> String {
    guard number.isFinite else { return unknown }
    guard number != 0 else { return "0" }
    var places = digits
    var size = number.magnitude
    while size >= 1, places > 0 {
      size /= 10
      places -= 1
    }
    while size < 0.1, places < 9 {
      size *= 10
      places += 1
    }
    return trimmed(decimal(number, places: places))
  }

  /// A share as a percentage, never rounded to none or all: "12 %", "0.4 %", "< 0.1 %", "> 99.9 %".
  public static func percent(_ share: Double) -> String {
    guard share.isFinite else { return unknown }
    return percentDigits(share) + space + "%"
  }

  /// The same without the sign.
  public static func percentDigits(_ share: Double) -> String {
    guard share.isFinite else { return unknown }
    let percent = share * 100
    switch percent {
    case 0: return "0"
    case 100: return "100"
    case ..<0.1 where percent > 0: return "<" + space + "0.1"
    case 99.9... where percent < 100: return ">" + space + "99.9"
    case ..<9.95, 99...: return trimmed(decimal(percent, places: 1))
    default: return decimal(percent, places: 0)
    }
  }

  /// Bytes in decimal units: "427 B", "1.2 kB", "3.4 MB".
  public static func bytes(_ bytes: Double) -> String {
    guard bytes.isFinite else { return unknown }
    let (scaled, unit): (Double, String) =
      switch bytes.magnitude {
      case ..<1000: (bytes.rounded(), "B")
      case ..<999_500: (bytes / 1000, "kB")
      case ..<999_500_000: (bytes / 1e6, "MB")
      default: (bytes / 1e9, "GB")
      }
    return significant(scaled) + space + unit
  }

  /// A duration in the unit that fits: "35 ms", "1.2 s", "4 min", "3.2 h", "2 days".
  public static func seconds(_ seconds: Double) -> String {
    guard seconds.isFinite else { return unknown }
    let (scaled, unit): (Double, String) =
      switch seconds.magnitude {
      case 0: (0.0, "s")
      case ..<0.0995: (seconds * 1000, "ms")
      case ..<99.5: (seconds, "s")
      case ..<5_970: (seconds / 60, "min")
      case ..<171_000: (seconds / 3600, "h")
      default: (seconds / 86_400, "days")
      }
    return significant(scaled, digits: 2) + space + unit
  }

  /// A coordinate of a drawing: at most two decimals, a point, no groups.
  static func coordinate(_ number: Double) -> String {
    guard number.isFinite else { return "0" }
    let hundredths = Int((min(max(number, -1e9), 1e9) * 100).rounded())
    let whole = hundredths.magnitude / 100
    let rest = hundredths.magnitude % 100
    let sign = hundredths < 0 ? "-" : ""
    if rest == 0 { return sign + String(whole) }
    return trimmed(sign + String(whole) + (rest < 10 ? ".0" : ".") + String(rest))
  }

  /// Without zeros after the point, and without a point at the end.
  static func trimmed(_ digits: String) -> String {
    guard digits.contains(".") else { return digits }
    var digits = digits
    while digits.hasSuffix("0") { digits.removeLast() }
    if digits.hasSuffix(".") { digits.removeLast() }
    return digits
  }

  static func power(of base: Double, _ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<min(Int(exponent.magnitude), 308) { result *= base }
    return exponent < 0 ? 1 / result : result
  }
}
