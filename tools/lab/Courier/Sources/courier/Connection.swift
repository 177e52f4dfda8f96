import CourierProtocol
import NIOCore

/// Which end of the connection this is.
enum Side {
  case phone, server

  /// The direction of what this side sends, as the truth names it.
  var direction: JSON { self == .phone ? "to_server" : "to_client" }
}

/// What the truth says of a message beside its size.
struct Account {
  var kind: MessageKind
  /// What it belongs to where that is not the kind's own group: an ack belongs to what it acknowledges.
  var group: String?
  /// Pairs what belongs together: a message, its acks, its receipts, and its arrival.
  var message: String?
  var topic: String?
  var characters: Int?
  var devices: Int?
}

/// One courier connection after its TLS handshake; stays on its event loop.
final class Connection {
  /// Plaintext bytes that may wait for the network; more ends the connection.
  static let mostPending = 8 << 20
  /// Plaintext bytes of a TLS record at most (RFC 8446, section 5.1).
  static let recordPlaintext = 16384

  let id: ConnectionID
  let channel: any Channel
  let side: Side
  let framing: Framing
  let tls: String
  let local: String
  let remote: String
  let remotePort: Int
  /// Application-data records sent so far.
  private(set) var records = 0
  private(set) var received = 0
  private var pending = 0
  private var codec: Codec

  init(_ id: ConnectionID, _ channel: any Channel, side: Side, framing: Framing, tls: String) {
    self.id = id
    self.channel = channel
    self.side = side
    self.framing = framing
    self.tls = tls
    local = Transport.text(channel.localAddress)
    remote = Transport.text(channel.remoteAddress)
    remotePort = channel.remoteAddress?.port ?? 0
    codec = Codec(framing)
  }

  /// Sends a command as one write, hence as one TLS record if it fits into one, and tells the truth of it.
  func send(_ command: Command, _ account: Account, owner: some ConnectionOwner) throws {
    guard channel.isActive else { throw Complaint("the connection is gone") }
    let bytes = try codec.encode(command)
    guard pending + bytes.count <= Self.mostPending else {
      throw Complaint("more than \(Self.mostPending) bytes wait for the network")
    }
    let count = bytes.count
    let ordinals = records + 1...records + max(1, (count + Self.recordPlaintext - 1) / Self.recordPlaintext)
    records = ordinals.upperBound
    pending += count
    tell(command, account, count, ordinals)
    let id = id
    channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenSuccess {
      owner.assumeIsolated { $0.written(id, count) }
    }
  }

  func wrote(_ bytes: Int) { pending -= bytes }

  /// Closes it properly, without waiting for the end.
  func close() { channel.close(promise: nil) }

  /// Whole commands that have arrived with these bytes.
  /// - Throws: what is broken about them; nothing more can be read then.
  func receive(_ bytes: ByteBuffer) throws -> [Command] {
    let commands = try codec.decode(bytes)
    received += commands.count
    return commands
  }

  private func tell(_ command: Command, _ account: Account, _ count: Int, _ ordinals: ClosedRange<Int>) {
    var line: [String: JSON] = [
      "real": .number(Clock.now()), "app": "courier", "local": .string(local), "remote": .string(remote),
      "proto": "TCP", "direction": side.direction, "kind": .string(account.kind.rawValue),
      "class": .string(account.group ?? account.kind.group), "plaintext": JSON(count),
      "records": .array(ordinals.map(JSON.init)), "command": JSON(Int(command.number)),
      "framing": .string(framing.rawValue), "tls": .string(tls),
    ]
    line["message"] = account.message.map(JSON.string)
    line["topic"] = account.topic.map(JSON.string)
    line["text_length"] = account.characters.map(JSON.init)
    line["devices"] = account.devices.map(JSON.init)
    Output.line(["truth": .object(line)])
  }
}
