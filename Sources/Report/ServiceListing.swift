public import Classify

/// The catalogue as a person or a program reads it.
public struct ServiceListing: Sendable {
  /// How it may look.
  public var style: TextStyle

  /// Listings in a style.
  public init(style: TextStyle) { self.style = style }

  /// A line a service.
  public func overview(_ services: [Service]) -> [String] {
    var table = TextTable([
      TextColumn(title: "service", minimum: 12, maximum: 30), TextColumn(title: "tag", minimum: 11),
      TextColumn(title: "known by", isNumber: true, minimum: 8, dropOrder: 1),
      TextColumn(title: "about", minimum: 12, wraps: true),
    ])
    for service in services {
      let shared = service.carries.contains { $0.tag != service.tag } ? " \(style.shared)" : ""
      table.rows.append([
        TextCell(printable(service.name), .heading), TextCell(service.tag.rawValue + shared, Paint(service.tag)),
        TextCell("\(service.identifiers.count)"), TextCell(printable(service.about)),
      ])
    }
    let legend = services.contains { service in service.carries.contains { $0.tag != service.tag } }
    guard legend else { return table.lines(style) }
    return table.lines(style)
      + ["", " " + style.paint("\(style.shared) carries more than one tag on one connection", .sharedFate)]
  }

  /// Everything that is known of a service.
  public func detail(_ service: Service) -> [String] {
    var lines = [
      style.paint(fitted(printable(service.name), to: style.width - 12, cut: .end), .heading) + "  "
        + style.paint(service.tag.rawValue, Paint(service.tag))
    ]
    func say(_ text: String, _ paint: Paint = .plain) {
      lines += wrapped(printable(text), to: style.width - 2).map { "  " + style.paint($0, paint) }
    }
    if !service.about.isEmpty { say(service.about) }
    if !service.carries.isEmpty {
      let others = service.carries.map(\.words).joined(separator: ", ")
      let isShared = service.carries.contains { $0.tag != service.tag }
      say(
        isShared ? "\(style.shared) carries on the same connection: \(others)" : "carries: \(others)",
        isShared ? .sharedFate : .plain)
    }
    if let owner = service.owner { say("servers stand in the address space of \(owner)", .faint) }
    if service.isInfrastructure { say("hosts what others serve: its names do not say what they carry", .faint) }
    if service.isGeneric { say("a protocol that many services speak: gives way to one with a name", .faint) }
    if let calls = service.calls { say("media at its names and addresses belong to \(calls)", .faint) }
    if !service.also.isEmpty { say("cannot be told from " + service.also.joined(separator: ", "), .faint) }
    return lines + [""] + identifiers(service)
  }

  private func identifiers(_ service: Service) -> [String] {
    var table = TextTable([
      TextColumn(title: "known by", minimum: 10), TextColumn(title: "value", minimum: 28, maximum: 60, cut: .start),
      TextColumn(title: "how well", minimum: 8, dropOrder: 1), TextColumn(title: "source", minimum: 12),
      TextColumn(title: "read on", minimum: 10, dropOrder: 0),
    ])
    table.indent = 2
    for row in service.identifiers {
      table.rows.append([
        TextCell(row.kind.rawValue), TextCell(printable(row.value)),
        TextCell(
          row.provenance.rawValue, row.provenance == .folklore || row.provenance == .recalled ? .warning : .plain),
        TextCell(printable(row.source), .faint), TextCell(printable(row.date), .faint),
      ])
    }
    var rows = table.lines(style)
    var lines = [rows.removeFirst()]
    let notes = service.identifiers.map(notes)
    for (i, line) in rows.enumerated() {
      lines.append(line)
      // What holds for several values in a row stands once, below the last of them.
      guard i < notes.count else { continue }
      if i + 1 < notes.count, notes[i + 1] == notes[i],
        service.identifiers[i + 1].kind == service.identifiers[i].kind
      {
        continue
      }
      for note in notes[i] { lines += wrapped(note, to: style.width - 6).map { "      " + style.paint($0, .faint) } }
    }
    return lines
  }

  /// What else there is to say of a row, a line each.
  private func notes(_ row: Identifier) -> [String] {
    var notes = row.note.map { [printable($0)] } ?? []
    if !row.kind.isCompared { notes.append("listed, not compared with flows") }
    if !row.ports.isEmpty {
      notes.append(
        (row.isBothEnds ? "only between " : "only on ") + row.ports.map(\.description).joined(separator: ", "))
    }
    if !row.within.isEmpty { notes.append("only in " + row.within.map(\.description).joined(separator: ", ")) }
    if !row.also.isEmpty { notes.append("also shown by " + printable(row.also.joined(separator: ", "))) }
    if row.weight != 1 { notes.append("weighs \(Int(exactly: (row.weight * 100).rounded()) ?? 0) % of its kind") }
    return notes
  }

  /// A JSON object a service, each on a line.
  public static func jsonLine(_ service: Service) -> [UInt8] {
    var buffer = RecordBuffer()
    buffer.append(UInt8(ascii: "{"))
    buffer.member("service", service.name)
    buffer.member("tag", service.tag.rawValue)
    buffer.member("about", service.about.isEmpty ? nil : service.about)
    buffer.objects("carries", service.carries) { carried, buffer in
      buffer.member("tag", carried.tag.rawValue)
      buffer.member("service", carried.service)
    }
    buffer.member("owner", service.owner)
    if service.isInfrastructure {
      buffer.key("infrastructure")
      buffer.append("true")
    }
    if service.isGeneric {
      buffer.key("generic")
      buffer.append("true")
    }
    buffer.member("calls", service.calls)
    buffer.member("also", service.also)
    buffer.objects("identifiers", service.identifiers) { row, buffer in
      buffer.member("kind", row.kind.rawValue)
      buffer.member("value", row.value)
      buffer.member("provenance", row.provenance.rawValue)
      buffer.member("source", row.source)
      buffer.member("date", row.date)
      buffer.member("note", row.note)
      buffer.member("ports", row.ports.map(\.description))
      if row.isBothEnds {
        buffer.key("both_ends")
        buffer.append("true")
      }
      buffer.member("within", row.within.map(\.description))
      buffer.member("also", row.also)
      if row.weight != 1 {
        buffer.key("weight")
        buffer.append(row.weight, places: 3)
      }
    }
    buffer.append("}\n")
    return buffer.bytes
  }
}
