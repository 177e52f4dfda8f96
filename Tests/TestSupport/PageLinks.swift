import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Reads a page as XML and notes its identifiers, what refers to them, and what it would load or run.
public final class PageLinks: NSObject, XMLParserDelegate {
  /// Identifiers, and references to them.
  public private(set) var ids: [String] = [], references: [String] = []
  /// What is loaded from elsewhere, types of scripts, and names of attributes that run something.
  public private(set) var loads: [String] = [], scripts: [String] = [], handlers: [String] = []
  /// The text of the script with the identifier "data".
  public private(set) var data = ""
  /// Where reading stopped.
  public private(set) var failure = ""
  private var isInData = false

  /// Reads a page.
  /// - Returns: whether it is well-formed.
  public func read(_ page: [UInt8]) -> Bool {
    let parser = XMLParser(data: Data(page))
    parser.delegate = self
    let isRead = parser.parse()
    failure = "line \(parser.lineNumber): \(String(describing: parser.parserError))"
    return isRead
  }

  /// An element begins.
  public func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    if let id = attributes["id"] { ids.append(id) }
    for key in ["aria-labelledby", "aria-describedby"] {
      references += (attributes[key] ?? "").split(separator: " ").map(String.init)
    }
    if let target = attributes["href"] {
      if target.hasPrefix("#") { references.append(String(target.dropFirst())) } else { loads.append(target) }
    }
    for key in ["src", "srcset", "data", "poster", "action", "xlink:href"] where attributes[key] != nil {
      loads.append(attributes[key] ?? "")
    }
    for (key, value) in attributes where key.hasPrefix("on") || value.contains("url(http") { handlers.append(key) }
    guard name == "script" else { return }
    scripts.append(attributes["type"] ?? "none")
    isInData = attributes["id"] == "data"
  }

  /// Text of an element.
  public func parser(_ parser: XMLParser, foundCharacters string: String) { if isInData { data += string } }

  /// An element ends.
  public func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "script" { isInData = false }
  }
}
