import Classify
import Yams

extension PolicyFile {
  /// Where a policy applies.
  mutating func readScope(_ node: Node?) -> Scope {
    var scope = Scope()
    guard let node, let fields = fields(node, "scope", PolicyKeys.Scope.self) else { return scope }
    var names: [String] = []
    for (key, value) in fields.pairs {
      let place = "scope.\(key.rawValue)"
      switch key {
      case .address: scope.prefixes += prefixes(value, place)
      case .owner: scope.prefixes += owners(value, place).flatMap(\.prefixes)
      case .prefixesOf: scope.prefixes += prefixes(of: value, place)
      case .port: scope.ports = ports(value, place)
      case .exceptAddress: scope.exceptPrefixes += prefixes(value, place)
      case .exceptOwner: scope.exceptPrefixes += owners(value, place).flatMap(\.prefixes)
      case .exceptPrefixesOf: scope.exceptPrefixes += prefixes(of: value, place)
      case .exceptSNISuffix:
        names += texts(value, place).compactMap { text in
          checked(text.node, place) { () throws(CatalogueWording) in
            try Identifier.Kind.sniSuffix.normalized(text.text)
          }
        }
      case .exceptNamesOf:
        let known = self.names(of: value, place)
        names += known.exact + known.suffix
      case .sourcePortAboveDestination:
        scope.needsSourcePortAboveDestination = flag(value, place) ?? false
      }
    }
    if !names.isEmpty { scope.exceptNames = try? NameMatch(.suffix, names) }
    return scope
  }

  /// What the box can do.
  mutating func readBox(_ node: Node?) {
    box = BoxAbilities()
    comparison = NameComparison()
    guard let node, let fields = fields(node, "box", PolicyKeys.Box.self) else { return }
    for (key, value) in fields.pairs {
      let place = "box.\(key.rawValue)"
      switch key {
      case .position: box.position = word(value, place, as: BoxAbilities.Position.self) ?? box.position
      case .reassemblesSegments: box.reassemblesSegments = flag(value, place) ?? box.reassemblesSegments
      case .reassemblesRecords: box.reassemblesRecords = flag(value, place) ?? box.reassemblesRecords
      case .reassemblesCrypto: box.reassemblesCrypto = flag(value, place) ?? box.reassemblesCrypto
      case .maximumFragments: box.maximumFragments = integer(value, place, in: 0...8_192) ?? box.maximumFragments
      case .opensQUIC: box.opensQUIC = flag(value, place) ?? box.opensQUIC
      case .inspectedPackets: box.inspectedPackets = integer(value, place, in: 1...1_000_000)
      case .flowMemory: box.flowMemory = seconds(value, place)
      case .judgesMidstream: box.judgesMidstream = flag(value, place) ?? box.judgesMidstream
      case .ignoresCase: comparison.ignoresCase = flag(value, place) ?? comparison.ignoresCase
      case .ignoresTrailingDot: comparison.ignoresTrailingDot = flag(value, place) ?? comparison.ignoresTrailingDot
      }
    }
  }

  /// What a policy does: a word, or one kind with how.
  mutating func action(_ node: Node) -> PolicyAction? {
    if case .scalar(let scalar) = node {
      switch scalar.string {
      case "drop": return PolicyAction(.drop)
      case "poison": return PolicyAction(.poison)
      case "reset": note(node, "action", "does not say how; write {reset: rewritten} or {reset: injected}")
      case "throttle": note(node, "action", "does not say how fast; write {throttle: 650}, in bytes a second")
      case "freeze": note(node, "action", "does not say when; write {freeze: {packets: 25, bytes: 16000}}")
      case "hold": note(node, "action", "does not say how long; write {hold: 3}, in seconds")
      default:
        note(
          node, "action",
          "is \(Self.described(node)); use drop, poison, or keys with values, as {reset: injected}")
      }
      return nil
    }
    guard let fields = fields(node, "action", PolicyKeys.Action.self) else { return nil }
    let kinds: [PolicyKeys.Action] = [.drop, .reset, .throttle, .freeze, .hold, .poison]
    let given = fields.pairs.filter { kinds.contains($0.key) }
    guard given.count == 1, let first = given.first else {
      let words = kinds.map(\.rawValue)
      note(
        node, "action",
        given.isEmpty
          ? "says nothing to do; add one of \(Self.list(words)), as {drop: true}"
          : "does \(given.count) things: \(given.map(\.key.rawValue).joined(separator: ", ")); leave one")
      return nil
    }
    let kind = kind(first.key, first.value)
    var action = PolicyAction(kind ?? .drop)
    for (key, value) in fields.pairs {
      let place = "action.\(key.rawValue)"
      switch key {
      case .unit: action.unit = word(value, place, as: PolicyAction.Unit.self) ?? action.unit
      case .direction: action.direction = word(value, place, as: PolicyAction.Direction.self) ?? action.direction
      case .passes: action.passes = range(value, place, in: 0...1_000_000)
      case .triggerPasses: action.hitsTrigger = !(flag(value, place) ?? false)
      case .delay: action.delay = number(value, place, in: 0...Self.maximumSeconds) ?? 0
      case .copiesPass: action.copiesPass = flag(value, place) ?? false
      case .drop, .reset, .throttle, .freeze, .hold, .poison: break
      }
    }
    return kind == nil ? nil : action
  }

  private mutating func kind(_ key: PolicyKeys.Action, _ node: Node) -> PolicyAction.Kind? {
    let place = "action.\(key.rawValue)"
    switch key {
    case .reset:
      switch node.scalar?.string {
      case "rewritten": return .reset(isInjected: false)
      case "injected": return .reset(isInjected: true)
      default:
        note(node, place, "is \(Self.described(node)); use rewritten or injected")
        return nil
      }
    case .throttle:
      if let rate = node.scalar.flatMap({ Double($0.string) }), rate > 0, rate <= 1e12 {
        return .throttle(bytesPerSecond: rate)
      }
      note(node, place, "must be bytes a second above 0, not \(Self.described(node))")
      return nil
    case .freeze:
      guard let fields = fields(node, place, PolicyKeys.Freeze.self) else { return nil }
      let packets = fields[.packets].map { integer($0, "\(place).packets", in: 1...1_000_000_000) }
      let bytes = fields[.bytes].map { integer($0, "\(place).bytes", in: 1...1_000_000_000_000) }
      guard packets != nil || bytes != nil else {
        note(node, place, "does not say when; add packets: 25, bytes: 16000 or both")
        return nil
      }
      return .freeze(packets: packets ?? nil, bytes: bytes ?? nil)
    case .hold: return seconds(node, place).map { .hold(seconds: $0) }
    default:
      guard let flag = flag(node, place) else { return nil }
      if !flag { note(node, place, "can only be true; leave it out, and say what the rule does instead") }
      return flag ? (key == .poison ? .poison : .drop) : nil
    }
  }

  /// What a policy goes on doing.
  mutating func residual(_ node: Node) -> Residual? {
    guard let fields = fields(node, "residual", PolicyKeys.Residual.self) else { return nil }
    if fields[.seconds] == nil { note(node, "residual", "needs seconds: how long it lasts") }
    if fields[.key] == nil {
      note(node, "residual", "needs key: what is remembered, one of \(Self.list(Residual.Key.self))")
    }
    let seconds = fields[.seconds].flatMap { self.seconds($0, "residual.seconds") }
    let key = fields[.key].flatMap { word($0, "residual.key", as: Residual.Key.self) }
    let restart = fields[.restart].flatMap { word($0, "residual.restart", as: Residual.Restart.self) }
    guard let seconds, let key else { return nil }
    var residual = Residual(seconds: seconds, key: key)
    if let restart { residual.restart = restart }
    return residual
  }

  /// The second stage.
  mutating func secondStage(_ node: Node) -> SecondStage? {
    guard let fields = fields(node, "second-stage", PolicyKeys.SecondStage.self) else { return nil }
    if fields[.delay] == nil { note(node, "second-stage", "needs delay: seconds until the list is in force") }
    let delay = fields[.delay].flatMap { number($0, "second-stage.delay", in: 0...Self.maximumSeconds) }
    let key = fields[.key].flatMap { word($0, "second-stage.key", as: Residual.Key.self) }
    let seconds = fields[.seconds].flatMap { self.seconds($0, "second-stage.seconds") }
    guard let delay else { return nil }
    var stage = SecondStage(delay: delay)
    if let key { stage.key = key }
    stage.seconds = seconds
    return stage
  }

  /// What can only be said of a policy as a whole.
  mutating func check(_ action: PolicyAction, _ match: Formula, at node: Node) {
    if box.position == .onPath {
      switch action.kind {
      case .reset(isInjected: true), .poison: break
      case .drop, .reset, .throttle, .freeze, .hold:
        note(
          node, "action",
          "a box that stands on-path only gets copies and cannot \(action.kind.verb); use {reset: injected} or poison, "
            + "or box: {position: in-path}")
      }
    }
    if action.kind == .poison, !match.leaves.contains(where: \.isDNS) {
      note(node, "action", "poison changes answers to DNS; add dns-suffix or another dns- key to match")
    }
    guard action.unit == .packet else { return }
    if !match.leaves.contains(where: \.isOfPacket) {
      note(
        node, "action.unit",
        "packet needs something that packets are told by; add record, packet, message or model to match")
    }
    switch action.kind {
    case .drop, .hold: break
    case .reset, .throttle, .freeze, .poison:
      note(node, "action.unit", "packet goes with drop and hold only; leave it out")
    }
  }
}

extension PolicyAction.Kind {
  /// The word in files.
  var verb: String {
    switch self {
    case .drop: "drop"
    case .reset(let isInjected): isInjected ? "reset by a packet of its own" : "reset by rewriting"
    case .throttle: "throttle"
    case .freeze: "freeze"
    case .hold: "hold"
    case .poison: "poison"
    }
  }
}

extension Leaf {
  /// Whether it looks at names in DNS.
  var isDNS: Bool {
    if case .dnsName = self { return true }
    return false
  }
}
