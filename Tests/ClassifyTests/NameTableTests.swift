import Testing

@testable import Classify

@Suite struct NameTableTests {
  let table = NameTable([
    ("push.apple.com", false, 0), ("courier.push.apple.com", true, 1), ("apple.com", false, 2), ("me.com", false, 3),
    ("mtalk.google.com", true, 4), ("goog", false, 5),
  ])

  @Test(
    arguments: [
      ("push.apple.com", 0), ("7-courier.push.apple.com", 0), ("a.b.c.push.apple.com", 0),
      ("courier.push.apple.com", 1),
      ("x.courier.push.apple.com", 0), ("notpush.apple.com", 2), ("apple.com", 2), ("www.apple.com", 2),
      ("COURIER.Push.Apple.COM", 1), ("push.apple.com.", 0), ("me.com", 3), ("x.me.com", 3), ("mtalk.google.com", 4),
      ("anything.goog", 5), ("*.push.apple.com", 0), ("*.apple.com", 2),
    ] as [(String, Int32)])
  func matches(_ name: String, _ row: Int32) {
    #expect(table.row(for: name) == row)
  }

  @Test(arguments: [
    "notapple.com", "apple.com.evil.example", "com", "apple", "", ".", "..", "acme.com", "home.com",
    "x.mtalk.google.com",
    "google.com", "*.mtalk.google.com", "*", "*.", "apple..com", " apple.com", "apple.com..", "apple.co",
    "www.example.org\u{0}.push.apple.com", #"www.example.org\x00.push.apple.com"#,
    "www example.push.apple.com", "\u{7f}.apple.com", "x\n.apple.com",
  ])
  func doesNotMatch(_ name: String) {
    #expect(table.row(for: name) == nil)
  }

  @Test func hostileNamesAreCheapAndHarmless() {
    #expect(table.row(for: String(repeating: "a.", count: 120) + "apple.com") == 2)
    #expect(table.row(for: String(repeating: "a", count: 245) + ".apple.com") == 2)
    #expect(table.row(for: String(repeating: "a.", count: 123) + "apple.com") == 2)
    #expect(table.row(for: String(repeating: "a.", count: 124) + "apple.com") == nil)
    #expect(table.row(for: String(repeating: "a", count: 1_000_000)) == nil)
    #expect(table.row(for: String(repeating: ".", count: 255)) == nil)
    #expect(table.row(for: "\u{ffff}é.apple.com") == 2)
    #expect(NameTable([]).row(for: "apple.com") == nil)
  }

  /// Names over a small alphabet, so that suffixes, near misses and deep nesting are common.
  @Test func agreesWithBruteForce() {
    var dice = Dice(7)
    func randomName() -> String {
      (0..<Int.random(in: 1...4, using: &dice)).map { _ in
        String((0..<Int.random(in: 1...2, using: &dice)).map { _ in "ab".randomElement(using: &dice) ?? "a" })
      }.joined(separator: ".")
    }
    for _ in 0..<40 {
      var seen: Set<String> = []
      var entries: [(name: String, isExact: Bool, row: Int32)] = []
      for _ in 0..<Int.random(in: 0...60, using: &dice) {
        let (name, isExact) = (randomName(), Bool.random(using: &dice))
        if seen.insert("\(name) \(isExact)").inserted { entries.append((name, isExact, Int32(entries.count))) }
      }
      let table = NameTable(entries)
      for _ in 0..<300 {
        let name = randomName()
        let exact = entries.first { $0.isExact && $0.name == name }
        let suffix = entries.filter { !$0.isExact && (name == $0.name || name.hasSuffix("." + $0.name)) }
          .max { $0.name.count < $1.name.count }
        #expect(table.row(for: name) == (exact ?? suffix)?.row, "\(name) in \(entries)")
      }
    }
  }
}

@Suite struct TokenTableTests {
  @Test func matchesWholeWordsAndALPNUpToTheColon() {
    let table = TokenTable([("apns-pack-v1", 0), ("sip/2", 1), ("co", 2)])
    #expect(table.row(forALPN: "apns-pack-v1:4096:4096") == 0)
    #expect(table.row(forALPN: "apns-pack-v1") == 0)
    #expect(table.row(forALPN: "apns-pack-v1:") == 0)
    #expect(table.row(forALPN: "apns-pack-v10") == nil)
    #expect(table.row(forALPN: "apns-pack-v") == nil)
    #expect(table.row(forALPN: "coap") == nil)
    #expect(table.row(forALPN: ":") == nil)
    #expect(table.row(forALPN: "") == nil)
    #expect(table.row(for: "apns-pack-v1:4096:4096") == nil)
    #expect(table.row(for: "sip/2") == 1)
    #expect(TokenTable([]).row(for: "sip/2") == nil)
  }

  @Test func agreesWithADictionary() {
    var dice = Dice(11)
    func word() -> String {
      String((0..<Int.random(in: 1...6, using: &dice)).map { _ in "abc:".randomElement(using: &dice) ?? "a" })
    }
    var words: [String: Int32] = [:]
    while words.count < 500 { words[word()] = Int32(words.count) }
    let table = TokenTable(words.map { ($0.key, $0.value) })
    for (word, row) in words { #expect(table.row(for: word) == row) }
    for _ in 0..<2000 {
      let text = word()
      #expect(table.row(for: text) == words[text])
    }
  }
}
