import Testing

@testable import Pages

@Suite struct MarkupTests {
  @Test func interpolatedTextIsEscaped() {
    let name = "<script>\"&'</script>"
    let markup: Markup = "<b>\(name)</b>"
    #expect(markup.source == "<b>&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;</b>")
    #expect(("<p>\(markup)</p>" as Markup).source == "<p>" + markup.source + "</p>")
  }

  @Test func whatCannotBeSeenIsShown() {
    #expect(Markup(text: "a\u{0}\n\u{7F}b").source == "a\u{2400}\u{240A}\u{2421}b")
    #expect(Markup(text: "\u{202E}x\u{FFFF}").source == "\u{2039}U+202E\u{203A}x\u{FFFD}")
    #expect(Markup.name("שלום").source == "<bdi>שלום</bdi>")
  }

  @Test func longNamesLoseTheirMiddle() {
    let name = String(repeating: "a", count: 100) + "end"
    #expect(TextMetrics.shortened(name, characters: 20).count == 20)
    #expect(TextMetrics.shortened(name, characters: 20).hasSuffix("aaaend"))
    #expect(TextMetrics.shortened("short", characters: 20) == "short")
  }

  @Test func embeddedJSONEndsNoScript() {
    let json = HTMLDocument.embedded(json: Array("{\"a\":\"</script>&\u{2028}é\"}".utf8))
    #expect(json == "{\"a\":\"\\u003c/script\\u003e\\u0026\\u2028é\"}")
  }

  @Test func emptyColumnsAreLeftOut() {
    let table = Table(
      caption: "c", columns: [.text("a"), .number("never"), .number("b")], rows: [["x", "", "1"], ["y", "", ""]])
    #expect(table.columns.map(\.title) == ["a", "b"])
    #expect(!table.markup.source.contains("never"))
    #expect(Table(caption: "c", columns: [.text("a")], rows: []).markup.isEmpty)
  }
}
