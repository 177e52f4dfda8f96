/// A self-contained page: its style and its data are inside, nothing is loaded, no script runs.
///
/// What it writes is well-formed XML as well, as long as the sections are.
public struct HTMLDocument: Sendable {
  /// A part of the page with a heading and an anchor.
  public struct Section: Sendable {
    /// The anchor, of letters, digits and hyphens; the heading; what stands below it.
    public var id: String, title: String, body: Markup
    /// What the list of sections calls it.
    public var link: String
    /// A part of the page.
    public init(id: String, title: String, link: String? = nil, body: Markup) {
      (self.id, self.title, self.body, self.link) = (id, title, body, link ?? title)
    }
  }

  /// The title, of the window and of the page.
  public var title: String
  /// The language as BCP 47 names it.
  public var language: String
  /// What stands between the title and the list of sections.
  public var opening = Markup()
  /// The sections.
  public var sections: [Section] = []
  /// What stands at the end.
  public var closing = Markup()
  /// JSON that the page was drawn from; empty for none.
  public var data: [UInt8] = []

  /// A page without sections.
  public init(title: String, language: String = "en") { (self.title, self.language) = (title, language) }

  /// The page in UTF-8.
  public func html() -> [UInt8] {
    let contents = sections.map { "<li><a href=\"#\($0.id)\">\($0.link)</a></li>" as Markup }.joined()
    let parts =
      sections.map { section in
        """
        <section id="\(section.id)" aria-labelledby="\(section.id)-h">
        <h2 id="\(section.id)-h">\(section.title)</h2>
        \(section.body)</section>

        """ as Markup
      }.joined()
    let navigation: Markup =
      sections.count > 1 ? "<nav aria-label=\"Sections\"><ul>\(contents)</ul></nav>\n" : ""
    let footer: Markup = closing.isEmpty ? "" : "<footer>\n\(closing)</footer>\n"
    let page: Markup = """
      <!DOCTYPE html>
      <html xmlns="http://www.w3.org/1999/xhtml" lang="\(language)" xml:lang="\(language)">
      <head>
      <meta charset="utf-8"/>
      <meta name="viewport" content="width=device-width, initial-scale=1"/>
      <meta name="color-scheme" content="light dark"/>
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
      <title>\(title)</title>
      <style>
      \(Markup(trusted: StyleSheet.text))</style>
      </head>
      <body>
      <header>
      <h1>\(title)</h1>
      \(opening)</header>
      \(navigation)<main>
      \(parts)</main>
      \(footer)\(script)</body>
      </html>

      """
    return Array(page.source.utf8)
  }

  private var script: Markup {
    guard !data.isEmpty else { return "" }
    return """
      <script type="application/json" id="data">\(Markup(trusted: HTMLDocument.embedded(json: data)))</script>

      """
  }

  /// JSON in which nothing can end a script element, break XML or reorder text: such characters only occur in strings, where JSON
  /// allows an escape for each (RFC 8259, 7).
  public static func embedded(json: [UInt8]) -> String {
    var result = ""
    result.reserveCapacity(json.count)
    for scalar in String(decoding: json, as: UTF8.self).unicodeScalars {
      switch scalar.value {
      case 0x3C, 0x3E, 0x26, 0x7F...0x9F, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF:
        let digits = String(scalar.value, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
