import Classify
import Yams

// Leaves that look at payloads, records and messages.

extension PolicyFile {
  /// Bytes of a TLS record's length field: RFC 8446, section 5.2, 2^14 + 256; RFC 5246 allows 2^14 + 2048.
  static let recordLengths = 0...18_432
  /// Bytes of an IP packet.
  static let packetLengths = 20...65_575

  mutating func firstPayload(_ node: Node, _ field: String) -> Formula? {
    guard let fields = fields(node, field, PolicyKeys.Length.self) else { return nil }
    let found = lengths(
      fields[.lengths], atLeast: fields[.atLeast], atMost: fields[.atMost], at: node, field, in: 1...65_535)
    return found.map { .leaf(.firstPayloadLength($0)) }
  }

  mutating func fullyEncrypted(_ node: Node, _ field: String) -> Formula? {
    var test = FullyEncryptedTest()
    if case .scalar = node {
      guard let flag = flag(node, field) else { return nil }
      if flag { return .leaf(.fullyEncrypted(test)) }
      note(node, field, "can only be true, or its limits; write {not: {fully-encrypted: true}} for its absence")
      return nil
    }
    guard let fields = fields(node, field, PolicyKeys.FullyEncrypted.self) else { return nil }
    for (key, value) in fields.pairs {
      let place = "\(field).\(key.rawValue)"
      switch key {
      case .lowPopcount: test.lowPopcount = number(value, place, in: 0...8) ?? test.lowPopcount
      case .highPopcount: test.highPopcount = number(value, place, in: 0...8) ?? test.highPopcount
      case .printablePrefix: test.printablePrefix = integer(value, place, in: 0...1_500) ?? test.printablePrefix
      case .printableFraction: test.printableFraction = number(value, place, in: 0...1) ?? test.printableFraction
      case .printableRun: test.printableRun = integer(value, place, in: 0...1_500) ?? test.printableRun
      case .allow: test.allowed = words(value, place, as: Leaf.KnownBeginning.self)
      }
    }
    if test.lowPopcount > test.highPopcount {
      note(node, field, "has low-popcount above high-popcount, so that everything is exempt; exchange them")
    }
    return .leaf(.fullyEncrypted(test))
  }

  mutating func unrecognised(_ node: Node, _ field: String) -> Formula? {
    guard let fields = fields(node, field, PolicyKeys.Unrecognised.self) else { return nil }
    let packets = fields[.packets].map { integer($0, "\(field).packets", in: 1...2) } ?? 1
    let allowed = fields[.allow].map { words($0, "\(field).allow", as: Leaf.KnownBeginning.self) } ?? []
    if fields[.allow] == nil {
      note(node, field, "says nothing that is let pass; add allow: [\(Leaf.KnownBeginning.tls.rawValue)]")
    }
    guard let packets, !allowed.isEmpty else { return nil }
    return .leaf(.unrecognised(packets: packets, allowed: allowed))
  }

  mutating func record(_ node: Node, _ field: String) -> Formula? {
    guard let fields = fields(node, field, PolicyKeys.Record.self) else { return nil }
    let found = lengths(
      fields[.lengths], atLeast: fields[.atLeast], atMost: fields[.atMost], at: node, field, in: Self.recordLengths)
    let direction = fields[.direction].flatMap { word($0, "\(field).direction", as: PolicyAction.Direction.self) }
    let isLeading = fields[.leading].flatMap { flag($0, "\(field).leading") }
    let grace = fields[.grace].flatMap { number($0, "\(field).grace", in: 0...86_400) }
    guard let found else { return nil }
    var test = RecordTest(lengths: found)
    test.direction = direction ?? .both
    test.isLeading = isLeading ?? false
    test.grace = grace ?? 0
    return .leaf(.record(test))
  }

  mutating func packet(_ node: Node, _ field: String) -> Formula? {
    guard let fields = fields(node, field, PolicyKeys.Packet.self) else { return nil }
    let found = lengths(
      fields[.lengths], atLeast: fields[.atLeast], atMost: fields[.atMost], at: node, field, in: Self.packetLengths)
    let direction = fields[.direction].flatMap { word($0, "\(field).direction", as: PolicyAction.Direction.self) }
    guard let found else { return nil }
    var test = PacketTest(lengths: found)
    test.direction = direction ?? .both
    return .leaf(.packet(test))
  }

  mutating func model(_ node: Node, _ field: String) -> Formula? {
    guard let fields = fields(node, field, PolicyKeys.Model.self) else { return nil }
    let target = fields[.target].flatMap { text($0, "\(field).target") }
    let background = fields[.background].flatMap { text($0, "\(field).background") }
    let rate = fields[.falsePositiveRate].flatMap { number($0, "\(field).false-positive-rate", in: 0...1) }
    let direction = fields[.direction].flatMap { word($0, "\(field).direction", as: PolicyAction.Direction.self) }
    if fields[.target] == nil { note(node, field, "needs target: what it looks for, as imessage") }
    if fields[.background] == nil { note(node, field, "needs background: what it must leave alone, as notifications") }
    if fields[.falsePositiveRate] == nil { note(node, field, "needs false-positive-rate: a number from 0 to 1") }
    guard let target, let background, let rate else { return nil }
    return .leaf(
      .model(
        ModelTest(target: target, background: background, direction: direction ?? .both, falsePositiveRate: rate)))
  }

  /// Classes of messages that decryption and truth files know; kinds stand behind a point: "imessage.text".
  static let messageClasses = ["imessage", "notification", "facetime", "identity", "status", "courier"]

  mutating func message(_ node: Node, _ field: String) -> Formula? {
    guard case .mapping = node else {
      let kinds = messageKinds(node, field)
      return kinds.isEmpty ? nil : .leaf(.message(kinds: kinds, direction: .both))
    }
    guard let fields = fields(node, field, PolicyKeys.Message.self) else { return nil }
    let direction = fields[.direction].flatMap { word($0, "\(field).direction", as: PolicyAction.Direction.self) }
    guard let list = fields[.kinds] else {
      note(node, field, "says no kind; add kinds: [imessage]")
      return nil
    }
    let kinds = messageKinds(list, "\(field).kinds")
    return kinds.isEmpty ? nil : .leaf(.message(kinds: kinds, direction: direction ?? .both))
  }

  private mutating func messageKinds(_ node: Node, _ field: String) -> [String] {
    texts(node, field).compactMap { text in
      let kind = text.text.lowercased()
      let first = kind.split(separator: ".").first.map(String.init) ?? ""
      if Self.messageClasses.contains(first) { return kind }
      note(
        text.node, field,
        "\"\(text.text)\" is no class of messages; "
          + Self.suggestion(NearestWord.of(first, in: Self.messageClasses), else: Self.messageClasses))
      return nil
    }
  }
}
