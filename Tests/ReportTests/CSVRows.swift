import Testing

private struct UnclosedField: Error {}

/// The fields of comma-separated values: RFC 4180, section 2, read strictly.
func csvRows(_ bytes: [UInt8]) throws -> [[String]] {
  var rows: [[String]] = []
  var row: [String] = []
  var rest = Substring(String(decoding: bytes, as: UTF8.self)).unicodeScalars
  while !rest.isEmpty {
    var field = String.UnicodeScalarView()
    if rest.first == "\"" {
      rest.removeFirst()
      while true {
        guard let next = rest.popFirst() else { throw UnclosedField() }
        if next != "\"" {
          field.append(next)
        } else if rest.first == "\"" {
          field.append(next)
          rest.removeFirst()
        } else {
          break
        }
      }
    } else {
      while let next = rest.first, next != ",", next != "\r" {
        #expect(next != "\"" && next != "\n")
        field.append(next)
        rest.removeFirst()
      }
    }
    row.append(String(field))
    guard let end = rest.popFirst() else { throw UnclosedField() }
    if end == "," { continue }
    #expect(end == "\r")
    let feed = rest.popFirst()
    #expect(feed == "\n")
    rows.append(row)
    row = []
  }
  return rows
}
