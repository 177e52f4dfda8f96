/// An app's remote notification: JSON as Apple's "Generating a remote notification" describes it.
public enum Alert: String, Sendable, CaseIterable {
  /// Title and body, sound and badge: a headline, a mail, a reminder.
  case short
  /// What a chat app sends: a thread, a category, and a key of its own for decrypting.
  case chat
  /// With subtitle, picture and a few keys of the app.
  case rich
  /// Wakes the app, shows nothing.
  case silent

  /// Bytes that a notification's payload may have at most (Apple: 4,096).
  public static let limit = 4_096

  /// The JSON of a notification whose body has so many characters, cut where it would pass `limit`.
  public func json(characters: Int, script: Script = .latin, using random: inout SeededGenerator) -> [UInt8] {
    let frame = fields(body: "", script: script, using: &random)
    var body = script.text(characters, using: &random)
    while frame.utf8.count + body.utf8.count > Self.limit { body.removeLast() }
    return Array(frame.replacing("\u{0}", with: body).utf8)
  }

  /// With a NUL where the body goes.
  private func fields(body: String, script: Script, using random: inout SeededGenerator) -> String {
    let thread = Self.hex(random.bytes(8))
    let title = script.text(18, using: &random)
    switch self {
    case .short:
      return
        #"{"aps":{"alert":{"title":"\#(title)","body":"\#u{0}"},"sound":"default","badge":3},"thread":"\#(thread)"}"#
    case .chat:
      let name = script.text(12, using: &random)
      return #"{"aps":{"alert":{"title":"\#(name)","body":"\#u{0}"},"sound":"in.caf","badge":2,"mutable-content":1,"#
        + #""category":"message","thread-id":"\#(thread)"},"m":"\#(Self.hex(random.bytes(12)))","#
        + #""k":"\#(Self.hex(random.bytes(16)))"}"#
    case .rich:
      let subtitle = script.text(24, using: &random)
      return #"{"aps":{"alert":{"title":"\#(title)","subtitle":"\#(subtitle)","body":"\#u{0}"},"sound":"default","#
        + #""mutable-content":1,"category":"story","thread-id":"\#(thread)","interruption-level":"active"},"#
        + #""media-url":"https://static.example.com/i/\#(Self.hex(random.bytes(16))).jpg","#
        + #""link":"https://www.example.com/story/\#(Self.hex(random.bytes(6)))","id":"\#(random.uuid())"}"#
    case .silent:
      return #"{"aps":{"content-available":1},"sync":"\#(Self.hex(random.bytes(8)))","v":2}"#
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
  }
}
