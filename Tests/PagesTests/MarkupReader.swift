import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

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
