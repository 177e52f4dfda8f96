import Crypto

/// What a notification is for: the SHA-1 of a name.
public struct Topic: Sendable, Hashable {
  /// As in `com.apple.madrid`.
  public let name: String

  /// The topic of a name.
  public init(_ name: String) { self.name = name }

  /// The 20 bytes that stand for it on the wire.
  public var hash: [UInt8] { Array(Insecure.SHA1.hash(data: Array(name.utf8))) }

  /// iMessage.
  public static let madrid = Topic("com.apple.madrid")
  /// Ringing, joining and leaving of FaceTime.
  public static let faceTime = Topic("com.apple.private.alloy.facetime.multi")
  /// Allocation of FaceTime's relays.
  public static let quickRelay = Topic("com.apple.private.alloy.quickrelay")
  /// Identity services.
  public static let identity = Topic("com.apple.private.ids")

  /// Topics of Apple that clients were seen to use (pypush, rustpush).
  public static let apple = [
    madrid, faceTime, quickRelay, identity, Topic("com.apple.private.alloy.sms"),
    Topic("com.apple.private.alloy.facetime.video"), Topic("com.apple.private.alloy.facetime.audio"),
  ]

  /// So many topics: Apple's, then an app's each. Which and how many a real device enables is not published.
  public static func list(_ count: Int) -> [Topic] {
    let apps = max(0, count - apple.count)
    return Array(apple.prefix(count)) + (0..<apps).map { Topic("com.example.app\($0)") }
  }
}
