@testable import Censor
import Testing

@Suite("Names that rules look for")
struct NameMatchTests {
  @Test(
    "Exact, suffix, substring and expression meet what they should",
    arguments: [
      (NameMatch.Kind.exact, "push.apple.com", "push.apple.com", true),
      (.exact, "push.apple.com", "1-courier.push.apple.com", false),
      (.suffix, "push.apple.com", "1-courier.push.apple.com", true),
      (.suffix, "push.apple.com", "PUSH.Apple.com", true),
      (.suffix, "push.apple.com", "notpush.apple.com", false),
      (.suffix, "push.apple.com", "push.apple.com.example.org", false),
      (.substring, "t.co", "microsoft.com", true),
      (.substring, "t.co", "twitter.com", false),
      (.regex, "^[0-9]+-courier", "12-courier.push.apple.com", true),
      (.regex, "^[0-9]+-courier", "courier.push.apple.com", false),
    ])
  func values(_ kind: NameMatch.Kind, _ value: String, _ name: String, _ isMet: Bool) throws {
    #expect((try NameMatch(kind, [value]).value(for: name) != nil) == isMet)
  }

  @Test("A broken expression is an error that names it")
  func brokenExpression() {
    #expect(throws: NameMatchError.self) { try NameMatch(.regex, ["("]) }
  }
}

@Suite("Words for columns")
struct ColumnKeyTests {
  @Test(
    "A service's word has letters, digits and hyphens, in any script",
    arguments: [
      ("iMessage identity (IDS)", "imessage-identity"), ("App Store / iTunes", "app-store-itunes"),
      ("Apple Maps/location", "apple-maps-location"), ("ВКонтакте", "вконтакте"), ("X / Twitter", "x-twitter"),
    ])
  func keys(_ service: String, _ key: String) { #expect(ColumnTable.key(service) == key) }
}
