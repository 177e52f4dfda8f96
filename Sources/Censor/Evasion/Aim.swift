/// A policy with the hellos that it meets as recorded.
///
/// Where it meets none, its boxes are tested all the same: each hello's own name is put in the place of the names that
/// the policy looks for.
struct Aim {
  let policy: Policy
  private(set) var isAimed = false
  /// Numbers of the hellos as recorded that it meets.
  private(set) var met: Set<Int>
  private let meets: (FlowSight) -> Bool
  /// The policy aimed at a hello's name, by the hello's number.
  private var aimed: [Int: (FlowSight) -> Bool] = [:]

  init(
    _ policy: Policy, _ hellos: [RecordedHello], _ base: EvasionCheck.Trial,
    _ matcher: (Policy) -> (FlowSight) -> Bool
  ) {
    self.policy = policy
    let plain = matcher(policy)
    meets = plain
    met = Set(hellos.indices.filter { base.isMet($0, plain) })
    guard met.isEmpty else { return }
    var aimed: [Int: (FlowSight) -> Bool] = [:]
    for (number, hello) in hellos.enumerated() {
      guard let name = hello.serverName, !name.isEmpty, let other = policy.aimed(at: name) else { continue }
      aimed[number] = matcher(other)
    }
    met = Set(aimed.filter { base.isMet($0.key, $0.value) }.keys)
    isAimed = !met.isEmpty
    // A policy whose scope none of these hellos is in stays as it is.
    if isAimed { self.aimed = aimed }
  }

  /// The row of the report.
  var row: EvasionReport.PolicyRow {
    EvasionReport.PolicyRow(
      name: policy.name, title: policy.title, source: policy.source, standing: policy.standing.rawValue,
      abilities: policy.box.sentence, isAimed: isAimed, matched: met.count)
  }

  /// What it makes of a way.
  func outcome(_ trial: EvasionCheck.Trial) -> EvasionReport.Outcome {
    var outcome = EvasionReport.Outcome()
    for number in trial.rewritten.keys {
      let isMet = trial.isMet(number, aimed[number] ?? meets)
      if met.contains(number) {
        outcome.of += 1
        if isMet { outcome.matched += 1 }
      } else if isMet {
        outcome.new += 1
      }
    }
    return outcome
  }
}

extension EvasionCheck.Trial {
  /// Whether a matcher meets a flow of the hello with a number.
  fileprivate func isMet(_ number: Int, _ meets: (FlowSight) -> Bool) -> Bool {
    sights[number, default: []].contains(where: meets)
  }
}

extension Policy {
  /// Whether it looks at something that a rewrite changes: a hello, its name, or the first bytes.
  var looksAtHellos: Bool {
    match.leaves.contains { leaf in
      switch leaf {
      case .sni, .quicSNI, .hello, .alpn, .ja3, .ja4, .encryptedServerName, .encryptedClientHello, .quicVersion,
        .firstPayloadLength, .fullyEncrypted, .unrecognised:
        true
      default: false
      }
    }
  }

  /// The same rule looking for another name wherever it looks for a server name; nil where it looks for none.
  func aimed(at name: String) -> Policy? {
    var isChanged = false
    var policy = self
    policy.match = match.aimed(at: name, &isChanged)
    return isChanged ? policy : nil
  }
}

extension Formula {
  /// What stands under `not` is left alone: there names are let pass.
  fileprivate func aimed(at name: String, _ isChanged: inout Bool) -> Formula {
    switch self {
    case .leaf(.sni(let names)): .leaf(.sni(names.aimed(at: name, &isChanged)))
    case .leaf(.quicSNI(let names)): .leaf(.quicSNI(names.aimed(at: name, &isChanged)))
    case .leaf, .not: self
    case .all(let parts): .all(parts.map { $0.aimed(at: name, &isChanged) })
    case .any(let parts): .any(parts.map { $0.aimed(at: name, &isChanged) })
    }
  }
}

extension NameMatch {
  fileprivate func aimed(at name: String, _ isChanged: inout Bool) -> NameMatch {
    // A name is no expression; the whole name stands for it.
    guard var match = try? NameMatch(kind == .regex ? .exact : kind, [name]) else { return self }
    match.ignoresCase = ignoresCase
    match.ignoresTrailingDot = ignoresTrailingDot
    isChanged = true
    return match
  }
}

extension BoxAbilities {
  /// What it puts together, in words.
  var sentence: String {
    var words: [String] = []
    if reassemblesSegments { words.append("TCP segments") }
    if reassemblesRecords { words.append("TLS records") }
    if maximumFragments > 0 { words.append("up to \(maximumFragments) IP fragments") }
    if opensQUIC, reassemblesCrypto { words.append("CRYPTO frames of QUIC Initials") }
    let list = words.isEmpty ? "reads single packets only" : "puts together " + words.joined(separator: ", ")
    return list + (opensQUIC && !reassemblesCrypto ? "; opens QUIC Initials one by one" : "")
      + (inspectedPackets.map { "; looks at the first \($0 == 1 ? "packet" : "\($0) packets")" } ?? "")
  }
}
