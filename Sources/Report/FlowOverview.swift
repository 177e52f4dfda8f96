public import Classify

/// The report of a run for a person: totals a tag, the flows that matter, and what the run could not do.
public struct FlowOverview: Sendable {
  /// How it may look.
  public var style: TextStyle
  /// What was read: "sample.pcap", "eth0".
  public var title: String
  /// Whether flows tagged other are listed one by one as well.
  public var showsAll = false
  /// The only tag to list, where one was asked for.
  public var onlyTag: Tag?

  /// The most services of `other` that are listed.
  static let shownServices = 12
  /// From this width on a flow takes one line, below it two.
  static let oneLineWidth = 118

  /// A report on what has a name.
  public init(title: String, style: TextStyle) {
    self.title = title
    self.style = style
  }

  /// The lines of the report.
  public func lines(_ summary: RunSummary, _ stats: StatsEvent) -> [String] {
    var lines = [headline(summary, stats), ""]
    lines += totals(summary)
    lines += flows(summary)
    if onlyTag == nil || onlyTag == .calling {
      let calls = summary.calls.sorted { $0.id < $1.id }
      lines += CallOverview(style: style).lines(calls, hidden: summary.callCount - UInt64(calls.count))
    }
    if onlyTag == nil || onlyTag == .other { lines += others(summary) }
    lines += sharedFate(summary)
    lines += losses(stats)
    return lines
  }

  private func headline(_ summary: RunSummary, _ stats: StatsEvent) -> String {
    let total = summary.total
    let span = UInt64(clamping: stats.end.subtractingReportingOverflow(stats.start).partialValue)
    let facts = [
      counted(stats.packets, "packet"), size(stats.bytes), counted(total.flows, "flow"), duration(span),
    ].joined(separator: style.separator)
    let room = style.width - columns(of: facts) - 4
    guard room >= 12 else { return style.paint(fitted(" " + facts, to: style.width, cut: .end), .heading) }
    let name = fitted(printable(title), to: room, cut: .start, ellipsis: style.ellipsis)
    return " " + style.paint(name, .heading) + "  " + style.paint(facts, .faint)
  }

  private func totals(_ summary: RunSummary) -> [String] {
    let all = summary.total
    var table = TextTable([
      TextColumn(title: "tag", minimum: 9), TextColumn(title: "flows", isNumber: true, minimum: 5),
      TextColumn(title: "packets", isNumber: true, minimum: 7, dropOrder: 2),
      TextColumn(title: "bytes", isNumber: true, minimum: 7),
      TextColumn(title: "share", isNumber: true, minimum: 5), TextColumn(title: "", minimum: 20, dropOrder: 1),
    ])
    for tag in Tag.allCases {
      let totals = summary.totals(of: tag)
      let share = all.bytes == 0 ? 0 : Double(totals.bytes) / Double(all.bytes)
      let faint = totals.flows == 0 ? Paint.faint : .plain
      table.rows.append([
        TextCell(tag.rawValue, totals.flows == 0 ? .faint : Paint(tag)), TextCell(count(totals.flows), faint),
        TextCell(count(totals.packets), faint), TextCell(size(totals.bytes), faint),
        TextCell(portion(totals.bytes, of: all.bytes), faint), TextCell(style.bar(share, width: 20), Paint(tag)),
      ])
    }
    return table.lines(style)
  }

  private func flows(_ summary: RunSummary) -> [String] {
    let tags = Tag.allCases.filter { onlyTag == nil ? showsAll || $0 != .other : $0 == onlyTag }
    let shown = tags.flatMap { summary.largest(of: $0).flows }
    guard !shown.isEmpty else { return [] }
    var lines = [""]
    lines += style.width >= Self.oneLineWidth ? oneLineEach(shown) : twoLinesEach(shown)
    for tag in tags {
      let hidden = summary.totals(of: tag).flows - UInt64(summary.largest(of: tag).flows.count)
      guard hidden > 0 else { continue }
      let hint = showsAll ? "--format jsonl lists each" : "--all shows more"
      lines += note("\(counted(hidden, "smaller \(tag.rawValue) flow")) not shown; \(hint)", .faint)
    }
    return lines
  }

  private func oneLineEach(_ flows: [FlowEvent]) -> [String] {
    var table = TextTable([
      TextColumn(title: "flow", isNumber: true, minimum: 4),
      TextColumn(title: "tag", minimum: 11), TextColumn(title: "sure", isNumber: true, minimum: 5),
      TextColumn(title: "service", minimum: 10, maximum: 24),
      TextColumn(title: "who", minimum: 12, maximum: 26, cut: .middle), TextColumn(title: "", minimum: 1, gap: 1),
      TextColumn(title: "where", minimum: 24, maximum: 52, cut: .start, gap: 1),
      TextColumn(title: "packets", isNumber: true, minimum: 5, dropOrder: 1),
      TextColumn(title: "bytes", isNumber: true, minimum: 6),
      TextColumn(title: "time", isNumber: true, minimum: 5), TextColumn(title: "why", minimum: 12),
    ])
    for flow in flows {
      table.rows.append([
        TextCell("\(flow.id)", .faint), mark(flow), TextCell(percent(flow.verdict.confidence), sureness(flow.verdict)),
        TextCell(flow.what),
        TextCell(flow.who), TextCell(style.arrow, .faint), TextCell(flow.whereTo), TextCell(count(flow.packets)),
        TextCell(size(flow.bytes)), TextCell(duration(flow.duration)),
        TextCell(flow.whyInShort, flow.verdict.conflicts.isEmpty ? .faint : .warning),
      ])
    }
    return table.lines(style)
  }

  private func twoLinesEach(_ flows: [FlowEvent]) -> [String] {
    var table = TextTable([
      TextColumn(title: "flow", isNumber: true, minimum: 4, dropOrder: 0),
      TextColumn(title: "tag", minimum: 11), TextColumn(title: "sure", isNumber: true, minimum: 5),
      TextColumn(title: "service", minimum: 8), TextColumn(title: "packets", isNumber: true, minimum: 7, dropOrder: 1),
      TextColumn(title: "bytes", isNumber: true, minimum: 7),
      TextColumn(title: "time", isNumber: true, minimum: 6, dropOrder: 2),
    ])
    for flow in flows {
      table.rows.append([
        TextCell("\(flow.id)", .faint), mark(flow), TextCell(percent(flow.verdict.confidence), sureness(flow.verdict)),
        TextCell(flow.what),
        TextCell(count(flow.packets)), TextCell(size(flow.bytes)), TextCell(duration(flow.duration)),
      ])
    }
    let firstLines = table.lines(style)
    var lines = Array(firstLines.prefix(1))
    for (flow, line) in zip(flows, firstLines.dropFirst()) { lines += [line, detail(flow)] }
    return lines
  }

  /// "   192.0.2.9 → courier.push.apple.com:5223 · sni, alpn": the name keeps its right end.
  private func detail(_ flow: FlowEvent) -> String {
    let indent = 3
    let who = fitted(flow.who, to: max(style.width / 3, 15), cut: .middle, ellipsis: style.ellipsis)
    let fixedPart = indent + columns(of: who) + 3
    let why = style.separator + flow.whyInShort
    let room = style.width - fixedPart
    let nameRoom = min(columns(of: flow.whereTo), max(room - columns(of: why), room * 2 / 3))
    let name = fitted(flow.whereTo, to: nameRoom, cut: .start, ellipsis: style.ellipsis)
    let rest = fitted(why, to: room - columns(of: name), cut: .end, ellipsis: style.ellipsis)
    return String(repeating: " ", count: indent) + style.paint("\(who) \(style.arrow) \(name)\(rest)", .faint)
  }

  private func mark(_ flow: FlowEvent) -> TextCell {
    let tag = flow.verdict.tag
    return TextCell(flow.verdict.isSharedFate ? "\(tag.rawValue) \(style.shared)" : tag.rawValue, Paint(tag))
  }

  private func sureness(_ verdict: Verdict) -> Paint { verdict.confidence < 0.8 ? .warning : .plain }

  private func others(_ summary: RunSummary) -> [String] {
    let services = summary.services.filter { $0.key.tag == .other }
      .sorted { ($0.value.bytes, $1.key.name) > ($1.value.bytes, $0.key.name) }
    guard !services.isEmpty else { return [] }
    var table = TextTable([
      TextColumn(title: "other, by service", minimum: 16, maximum: 40),
      TextColumn(title: "flows", isNumber: true, minimum: 5),
      TextColumn(title: "packets", isNumber: true, minimum: 7, dropOrder: 1),
      TextColumn(title: "bytes", isNumber: true, minimum: 7),
    ])
    for (name, totals) in services.prefix(Self.shownServices) {
      let text = name.isKnown ? printable(name.name) : "\(printable(name.name)), no known service"
      table.rows.append([
        TextCell(text, name.isKnown ? .plain : .faint), TextCell(count(totals.flows)),
        TextCell(count(totals.packets)), TextCell(size(totals.bytes)),
      ])
    }
    let hidden = UInt64(max(services.count - Self.shownServices, 0))
    var rest = hidden == 0 ? [] : note("\(counted(hidden, "smaller service")) not shown", .faint)
    let unlisted = summary.unlistedServices.flows
    if unlisted > 0 {
      rest += note("\(counted(unlisted, "flow")) of further services of any tag are not told apart", .faint)
    }
    return [""] + table.lines(style) + rest
  }

  private func sharedFate(_ summary: RunSummary) -> [String] {
    let carriers = summary.carriers.filter { onlyTag == nil || $0.tag == onlyTag }
    guard !carriers.isEmpty else { return [] }
    var lines = [""] + note("\(style.shared) shared fate: what stops one stops all:", .sharedFate)
    for carrier in carriers {
      let others = carrier.carries.map(\.words).joined(separator: ", ")
      let text = "\(printable(carrier.service)) (\(carrier.tag.rawValue)) carries \(others)"
      lines += note(text, .sharedFate, first: "  ", indent: "    ")
    }
    return lines
  }

  /// A line for each cap, drop or damage that cost something.
  private func losses(_ stats: StatsEvent) -> [String] {
    var lines: [String] = []
    func warn(_ text: String) { lines += note("! " + text, .warning) }
    func list(_ counts: [String: UInt64]) -> String {
      counts.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        .map { "\(printable($0.key)) \(count($0.value))" }.joined(separator: ", ")
    }
    if let dropped = stats.dropped, dropped > 0 {
      warn("\(counted(dropped, "packet")) dropped by the kernel before they were seen: a larger --buffer may help")
    }
    if let dropped = stats.droppedByInterface, dropped > 0 {
      warn("\(counted(dropped, "packet")) dropped by the interface")
    }
    if stats.truncatedPackets > 0 {
      warn(
        "\(counted(stats.truncatedPackets, "packet")) cut short by the capture's snapshot length: names may be missing")
    }
    if let encrypted = stats.packetsWithoutFlow["wifi_encrypted"], encrypted > 0 {
      warn("\(counted(encrypted, "Wi-Fi frame")) encrypted: what is in them needs the network's key")
    }
    if !stats.decodeErrors.isEmpty { warn("damaged headers: " + list(stats.decodeErrors)) }
    for (name, cost) in stats.limits.sorted(by: { $0.key < $1.key }) where cost > 0 {
      warn("a cap was reached: \(printable(name)) \(count(cost))")
    }
    if !stats.packetsWithoutFlow.isEmpty {
      lines += note("packets of no flow: " + list(stats.packetsWithoutFlow), .faint)
    }
    return lines.isEmpty ? [] : [""] + lines
  }

  private func note(_ text: String, _ paint: Paint, first: String = "", indent: String = "  ") -> [String] {
    wrapped(text, to: style.width - 1, first: first, indent: indent).map { " " + style.paint($0, paint) }
  }
}

/// One line a flow or packet, for output that goes on: `live`, and `--packets` of a table.
public struct FlowLine: Sendable {
  /// How it may look.
  public var style: TextStyle

  /// Lines in a style.
  public init(style: TextStyle) { self.style = style }

  /// "10:11:12.123  push ⇄  >99 %  APNs  192.0.2.9 → courier.push.apple.com:5223  sni, alpn".
  public func line(_ flow: FlowEvent) -> String {
    let verdict = flow.verdict
    let tag = verdict.isSharedFate ? "\(verdict.tag.rawValue) \(style.shared)" : verdict.tag.rawValue
    let isWide = style.width >= 72
    var parts: [(text: String, width: Int, paint: Paint)] = [
      (tag, 11, Paint(verdict.tag)), (percent(verdict.confidence), 5, .plain),
    ]
    if isWide {
      parts.insert((timeOfDay(flow.end), 12, .faint), at: 0)
      parts.append((flow.what, style.width >= 100 ? 18 : 12, .plain))
    }
    var line = ""
    var used = 0
    for part in parts {
      let text = fitted(part.text, to: part.width, cut: .end, ellipsis: style.ellipsis)
      line += style.paint(text, part.paint) + String(repeating: " ", count: part.width - columns(of: text) + 2)
      used += part.width + 2
    }
    let room = style.width - used
    let who = fitted(flow.who, to: min(15, room / 3), cut: .middle, ellipsis: style.ellipsis) + " \(style.arrow) "
    let whereTo = fitted(
      flow.whereTo, to: room - columns(of: who), cut: .start, ellipsis: style.ellipsis)
    let left = room - columns(of: who) - columns(of: whereTo)
    let why = left > 8 ? fitted("  " + flow.whyInShort, to: left, cut: .end, ellipsis: style.ellipsis) : ""
    return line + who + whereTo + style.paint(why, .faint)
  }

  /// "10:11:12.123  #12  flow 7  →  1,514 B  push  APNs".
  public func line(_ packet: PacketEvent) -> String {
    var table = TextTable([
      TextColumn(title: "", minimum: 12), TextColumn(title: "", isNumber: true, minimum: 9),
      TextColumn(title: "", isNumber: true, minimum: 7), TextColumn(title: "", minimum: 1),
      TextColumn(title: "", isNumber: true, minimum: 6), TextColumn(title: "", minimum: 9),
      TextColumn(title: "", minimum: 8, dropOrder: 1),
    ])
    let back = style.isUnicode ? "←" : "<"
    func padded(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(width - columns(of: text), 0)) + text
    }
    table.rows.append([
      TextCell(timeOfDay(packet.timestamp), .faint), TextCell(padded("#\(packet.number)", 9)),
      TextCell(padded("\(packet.flowID)", 7)), TextCell(packet.isToServer ? style.arrow : back, .faint),
      TextCell(padded("\(packet.wireLength)", 6)),
      TextCell(packet.tag.rawValue + String(repeating: " ", count: 9 - packet.tag.rawValue.count), Paint(packet.tag)),
      TextCell(printable(packet.service ?? "")),
    ])
    return table.lines(style, heading: false).first ?? ""
  }
}
