import CourierProtocol
import NIOCore

extension Framing {
  /// The framing behind an ALPN name. Apple's server adds the sizes of the caches: `apns-pack-v1:4096:4096`.
  init?(alpn: String) {
    let name = alpn.prefix { $0 != ":" }
    if name == "apns-pack-v1" {
      self = .pack
    } else if name.hasPrefix("apns-security-") {
      self = .tlv
    } else {
      return nil
    }
  }

  /// What a device offers that prefers this framing: one that knows only the older framing names only that.
  var offers: [String] { self == .pack ? ["apns-pack-v1", "apns-security-v3"] : ["apns-security-v3"] }
}

/// One framing in both directions, with its tables.
struct Codec {
  private let framing: Framing
  private var encoder = PackedFraming.Encoder()
  private var decoder = PackedFraming.Decoder()
  /// The beginning of a command whose rest has not come yet; `Limits.body` caps it.
  private var arrived: [UInt8] = []

  init(_ framing: Framing) { self.framing = framing }

  mutating func encode(_ command: Command) throws -> [UInt8] {
    switch framing {
    case .pack: try encoder.encode(command)
    case .tlv: try TLVFraming.encode(command)
    }
  }

  /// The commands that are whole with these bytes.
  mutating func decode(_ bytes: ByteBuffer) throws -> [Command] {
    arrived.append(contentsOf: bytes.readableBytesView)
    var commands: [Command] = []
    var rest = arrived[...]
    while case .command(let command, let length) = try read(rest) {
      commands.append(command)
      rest = rest.dropFirst(length)
    }
    arrived = Array(rest)
    return commands
  }

  private mutating func read(_ bytes: ArraySlice<UInt8>) throws -> Reading {
    switch framing {
    case .pack: try decoder.decode(bytes)
    case .tlv: try TLVFraming.decode(bytes)
    }
  }
}
