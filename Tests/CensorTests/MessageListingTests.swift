import Bytes
import Testing

@testable import Censor

@Suite("The fate of each message as a table")
struct MessageListingTests {
  @Test("Each message on a push connection is a row under each policy")
  func rows() throws {
    let listing = MessageListing()
    _ = try CollateralMakerTests.collateral(Array(CollateralMakerTests.policies.prefix(2))) { listing.add($0) }
    let lines = listing.text.split(separator: "\n")
    #expect(lines.first == MessageListing.header[...])
    let ends = "1,198.51.100.1,50000,203.0.113.1,5223"
    #expect(
      Array(lines.dropFirst()) == [
        "name,first,2023-11-14T22:13:40.000000000Z,\(ends),up,imessage,imessage.text,true,lost,,file",
        "name,first,2023-11-14T22:13:50.000000000Z,\(ends),down,notification,notification.chat,true,lost,,file",
        "port,first,2023-11-14T22:13:40.000000000Z,\(ends),up,imessage,imessage.text,true,delivered,0.0,file",
        "port,first,2023-11-14T22:13:50.000000000Z,\(ends),down,notification,notification.chat,true,delivered,0.0,file",
      ])
    #expect(listing.notKept == 0)
  }

  // RFC 4180, section 2.
  @Test("Names with commas and quotes are quoted, and line ends made visible")
  func quoting() {
    let listing = MessageListing()
    var message = TraceMessage()
    message.kind = "a,b"
    listing.add(
      CollateralMaker.ListedMessage(
        policy: "the \"rule\"", capture: "two\nlines", flow: FlowSight(), message: message,
        fate: MessageFate(delay: 2.5)))
    #expect(listing.text.contains("\"the \"\"rule\"\"\",two\\x0alines,"))
    #expect(listing.text.contains(",\"a,b\",false,late,2.5,none\n"))
  }
}
