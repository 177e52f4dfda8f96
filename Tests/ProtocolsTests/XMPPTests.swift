import Testing

@testable import Protocols

@Suite struct XMPPMidStreamTests {
  @Test(
    arguments: [
      "<iq type='get' id='a1'><ping xmlns='urn:xmpp:ping'/></iq>", "<message from='a@b.test' to='c@d.test'>",
      "<presence to='room@b.test'/>", "<presence/>", "<presence><show>away</show></presence>",
      "<iq xml:lang='en' to='a@b.test'/>", "</stream:stream>",
    ], [Int.max, 1, 4])
  func stanzasAreXMPP(text: String, chunk: Int) {
    var parser = StreamParser.stream(serverPort: 5222)
    parser.feed(text, from: .client, chunk: chunk)
    #expect(parser.facts.application == .xmpp)
  }

  @Test(
    arguments: [
      "<message><body>hello</body></message>", "<messages id='1'>", "<message name='x' type='y'>", "<iqx type='get'>",
      "<html><head>", "<presences/>", "<event id='1'/>",
    ])
  func otherXMLIsNot(text: String) {
    var parser = StreamParser.stream(serverPort: 8080)
    parser.feed(text, from: .client)
    #expect(parser.facts.application == nil)
  }
}
