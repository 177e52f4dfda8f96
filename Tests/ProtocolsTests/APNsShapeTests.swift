import Testing

@testable import Protocols

@Suite struct APNsShapeTests {
  private func shape(_ records: [Int16]) -> APNsShape? { APNsShape(records: records.span) }

  /// iOS 26: an alert of 100 characters (246 bytes packed) and its acknowledgement (12), then a keep-alive (4), in TLS 1.3.
  @Test func pushesAndKeepAlives() throws {
    let seen = try #require(shape([-263, 29, -21, -263, 29, -21]))
    #expect(seen.reasons == [.acknowledgements, .keepAlives])
    #expect(seen.score == 0.7)
    #expect(seen.reasons.description.contains("keep-alive"))
  }

  /// A message of 100 characters that the device sends, and the server's answer.
  @Test func sentMessages() throws {
    let seen = try #require(shape([524, -33, -21]))
    #expect(seen.reasons == [.sentMessages, .keepAlives])
  }

  @Test func blocksOfSixteen() throws {
    #expect(try #require(shape([32, 832, -32, 32, 48])).reasons.contains(.blocks))
    #expect(!(try #require(shape([32, 833, -32, 32, 48])).reasons.contains(.blocks)))
  }

  @Test func webTrafficIsNot() throws {
    let page = try #require(shape([380, -16_401, -16_401, -16_401, -9000, 401, -16_401, -2000]))
    #expect(page.score == 0)
    #expect(page.reasons.contains(.download))
    let upload = try #require(shape([1400, 1400, 1400, 1400, 1400, -60]))
    #expect(upload.score == 0 && upload.reasons.contains(.upload))
  }

  @Test func tooFewSayNothing() {
    #expect(shape([]) == nil)
    #expect(shape([-21]) == nil)
  }

  @Test func extremesAreHarmless() throws {
    let seen = try #require(shape([.min, .max, .min, .max, 0, 0, -1, 1]))
    #expect((0...1).contains(seen.score))
  }
}
