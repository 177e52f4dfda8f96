import Classify
import Decode
import Protocols

/// A flow's evidence as an account: each observation, what it speaks for, what it weighs, and the sum so far; then
/// the verdict, how sure it is, what else rides the connection, and what the verdict does not say.
public struct Ledger: Sendable {
  /// Evidence of ports that weighs less is counted and not listed: bits.
  static let leastPortBits = 0.05

  /// How it may look.
  public var style: TextStyle

  /// Ledgers in a style.
  public init(style: TextStyle) { self.style = style }

  /// The lines of a flow's ledger.
  public func lines(_ flow: FlowEvent) -> [String] {
    heading(flow) + [""] + evidence(flow.verdict) + verdict(flow) + limits(flow)
  }

  private func heading(_ flow: FlowEvent) -> [String] {
    let name = flow.serverName.map { "  " + printable($0) } ?? ""
    let ends = "\(end(flow.who, flow.sourcePort)) \(style.arrow) \(end("\(flow.destination)", flow.destinationPort))"
    let application = flow.facts.application.map { " " + printable($0.title) } ?? ""
    var lines = [
      style.paint(fitted("flow \(flow.id)\(name)", to: style.width, cut: .end, ellipsis: style.ellipsis), .heading)
    ]
    var facts = [
      "\(ends) \(flow.transport.recordName)\(application)", "\(dateAndTime(flow.start))",
      "\(counted(flow.packets, "packet")), \(size(flow.bytes)) in \(duration(flow.duration)), "
        + "ended by \(flow.reason.words)",
    ]
    if let process = flow.process { facts.append("by \(printable(process))") }
    if let tls = flow.facts.tls {
      let words = [tls.version.map(tlsVersionName), tls.ja4.map { "ja4 \(printable($0))" }].compactMap(\.self)
      if !words.isEmpty { facts.append(words.joined(separator: ", ")) }
      if tls.hasEncryptedClientHello { facts.append("the ClientHello is encrypted: the name seen is the outer one") }
    }
    facts += flow.callWords
    let ways = flow.scope.vlans.map { "VLAN \($0)" } + flow.scope.tunnels.map(\.name)
    if !ways.isEmpty { facts.append("inside " + ways.joined(separator: ", ")) }
    if let capture = flow.capture { facts.append("in " + printable(capture)) }
    for fact in facts { lines += paragraph(fact, .faint) }
    for note in flow.facts.notes + flow.notes { lines += paragraph("note: " + printable(note), .faint) }
    return lines
  }

  private func end(_ address: String, _ port: UInt16) -> String {
    address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
  }

  private func evidence(_ verdict: Verdict) -> [String] {
    guard !verdict.evidence.isEmpty else {
      return paragraph("Nothing was seen that speaks for or against any tag.", .faint)
    }
    var table = TextTable([
      TextColumn(title: "what", minimum: 8), TextColumn(title: "was seen", minimum: 20),
      TextColumn(title: "speaks for", minimum: 9), TextColumn(title: "bits", isNumber: true, minimum: 5),
      TextColumn(title: "", minimum: 8, dropOrder: 1),
      TextColumn(title: "tag's sum", isNumber: true, minimum: 9, dropOrder: 2),
    ])
    table.indent = 2
    let shown = verdict.evidence.filter { !isWeakPort($0) }
    let greatest = max(verdict.evidence.map { abs($0.bits) }.filter(\.isFinite).max() ?? 0, 1)
    var sums: [Tag: Double] = [:]
    for row in verdict.evidence {
      sums[row.tag, default: 0] += row.bits
      if isWeakPort(row) { continue }
      let isFor = row.tag == verdict.tag && row.bits >= 0
      let service = row.service.map { style.separator + printable($0) } ?? ""
      table.rows.append([
        TextCell(row.source.words), TextCell(printable(row.value), cut: row.source.isName ? .start : .middle),
        TextCell((row.bits < 0 ? "not " : "") + row.tag.rawValue + service, Paint(row.tag)),
        TextCell(signed(row.bits), isFor ? .plain : .against),
        TextCell(style.bar(abs(row.bits) / greatest, width: 8), isFor ? Paint(verdict.tag) : .against),
        TextCell(signed(sums[row.tag] ?? 0)),
      ])
    }
    let rows = table.lines(style)
    var lines = shown.isEmpty ? [] : Array(rows.prefix(1))
    for (row, line) in zip(shown, rows.dropFirst()) {
      lines.append(line)
      if let note = row.note { lines += paragraph("\(style.corner) \(printable(note))", .warning, indent: 4) }
    }
    let hidden = UInt64(verdict.evidence.count - shown.count)
    if hidden > 0 {
      let rows = "\(counted(hidden, "port row")) below \(fixed(Self.leastPortBits, 2)) bits"
      lines += paragraph("\(rows) \(hidden == 1 ? "is" : "are") left out.", .faint)
    }
    for conflict in verdict.conflicts { lines += paragraph("! conflict: " + printable(conflict), .warning) }
    lines += paragraph(
      "Bits move the odds of a tag against all others: 1 bit doubles them, 10 bits are a thousand to one.", .faint)
    return lines
  }

  private func isWeakPort(_ row: Evidence) -> Bool { row.source == .port && abs(row.bits) < Self.leastPortBits }

  private func verdict(_ flow: FlowEvent) -> [String] {
    let verdict = flow.verdict
    let service = verdict.service.map { style.separator + printable($0) } ?? ""
    let confidence = verdict.confidence.isFinite ? min(max(verdict.confidence, 0), 1) : 0
    let at = flow.decidedAtPacket > 0 ? " Decided at packet \(count(flow.decidedAtPacket)) of the flow." : ""
    var lines = [""]
    lines += paragraph(
      "\(verdict.tag.rawValue)\(service), \(sureness(confidence))", Paint(verdict.tag), label: "verdict")
    lines += paragraph(
      "\(exactPercent(confidence)): \(odds(confidence)).\(at)", .plain, label: "how sure")
    lines += paragraph(
      "\(signed(verdict.margin)) bits on the next tag, counting what is usual before any evidence.", .faint,
      label: "lead")
    if !verdict.carries.isEmpty {
      let others = verdict.carries.map(\.words).joined(separator: ", ")
      lines += paragraph(
        verdict.isSharedFate
          ? "\(style.shared) shared fate: \(others) on the same connection. What stops one stops all." : others,
        verdict.isSharedFate ? .sharedFate : .plain, label: "carries")
    }
    return lines
  }

  private func limits(_ flow: FlowEvent) -> [String] {
    let verdict = flow.verdict
    var lines = [""]
    lines += paragraph("What this does not say", .heading)
    for (label, text) in claims(verdict, named: flow.facts.tls?.serverName != nil) {
      lines += paragraph(text, .plain, label: label)
    }
    return lines
  }

  /// What the verdict leaves open, for each of the three questions.
  private func claims(_ verdict: Verdict, named: Bool) -> [(String, String)] {
    let subject = printable(verdict.service ?? verdict.tag.rawValue)
    if verdict.isSharedFate {
      let others = verdict.carries.filter { $0.tag != verdict.tag }.map { printable($0.service) }
        .joined(separator: " and ")
      return [
        (
          "identify",
          "Names, addresses and fingerprints belong to the connection. They give 0 bits on whether it carried "
            + "\(verdict.tag.rawValue) or \(others) at any moment."
        ),
        (
          "detect",
          "Sizes, directions and timing may still tell \(others) from \(subject) in part. This verdict did not weigh "
            + "them, and does not call it undetectable."
        ),
        ("act", "A box on the path acts on packets, flows, addresses and names: what it does to one it does to all."),
      ]
    }
    if verdict.tag == .other {
      return [
        (
          "identify",
          "Nothing here names push, messaging or calling. That is no proof of their absence: "
            + (named
              ? "the name says whose connection it is, not what went through it."
              : "a tunnel, an encrypted name or an unknown service looks the same.")
        ),
        ("detect", "Sizes and timing were not weighed."),
        ("act", "No claim on what else shares the address or the name."),
      ]
    }
    return [
      (
        "identify",
        "The tag says what the connection is for by its identifiers, not what a person did with it or whether "
          + "anything was sent."
      ),
      ("detect", "Sizes and timing were not weighed."),
      (
        "act",
        "No claim that this flow can be stopped alone: others may share its address or name with \(subject)."
      ),
    ]
  }

  private func sureness(_ confidence: Double) -> String {
    switch confidence {
    case 0.99...: "almost certain"
    case 0.95...: "very likely"
    case 0.8...: "likely"
    case 0.6...: "more likely than not"
    default: "little more than a guess"
    }
  }

  private func exactPercent(_ confidence: Double) -> String {
    confidence > 0.9995 && confidence < 1 ? ">99.9 %" : fixed(confidence * 100, 1) + " %"
  }

  private func odds(_ confidence: Double) -> String {
    let wrong = 1 - confidence
    if wrong < 0.000_1 { return "fewer than 1 of 10,000 such flows are something else" }
    if wrong < 0.095 { return "about 1 of \(count(UInt64((1 / wrong).rounded()))) such flows is something else" }
    return "about \(Int((wrong * 10).rounded())) of 10 such flows are something else"
  }

  private func signed(_ bits: Double) -> String { (bits < 0 ? "" : "+") + fixed(bits, 1) }

  /// Wrapped text under an optional label at the left.
  private func paragraph(_ text: String, _ paint: Paint, indent: Int = 2, label: String? = nil) -> [String] {
    let margin = String(repeating: " ", count: label == nil ? indent : 12)
    let lines = wrapped(text, to: style.width - columns(of: margin))
    return lines.enumerated().map { index, line in
      guard index == 0, let label else { return margin + style.paint(line, paint) }
      let gap = String(repeating: " ", count: max(12 - 2 - columns(of: label), 1))
      return "  " + style.paint(label, .faint) + gap + style.paint(line, paint)
    }
  }
}

extension EndReason {
  /// The reason in prose.
  var words: String {
    switch self {
    case .fin: "both sides (FIN)"
    case .rst: "a reset (RST)"
    case .timeout: "silence (timeout)"
    case .evicted: "eviction: too many flows at a time"
    case .endOfCapture: "the end of the capture"
    }
  }
}
