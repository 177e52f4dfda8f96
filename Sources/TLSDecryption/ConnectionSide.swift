import Bytes
import Protocols

/// One side of a TLS connection: its records, its handshake messages, and the keys of its epochs.
struct ConnectionSide: Sendable {
  /// The longest handshake message that is kept; only hellos are read.
  static let maximumHello = 1 << 16

  /// Bytes of a record that is not whole yet: at most one record.
  var pending: [UInt8] = []
  /// Keys of the epochs that may come, in their order; the first is in use.
  var openers: [RecordOpener] = []
  /// TLS 1.3: the secret of the application keys in use, for updates.
  var trafficSecret: [UInt8]?
  /// How often the keys were updated.
  var updates = 0
  /// Whether records of this side are encrypted from here on.
  var isEncrypted = false
  /// TLS 1.2: whether a second handshake changed the keys, whose randoms nobody could read.
  var isRenegotiated = false
  /// Records of application data so far.
  var applicationRecords = 0

  private var message: [UInt8] = []
  private var isSkipping = 0

  /// Takes a record's handshake bytes.
  /// - Parameter deliver: gets each message's type, and the body of hellos.
  mutating func readHandshake(_ bytes: ArraySlice<UInt8>, _ deliver: (UInt8, ArraySlice<UInt8>) -> Void) {
    var rest = bytes
    while !rest.isEmpty {
      if isSkipping > 0 {
        let step = min(isSkipping, rest.count)
        rest = rest.dropFirst(step)
        isSkipping -= step
        continue
      }
      if message.count < 4 {
        let step = min(4 - message.count, rest.count)
        message += rest.prefix(step)
        rest = rest.dropFirst(step)
        guard message.count == 4 else { return }
        if !isHello || length > Self.maximumHello {
          deliver(message[0], [])
          isSkipping = length
          message.removeAll(keepingCapacity: true)
          continue
        }
      }
      let step = min(4 + length - message.count, rest.count)
      message += rest.prefix(step)
      rest = rest.dropFirst(step)
      if message.count == 4 + length {
        deliver(message[0], message[4...])
        message.removeAll(keepingCapacity: true)
      }
    }
  }

  /// Forgets a message that lost bytes belonged to.
  mutating func dropHandshake() {
    message.removeAll()
    isSkipping = 0
  }

  private var isHello: Bool { message[0] == 1 || message[0] == 2 }
  private var length: Int { Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3]) }
}
