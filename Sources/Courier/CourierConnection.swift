import Bytes
public import Protocols

/// Reads the plaintext of one push connection, both directions, in either framing.
///
/// The framing is found from the client's first command, or, where the beginning was not seen, from the first command of
/// either side that fits one framing and not the other. It never fails: `isForeign` says that the bytes are of another
/// protocol, `damage` what was broken, and a message says itself whether it is incomplete. Buffered is at most one
/// unfinished command a direction.
public struct CourierConnection: Sendable {
  /// Bytes of a command's body. Servers announce at most 15 KiB for a message; a filter of 200 topics has 5 kB.
  public static let maximumBodyLength = 1 << 16
  /// Messages of a direction whose class is remembered for their ack.
  public static let maximumUnacknowledged = 1024

  /// How the commands are written; nil until the first one is whole.
  public private(set) var framing: CourierFraming?
  /// Whether the bytes are those of another protocol. Nothing is read any more.
  public private(set) var isForeign = false
  /// Whether the beginning of the connection was not seen.
  public private(set) var isJoinedLate = false
  /// What went wrong.
  public private(set) var damage = CourierDamage()

  private var client: Direction, server: Direction

  /// A connection of which nothing is known.
  public init() { self.init(valueTableSize: 4096) }

  /// A connection of the packed framing with tables of another size.
  /// - Parameter valueTableSize: bytes, from the server's ALPN answer (`apns-pack-v1:4096:4096`).
  public init(valueTableSize: Int) {
    client = Direction(side: .client, tables: PackedTables(size: valueTableSize))
    server = Direction(side: .server, tables: PackedTables(size: valueTableSize))
  }

  /// Bytes of unfinished commands.
  public var bufferedBytes: Int { client.pending.count &+ server.pending.count }

  /// Takes the next plaintext of a side and hands on the commands that it completes.
  /// - Parameters:
  ///   - plaintext: application data in order; one or more TLS records, or a part of one.
  ///   - side: who sent it.
  ///   - record: ordinal of the TLS record that it comes from.
  ///   - deliver: is called for each command, in order.
  public mutating func consume(
    _ plaintext: borrowing RawSpan, from side: FlowSide, record: Int, _ deliver: (CourierMessage) -> Void
  ) {
    guard !isForeign, plaintext.byteCount > 0 else { return }
    let bytes = copy plaintext
    if self[side].isSearching { return search(bytes, side, record, deliver) }
    if self[side].pending.isEmpty {
      let used = read(bytes, side, pendingBytes: 0, pendingRecord: record, record, deliver)
      keep(bytes.slice(used, bytes.byteCount &- used), side, record)
    } else {
      self[side].pending.append(bytes)
      // Most pieces of a long command are only added.
      guard self[side].pending.count >= self[side].wanted else { return }
      drain(side, pendingBytes: self[side].pending.count &- bytes.byteCount, record, deliver)
    }
    // What the other side said before the framing was known can be read now.
    let other: FlowSide = side == .client ? .server : .client
    if framing != nil, self[other].wanted == 0, !self[other].pending.isEmpty {
      drain(other, pendingBytes: self[other].pending.count, self[other].pendingRecord, deliver)
    }
  }

  /// Says that bytes of a side are missing before its next plaintext.
  ///
  /// The next one is taken for the beginning of a command if it can be one. In the packed framing, what points to
  /// entries from before the gap stays unknown.
  public mutating func skipGap(from side: FlowSide) {
    damage.gaps &+= 1
    damage.bytesPassedOver &+= self[side].pending.count
    self[side].lose()
    self[side].hasBegun = true
    self[side].isSearching = framing != nil
    if framing == nil { isJoinedLate = true }
  }

  private subscript(side: FlowSide) -> Direction {
    get { side == .client ? client : server }
    _modify {
      if side == .client { yield &client } else { yield &server }
    }
  }

  private mutating func drain(
    _ side: FlowSide, pendingBytes: Int, _ record: Int, _ deliver: (CourierMessage) -> Void
  ) {
    let pending = self[side].pending
    let start = self[side].pendingRecord
    self[side].pending = []
    let bytes = pending.rawSpan
    let used = read(bytes, side, pendingBytes: pendingBytes, pendingRecord: start, record, deliver)
    // Nothing of a command that is still unfinished was used, so it began where the old one did.
    keep(bytes.slice(used, bytes.byteCount &- used), side, used < pendingBytes ? start : record)
  }

  private mutating func keep(_ rest: RawSpan, _ side: FlowSide, _ record: Int) {
    guard rest.byteCount > 0, !isForeign, !self[side].isSearching else { return }
    self[side].pending = rest.array
    self[side].pendingRecord = record
  }

  /// Reads whole commands, of which the first `pendingBytes` bytes came with `pendingRecord`.
  /// - Returns: the bytes that they take.
  private mutating func read(
    _ bytes: RawSpan, _ side: FlowSide, pendingBytes: Int, pendingRecord: Int, _ record: Int,
    _ deliver: (CourierMessage) -> Void
  ) -> Int {
    var at = 0
    self[side].wanted = 0
    while at < bytes.byteCount {
      if framing == nil {
        switch Recognition.of(bytes.slice(at, bytes.byteCount &- at), from: side) {
        case .framing(let found): framing = found
        case .needsMore(let length):
          self[side].wanted = length
          return at
        case .foreign:
          isForeign = true
          client.pending = []
          server.pending = []
          return bytes.byteCount
        }
      }
      switch head(bytes, at) {
      case .needsMore: return at
      case .tooLong:
        damage.commandsTooLong &+= 1
        losePlace(side, bytes.byteCount &- at)
        return bytes.byteCount
      case .broken:
        losePlace(side, bytes.byteCount &- at)
        return bytes.byteCount
      case .head(let head):
        guard bytes.holds(head.length, at: at) else {
          self[side].wanted = head.length
          return at
        }
        begin(side, with: head.command)
        var message = CourierMessage(
          side: side, command: head.command.number, length: head.length,
          firstRecord: at < pendingBytes ? pendingRecord : record, lastRecord: record)
        dissect(bytes.slice(at &+ head.headLength, head.bodyLength), head.command, &message)
        deliver(message)
        at = at &+ head.length
      }
    }
    return at
  }

  private mutating func begin(_ side: FlowSide, with command: CourierCommand) {
    guard !self[side].hasBegun else { return }
    self[side].hasBegun = true
    guard !command.isFirst(ofClient: side == .client) else { return }
    isJoinedLate = true
    self[side].tables.lose()
  }

  private func head(_ bytes: RawSpan, _ at: Int) -> HeadReading {
    framing == .tlv ? TLVFraming.head(bytes, at: at) : PackedFraming.head(bytes, at: at)
  }

  private mutating func losePlace(_ side: FlowSide, _ count: Int) {
    damage.lostPlaces &+= 1
    damage.bytesPassedOver &+= count
    self[side].lose()
    self[side].isSearching = true
  }
}

extension CourierConnection {
  /// Looks for a command at the beginning of a record: most commands begin there.
  private mutating func search(
    _ bytes: RawSpan, _ side: FlowSide, _ record: Int, _ deliver: (CourierMessage) -> Void
  ) {
    guard let framing, Recognition.begins(bytes, framing, from: side) else {
      damage.bytesPassedOver &+= bytes.byteCount
      return
    }
    self[side].isSearching = false
    let used = read(bytes, side, pendingBytes: 0, pendingRecord: record, record, deliver)
    keep(bytes.slice(used, bytes.byteCount &- used), side, record)
  }

  private mutating func dissect(_ body: RawSpan, _ command: CourierCommand, _ message: inout CourierMessage) {
    var content: CommandContent
    let isWhole: Bool
    if framing == .tlv {
      content = CommandContent()
      isWhole = TLVFraming.read(body, of: command, into: &content)
    } else {
      var walk = PackedWalk(command, tables: self[message.side].tables)
      self[message.side].tables = PackedTables(size: 0)
      isWhole = walk.read(body)
      content = walk.content
      if !isWhole { walk.tables.lose() }
      self[message.side].tables = walk.tables
    }
    if !isWhole { damage.malformedCommands &+= 1 }
    damage.lostReferences &+= content.lostReferences
    damage.payloadsNotRead &+= content.payloadsNotRead
    message.isIncomplete = !isWhole || content.lostReferences > 0
    describe(&message, command, content)
  }

  /// Sets all that the fields of a command say.
  private mutating func describe(
    _ message: inout CourierMessage, _ command: CourierCommand, _ content: CommandContent
  ) {
    message.kind = command.kind
    let isUp = message.side == .client
    switch command {
    case .notification:
      let topic = (isUp ? content.first : content.second)?.hash
      message.topic = topic.map { CourierTopic($0) }
      message.payloadLength = content.payloadLength
      message.devices = isUp ? content.devices : nil
      message.idsCommand = content.idsCommand
      message.ciphertextLength = content.ciphertexts > 0 ? content.ciphertextLength : nil
      message.encryption = content.ciphertexts > 0 ? content.encryption : nil
      message.isFromStorage = (content.storage?.number ?? 0) != 0
      message.priority = content.priority?.number.map { Int(clamping: $0) }
      message.pushType = content.pushType?.number.map { Int(clamping: $0) }
      let kind = CourierKind(content, topic: topic, from: message.side)
      message.messageClass = kind.messageClass.rawValue
      message.kind = kind.kind
      setNumber(&message, content.fourth)
      if let id = message.messageID { remember(id, kind.messageClass, message.side) }
    case .ack:
      setNumber(&message, content.fourth)
      message.status = content.status?.number.map { Int(clamping: $0) }
      let other: FlowSide = isUp ? .server : .client
      let acknowledged = message.messageID.flatMap { self[other].forget($0) }
      message.messageClass = (acknowledged ?? .unknown).rawValue
    case .connected, .keepAliveResponse, .scopedTokenResponse:
      message.status = content.first?.number.map { Int(clamping: $0) }
      if command == .scopedTokenResponse { message.topic = content.third?.hash.map { CourierTopic($0) } }
    case .filter, .filterUpdate, .taskControl, .taskNotification, .presence:
      if command != .filter || !isUp { message.status = content.third?.number.map { Int(clamping: $0) } }
    case .scopedToken: message.topic = content.second?.hash.map { CourierTopic($0) }
    default: break
    }
  }

  private func setNumber(_ message: inout CourierMessage, _ value: FieldValue?) {
    message.messageID = value?.number.flatMap { UInt32(exactly: $0) }
  }

  private mutating func remember(_ id: UInt32, _ messageClass: CourierClass, _ side: FlowSide) {
    if self[side].remember(id, messageClass) { damage.forgottenMessages &+= 1 }
  }
}

extension CourierConnection {
  /// What is known of one side's bytes.
  struct Direction: Sendable {
    let side: FlowSide
    var tables: PackedTables
    /// An unfinished command, the record where it began, and the length that it will have (0 while unknown).
    var pending: [UInt8] = []
    var pendingRecord = 0
    var wanted = 0
    /// Whether a command of it was read.
    var hasBegun = false
    /// Whether the beginning of the next command is lost.
    var isSearching = false
    /// Classes of the messages that were sent and not acknowledged, by number.
    private var classes: [UInt32: CourierClass] = [:]
    private var order: [UInt32] = []
    private var oldest = 0

    init(side: FlowSide, tables: PackedTables) {
      self.side = side
      self.tables = tables
    }

    mutating func lose() {
      pending = []
      wanted = 0
      tables.lose()
    }

    /// The class of a message, which is acknowledged once.
    mutating func forget(_ id: UInt32) -> CourierClass? { classes.removeValue(forKey: id) }

    /// Returns whether another unacknowledged number had to be forgotten.
    mutating func remember(_ id: UInt32, _ messageClass: CourierClass) -> Bool {
      guard classes.updateValue(messageClass, forKey: id) == nil else { return false }
      guard order.count >= CourierConnection.maximumUnacknowledged else {
        order.append(id)
        return false
      }
      let isForgotten = classes.removeValue(forKey: order[oldest]) != nil
      order[oldest] = id
      oldest = (oldest &+ 1) % CourierConnection.maximumUnacknowledged
      return isForgotten
    }
  }
}
