import Foundation
import Pages

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// Reads a page as XML and notes what the tests ask.
final class PageReader: NSObject, XMLParserDelegate {
  struct Label {
    var text = "", x = 0.0, y = 0.0, size = 0.0
    var anchor = Drawing.Anchor.start
    var box: Drawing.Box { Drawing.box(text, x: x, y: y, anchor: anchor, size: size) }
  }

  struct Picture {
    var id = "", width = 0.0, height = 0.0
    var labels: [Label] = []
  }

  var pictures: [Picture] = []
  var ids: [String] = [], references: [String] = [], loads: [String] = [], scripts: [String] = [],
    handlers: [String] = []
  var data = "", failure = ""
  private var isInText = false, isInData = false

  func read(_ page: [UInt8]) -> Bool {
    let parser = XMLParser(data: Data(page))
    parser.delegate = self
    let isRead = parser.parse()
    failure = "line \(parser.lineNumber): \(String(describing: parser.parserError))"
    return isRead
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
    attributes: [String: String]
  ) {
    if let id = attributes["id"] { ids.append(id) }
    for key in ["aria-labelledby", "aria-describedby"] {
      references += (attributes[key] ?? "").split(separator: " ").map(String.init)
    }
    if let target = attributes["href"] {
      if target.hasPrefix("#") {
        references.append(String(target.dropFirst()))
      } else if name != "a" {
        loads.append(target)
      }
    }
    for key in ["src", "srcset", "data", "poster", "action", "xlink:href"] where attributes[key] != nil {
      loads.append(attributes[key] ?? "")
    }
    if ["link", "img", "iframe", "object", "embed", "audio", "video", "base", "form"].contains(name) {
      loads.append(name)
    }
    for (key, value) in attributes where key.hasPrefix("on") || value.contains("url(http") { handlers.append(key) }
    switch name {
    case "script":
      scripts.append(attributes["type"] ?? "none")
      isInData = attributes["id"] == "data"
    case "svg":
      let box = (attributes["viewBox"] ?? "").split(separator: " ").compactMap { Double($0) }
      let id = (attributes["aria-labelledby"] ?? "").split(separator: " ").first.map { String($0.dropLast(2)) } ?? ""
      pictures.append(Picture(id: id, width: box.count == 4 ? box[2] : 0, height: box.count == 4 ? box[3] : 0))
    case "text":
      isInText = true
      var label = Label()
      label.x = attributes["x"].flatMap(Double.init) ?? .nan
      label.y = attributes["y"].flatMap(Double.init) ?? .nan
      label.size = attributes["font-size"].flatMap(Double.init) ?? 0
      label.anchor = attributes["text-anchor"].flatMap(Drawing.Anchor.init) ?? .start
      if !pictures.isEmpty { pictures[pictures.count - 1].labels.append(label) }
    default: break
    }
  }

  func parser(_ parser: XMLParser, foundCharacters string: String) {
    if isInData { data += string }
    if isInText, let last = pictures.indices.last, let label = pictures[last].labels.indices.last {
      pictures[last].labels[label].text += string
    }
  }

  func parser(_ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?) {
    if name == "text" { isInText = false }
    if name == "script" { isInData = false }
  }
}
