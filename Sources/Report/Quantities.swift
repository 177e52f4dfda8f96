// Numbers as a person reads them.

/// "12,345"; from ten millions on "12.3 M".
func count(_ number: UInt64) -> String {
  guard number < 10_000_000 else { return scaled(Double(number), ["", " k", " M", " G", " T", " P", " E"]) }
  var text = ""
  for (position, digit) in String(number).reversed().enumerated() {
    if position > 0, position % 3 == 0 { text.append(",") }
    text.append(digit)
  }
  return String(text.reversed())
}

/// "1 flow", "2 flows".
func counted(_ number: UInt64, _ noun: String) -> String { "\(count(number)) \(noun)\(number == 1 ? "" : "s")" }

/// "850 B", "14.8 kB", "1.20 GB", in powers of 1,000.
func size(_ bytes: UInt64) -> String {
  bytes < 1_000 ? "\(bytes) B" : scaled(Double(bytes), [" B", " kB", " MB", " GB", " TB", " PB", " EB"])
}

private func scaled(_ number: Double, _ units: [String]) -> String {
  var value = number
  var unit = 0
  while value >= 999.5, unit + 1 < units.count {
    value /= 1_000
    unit += 1
  }
  return fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0) + units[unit]
}

/// "0 s", "850 ms", "54.2 s", "3:12", "2:03:12", "3 d 4 h".
func duration(_ nanoseconds: UInt64) -> String {
  let milliseconds = (nanoseconds + 500_000) / 1_000_000
  if nanoseconds == 0 { return "0 s" }
  if milliseconds < 1 { return "<1 ms" }
  if milliseconds < 1_000 { return "\(milliseconds) ms" }
  if milliseconds < 99_950 { return fixed(Double(milliseconds) / 1_000, 1) + " s" }
  let seconds = (milliseconds + 500) / 1_000
  if seconds < 3_600 { return "\(seconds / 60):\(pair(seconds % 60))" }
  if seconds < 86_400 { return "\(seconds / 3_600):\(pair(seconds / 60 % 60)):\(pair(seconds % 60))" }
  return "\(seconds / 86_400) d \(seconds / 3_600 % 24) h"
}

/// "97 %"; what would be rounded to certainty reads ">99 %".
func percent(_ share: Double) -> String {
  guard share.isFinite else { return "?" }
  let share = min(max(share, 0), 1)
  return share >= 0.995 && share < 1 ? ">99 %" : fixed(share * 100, 0) + " %"
}

/// The share that a part has of a whole: "13 %", "<1 %".
func portion(_ part: UInt64, of whole: UInt64) -> String {
  guard part > 0, whole > 0 else { return "0 %" }
  let share = Double(part) / Double(whole)
  return share < 0.01 ? "<1 %" : share > 0.99 && part < whole ? ">99 %" : fixed(share * 100, 0) + " %"
}

/// "2025-12-04 10:11:12 UTC".
func dateAndTime(_ nanoseconds: Int64) -> String {
  var buffer = RecordBuffer()
  buffer.append(time: nanoseconds)
  let text = String(decoding: buffer.bytes, as: UTF8.self)
  return text.prefix(10) + " " + text.dropFirst(11).prefix(8) + " UTC"
}

/// "10:11:12.123".
func timeOfDay(_ nanoseconds: Int64) -> String {
  var buffer = RecordBuffer()
  buffer.append(time: nanoseconds)
  return String(String(decoding: buffer.bytes, as: UTF8.self).dropFirst(11).prefix(12))
}

/// A number with exactly `places` decimals.
func fixed(_ number: Double, _ places: Int) -> String {
  var scale = 1.0
  for _ in 0..<places { scale *= 10 }
  guard let scaled = Int64(exactly: (number * scale).rounded()) else { return "?" }
  let digits = String(scaled.magnitude)
  let padded = String(repeating: "0", count: max(places + 1 - digits.count, 0)) + digits
  let sign = scaled < 0 ? "-" : ""
  return places == 0 ? sign + padded : sign + padded.dropLast(places) + "." + padded.suffix(places)
}

private func pair(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
