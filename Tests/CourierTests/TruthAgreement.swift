import Courier
import Testing

/// Which kinds of a truth file a dissected kind may stand for.
///
/// What is encrypted once more inside the payload is the same to the reader: a text, a tapback, an attachment and the end
/// of typing are one kind, as are the ringing of a call and the joining of one (both `c` 207).
enum CourierKindAgreement {
  static let truths: [String: Set<String>] = [
    "imessage.message": ["imessage.text", "imessage.tapback", "imessage.attachment", "imessage.typing_stop"],
    "notification.alert": ["notification.short", "notification.chat", "notification.rich"],
    "notification.background": ["notification.silent"],
    "facetime.join": ["facetime.join", "facetime.ring"],
  ]

  static func agrees(dissected: String, truth: String) -> Bool {
    truths[dissected]?.contains(truth) ?? (dissected == truth)
  }

  @Suite struct Tests {
    @Test(arguments: [
      ("imessage.message", "imessage.text", true), ("imessage.message", "imessage.typing_start", false),
      ("imessage.read", "imessage.read", true), ("imessage.read", "imessage.delivered", false),
      ("notification.alert", "notification.silent", false), ("facetime.join", "facetime.ring", true),
    ])
    func whatIsEncryptedIsNotToldApart(dissected: String, truth: String, agrees: Bool) {
      #expect(CourierKindAgreement.agrees(dissected: dissected, truth: truth) == agrees)
    }
  }
}
