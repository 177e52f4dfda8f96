import Foundation
import Testing

/// Compares text with a file of `Tests/CensorTests/Golden` that a person has read.
///
/// `WIRETAG_RECORD=1 swift test --filter CensorTests` writes the files anew; read the difference before keeping it.
func expectGolden(_ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
  let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden/\(name)")
  if ProcessInfo.processInfo.environment["WIRETAG_RECORD"] == "1" {
    try Data(text.utf8).write(to: file)
    return
  }
  let expected = String(decoding: try Data(contentsOf: file), as: UTF8.self)
  guard text != expected else { return }
  let lines = text.components(separatedBy: "\n")
  let wanted = expected.components(separatedBy: "\n")
  let first = zip(lines, wanted).enumerated().first { $1.0 != $1.1 }?.offset ?? min(lines.count, wanted.count)
  Issue.record(
    """
    \(name) differs from line \(first + 1) on:
      is     \(first < lines.count ? lines[first] : "(no line)")
      was    \(first < wanted.count ? wanted[first] : "(no line)")
    """, sourceLocation: sourceLocation)
}
