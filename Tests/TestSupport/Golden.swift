import Foundation

/// How a text differs from a golden file that a person has read; nil where it does not.
///
/// With `WIRETAG_RECORD=1` the file is written anew instead; read the difference before keeping it.
/// - Parameters:
///   - text: what the code under test says.
///   - name: the file's name in the folder `Golden` beside `source`.
///   - source: a file of the test target.
/// - Returns: the first line that differs, as it is and as it was.
/// - Throws: where the file cannot be read or written.
public func differenceFromGolden(_ text: String, _ name: String, beside source: String) throws -> String? {
  let file = URL(filePath: source).deletingLastPathComponent().appending(path: "Golden/\(name)")
  if ProcessInfo.processInfo.environment["WIRETAG_RECORD"] == "1" {
    try Data(text.utf8).write(to: file)
    return nil
  }
  let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
  guard text != expected else { return nil }
  let lines = text.components(separatedBy: "\n")
  let wanted = expected.components(separatedBy: "\n")
  let first = zip(lines, wanted).enumerated().first { $1.0 != $1.1 }?.offset ?? min(lines.count, wanted.count)
  return """
    \(name) differs from line \(first + 1) on:
      is     \(first < lines.count ? lines[first] : "(no line)")
      was    \(first < wanted.count ? wanted[first] : "(no line)")
    """
}
