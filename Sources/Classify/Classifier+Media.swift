import Protocols

extension Classifier {
  /// Weighs what media, and the way to them, look like, and what STUN and call signalling say of their software.
  func weighMedia(_ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
    let facts = flow.facts
    if let rtp = facts.rtp, let seen = MediaSign.of(rtp) {
      addMedia(facts.quic != nil ? .rtpWithQUIC : seen.sign, seen.words, factor: seen.factor, to: &ledger)
    }
    if let profiles = facts.dtls?.srtpProfiles, !profiles.isEmpty {
      addMedia(.dtlsSRTP, "DTLS with \(profiles.count) SRTP profile\(profiles.count == 1 ? "" : "s")", to: &ledger)
    }
    if let stun = facts.stun {
      let seen = MediaSign.of(stun)
      addMedia(seen.sign, seen.words, to: &ledger)
      weighSTUN(stun, &ledger)
    }
    if let agent = facts.call?.userAgent { weighUserAgent(agent, &ledger) }
  }

  private func addMedia(_ sign: MediaSign, _ words: String, factor: Double = 1, to ledger: inout Ledger) {
    guard let row = index.mediaSigns[sign] else { return }
    add(.media, .media, words, row: row, factor: factor, group: .media, to: &ledger)
  }

  /// Weighs vendors' marks in STUN: of each service the first, of both kinds.
  private func weighSTUN(_ stun: STUNFacts, _ ledger: inout Ledger) {
    var services: Set<Int32> = []
    func weigh(_ type: UInt16, isMessageType: Bool) {
      guard let row = index.stunSigns[STUNSign.key(type, isMessageType: isMessageType)],
        services.insert(index.rows[Int(row)].service).inserted
      else { return }
      add(.stun, .stunVendor, index.values[Int(row)], row: row, group: .software, to: &ledger)
    }
    for type in stun.messageTypes { weigh(type, isMessageType: true) }
    services = []
    for type in stun.attributes { weigh(type, isMessageType: false) }
    for (name, text) in [("SOFTWARE", stun.software), ("REALM", stun.realm), ("ORIGIN", stun.origin)] {
      guard let text else { continue }
      index.stunTexts.find(in: text) { row in
        add(.stun, .stunText, "\(name) \(text)", row: row, group: .software, to: &ledger)
      }
    }
  }

  /// Weighs the program that a flow names.
  func weighUserAgent(_ agent: String, _ ledger: inout Ledger) {
    index.userAgents.find(in: agent) { row in
      add(.userAgent, .userAgent, agent, row: row, group: .software, to: &ledger)
    }
  }

  /// Weighs the program that the capture names.
  func weighProcess(_ process: String, _ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
    for row in index.processes[process.lowercased()] ?? [] {
      guard index.holds(index.rows[Int(row)], eitherEndOf: flow) else { continue }
      add(.process, .process, process, row: row, group: .software, to: &ledger)
    }
  }

  /// Weighs that another flow belongs to the same conversation. A payload that was read as something else is not what
  /// was announced: the address is only shared.
  func weighConversation(_ announcement: Announcement, _ flow: borrowing FlowObservation, _ ledger: inout Ledger) {
    let application = flow.facts.application
    let fits = ledger.isMedia || application == nil || application == .dtls || application == .quic
    guard fits || announcement.tag != .calling else { return }
    let number = announcement.service.flatMap { index.numbers[$0] } ?? -1
    // A protocol that many services speak names nobody: a stream that SIP announced is not itself SIP.
    let isNamed = number >= 0 && !index.services[Int(number)].isGeneric
    let bits = weights.conversation[announcement.link] ?? 0
    ledger.add(
      announcement.tag, bits: bits, service: isNamed ? number : -1, group: nil,
      Evidence(
        .conversation, value: announcement.sentence, tag: announcement.tag,
        service: isNamed ? announcement.service : nil, bits: bits))
  }

  /// Adds what sizes and times say, each tag within a bound.
  func weighShape(_ evidence: [ShapeEvidence], _ ledger: inout Ledger) {
    let most = weights.shape[.most] ?? 0
    for shape in evidence where shape.bits.isFinite && shape.bits != 0 {
      let bits = max(-most, min(most, shape.bits))
      ledger.add(
        shape.tag, bits: bits, service: -1, group: nil,
        Evidence(
          .shape, value: shape.sentence, tag: shape.tag, service: nil, bits: bits,
          note: "from sizes and times alone"))
    }
  }
}

extension CallFacts {
  /// The methods seen, where none of them sets up, changes or ends a call (RFC 3261; RFC 3428 for MESSAGE).
  var withoutCall: String? {
    let signs: Set = ["INVITE", "ACK", "BYE", "CANCEL", "PRACK", "UPDATE", "REFER"]
    let others: Set = ["REGISTER", "OPTIONS", "SUBSCRIBE", "NOTIFY", "PUBLISH", "MESSAGE", "INFO"]
    guard callerSide == nil, media.isEmpty, !methods.contains(where: signs.contains) else { return nil }
    let seen = methods.filter(others.contains)
    return seen.isEmpty ? nil : seen.joined(separator: ", ")
  }
}
