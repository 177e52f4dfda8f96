import Foundation
#if canImport(FoundationXML)
  import FoundationXML
#endif
import Testing

/// Compares text with a file of `Tests/PagesTests/Golden` that a person has read.
///
/// `WIRETAG_RECORD=1 swift test` writes the files anew; read the difference before keeping it.
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

/// Reads markup as XML with what it says in text; nil where it is not well-formed.
func textOf(_ markup: String, element: String? = nil) -> [String]? {
  final class Reader: NSObject, XMLParserDelegate {
    var texts: [String] = []
    var open: [String] = []
    let element: String?
    init(_ element: String?) { self.element = element }
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
      attributes: [String: String]
    ) {
      open.append(name)
      if name == element { texts.append("") }
    }
    func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
      open.removeLast()
    }
    func parser(_ parser: XMLParser, foundCharacters string: String) {
      guard let element else { return texts.append(string) }
      if open.contains(element), !texts.isEmpty { texts[texts.count - 1] += string }
    }
  }
  let reader = Reader(element)
  let parser = XMLParser(data: Data("<all>\(markup)</all>".utf8))
  parser.delegate = reader
  return parser.parse() ? reader.texts : nil
}
