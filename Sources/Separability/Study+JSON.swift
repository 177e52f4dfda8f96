import CCatalogue
import Foundation

extension Study {
  /// The study as one JSON object, keys in the order of the alphabet.
  public func json() -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    // What is not finite is not known.
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "infinite", negativeInfinity: "-infinite", nan: "unknown")
    guard let data = try? encoder.encode(self) else { return [] }
    return Array(data) + [UInt8(ascii: "\n")]
  }
}

extension ActTable {
  /// The measurement in a file, or the one that ships.
  /// - Returns: nil where nothing was measured.
  /// - Throws: `StudyError` where it cannot be read.
  public static func measured(path: String?) throws(StudyError) -> ActTable? {
    let data: Data
    if let path {
      do {
        data = try Data(contentsOf: URL(filePath: path))
      } catch {
        throw StudyError("\(path): cannot be read: \(error.localizedDescription)")
      }
    } else {
      var count = 0
      // Safe: the C function gives a static array and its length.
      data = unsafe Data(buffer: UnsafeBufferPointer(start: wiretag_act_json(&count), count: count))
    }
    do {
      let table = try JSONDecoder().decode(ActTable.self, from: data)
      return table.rules.isEmpty ? nil : table
    } catch {
      throw StudyError("\(path ?? "act.json"): is no measurement of tools/lab/act: \(error)")
    }
  }
}
