/// The commands of the courier protocol.
///
/// Source: pypush `pypush/apns/protocol.py`, rustpush `src/aps.rs`, pushproxy `doc/apple-push-protocol-ios5-lion.md`;
/// names from public decompilations of Apple's `apsd`.
public enum CommandID: UInt8, Sendable, CaseIterable {
  case connect = 0x07
  case connected = 0x08
  case filter = 0x09
  case notification = 0x0A
  case ack = 0x0B
  case keepAlive = 0x0C
  case keepAliveResponse = 0x0D
  case noStorage = 0x0E
  case flush = 0x0F
  case scopedTokenRequest = 0x11
  case scopedTokenResponse = 0x12
  case setState = 0x14
  case redirect = 0x17
  case taskControl = 0x18
  case taskNotification = 0x19
  case channelSubscribe = 0x1D
  case channelUpdate = 0x1E
  case presenceActivity = 0x20
  case filterUpdate = 0x21
}
