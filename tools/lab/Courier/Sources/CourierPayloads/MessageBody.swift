import CourierProtocol

/// What an iMessage says before it is encrypted: a property list, compressed with gzip.
///
/// Keys: beeper/imessage and rustpush `src/imessage/rawmessages.rs`; lengths of a GUID are a UUID's.
public enum MessageBody: Sendable, Equatable {
  case text(String)
  /// The person has stopped typing: a message without text.
  case typingStop
  /// A reaction to a message of this length.
  case tapback(quoting: String)
  /// New words for a message.
  case edit(String)
  /// A message is taken back (rides as an edit does, c = 118).
  case unsend
  /// A file that is fetched from iCloud; only where and how stands here.
  case attachment(name: String, bytes: Int)

  /// Bytes of the compressed body.
  public func compressed(from sender: String, to receivers: [String], using random: inout SeededGenerator) -> Int {
    var entries: [Value.Entry] = [
      .init("p", .array((receivers + [sender]).map { .string($0) })), .init("gv", .string("8")),
      .init("pv", .integer(0)),
      .init("v", .string("1")), .init("gid", .string(random.uuid())),
    ]
    switch self {
    case .typingStop: break
    case .text(let text): entries += [.init("t", .string(text)), .init("r", .string(random.uuid()))]
    case .tapback(let quoted):
      // amk names the message, amt the reaction (2000: love).
      entries += [
        .init("t", .string("Loved “\(quoted)”")), .init("amk", .string("p:0/" + random.uuid())),
        .init("amt", .integer(2000)),
        .init("r", .string(random.uuid())),
      ]
    case .edit(let text):
      entries += [
        .init("et", .integer(1)), .init("emp", .string("<html><body>\(text)</body></html>")), .init("epi", .integer(0)),
        .init("emg", .string(random.uuid())),
      ]
    case .unsend:
      entries += [.init("et", .integer(2)), .init("epi", .integer(0)), .init("emg", .string(random.uuid()))]
    case .attachment(let name, let bytes):
      // Key of 32 bytes behind a zero byte, signature of 21 bytes, both in hexadecimal; the URL's form is assumed.
      let file = """
        <FILE name="\(name)" width="1170" height="1560" datasize="\(bytes)" mime-type="image/heic" uti-type="public.heic" \
        mmcs-owner="M\(random.uuid())" mmcs-url="https://p52-content.icloud.com/M\(random.uuid()).C01USN00" \
        mmcs-signature-hex="\(hex(random.bytes(21)))" decryption-key="00\(hex(random.bytes(32)))" file-size="\(bytes)" \
        message-part="0"/>
        """
      entries += [.init("x", .string("<html><body>\(file)</body></html>")), .init("r", .string(random.uuid()))]
    }
    return Gzip.compress(Value.dictionary(entries).propertyList()).count
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined()
  }
}
