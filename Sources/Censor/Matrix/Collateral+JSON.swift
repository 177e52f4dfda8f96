import Report

extension Collateral {
  /// The matrix as one JSON object that ends with a line feed.
  ///
  /// Keys stand in a fixed order, and all are always there. A share is `{"part", "whole", "value"}`, its value null of
  /// nothing; `basis` is null where the traffic has nothing of a column. Cells have the columns' keys.
  public func json() -> [UInt8] {
    var buffer = RecordBuffer()
    buffer.open()
    buffer.member("schema", "wiretag-collateral/1")
    buffer.member("command", command)
    buffer.key("traffic")
    buffer.open()
    buffer.texts("captures", captures)
    for (name, count) in [
      ("flows", flows), ("packets", packets), ("bytes", bytes), ("messages", messages), ("phones", phones),
    ] as [(StaticString, UInt64)] { buffer.member(name, count) }
    buffer.close()
    buffer.list("columns", columns) { column, buffer in
      buffer.member("key", column.key)
      buffer.member("name", column.name)
      buffer.member("group", column.group)
      buffer.member("kind", column.kind.rawValue)
    }
    buffer.list("policies", Array(policies.enumerated())) { entry, buffer in
      buffer.write(entry.element)
      buffer.key("result")
      guard let result = results.first(where: { $0.policy == entry.offset }) else {
        buffer.append("null")
        return
      }
      buffer.open()
      buffer.write(result, columns)
      buffer.close()
    }
    buffer.list("frontiers", frontiers) { frontier, buffer in
      buffer.member("target", frontier.target)
      buffer.list("points", frontier.points.filter { policies.indices.contains($0.policy) }) { point, buffer in
        buffer.member("policy", policies[point.policy].name)
        buffer.number("hit", point.hit)
        buffer.number("collateral", point.collateral)
        buffer.flag("is_best", point.isBest)
      }
    }
    buffer.texts("assumptions", assumptions)
    buffer.texts("notices", notices)
    buffer.close()
    buffer.append(UInt8(ascii: "\n"))
    return buffer.bytes
  }
}

extension RecordBuffer {
  fileprivate mutating func open() { append(UInt8(ascii: "{")) }
  fileprivate mutating func close() { append(UInt8(ascii: "}")) }

  /// A list of objects, also where it is empty.
  fileprivate mutating func list<Element>(
    _ name: StaticString, _ elements: [Element], _ body: (Element, inout RecordBuffer) -> Void
  ) {
    guard elements.isEmpty else { return objects(name, elements, body) }
    key(name)
    append("[]")
  }

  /// A list of texts, also where it is empty.
  fileprivate mutating func texts(_ name: StaticString, _ texts: [String]) {
    guard texts.isEmpty else { return member(name, texts) }
    key(name)
    append("[]")
  }

  /// A number of at most six decimals; null for none, and for one that is not finite.
  fileprivate mutating func number(_ name: StaticString, _ number: Double?) {
    key(name)
    if let number, number.isFinite { append(number, places: 6) } else { append("null") }
  }

  fileprivate mutating func flag(_ name: StaticString, _ isSet: Bool) {
    key(name)
    append(isSet ? "true" : "false")
  }

  fileprivate mutating func share(_ name: StaticString, _ share: Share) {
    key(name)
    open()
    member("part", share.part)
    member("whole", share.whole)
    number("value", share.value)
    close()
  }

  /// Text, null for none.
  fileprivate mutating func optional(_ name: StaticString, _ text: String?) {
    key(name)
    if let text { string(text) } else { append("null") }
  }

  fileprivate mutating func write(_ policy: Policy) {
    member("name", policy.name)
    member("title", policy.title)
    member("about", policy.about)
    member("group", policy.group)
    texts("target", policy.target)
    member("source", policy.source)
    member("date", policy.date)
    member("standing", policy.standing.rawValue)
    optional("fact", policy.fact)
  }

  fileprivate mutating func write(_ result: PolicyResult, _ columns: [Column]) {
    number("target", result.target)
    number("collateral", result.collateral)
    number("notifications_per_imessage", result.notificationsPerIMessage)
    share("phones", result.phones)
    share("flows", result.flows)
    texts("notes", result.notes)
    key("cells")
    open()
    for (column, cell) in zip(columns, result.cells) {
      separate()
      string(column.key)
      append(UInt8(ascii: ":"))
      open()
      write(cell)
      close()
    }
    close()
  }

  fileprivate mutating func write(_ cell: Cell) {
    optional("basis", cell.basis?.rawValue)
    number("hit", cell.hit)
    share("flows", cell.flows)
    member("fallen_back", cell.fallenBack)
    share("conversations", cell.conversations)
    share("bytes", cell.bytes)
    share("lost", cell.lost)
    share("late", cell.late)
    share("phones", cell.phones)
    list("reasons", cell.reasons) { reason, buffer in
      buffer.member("matcher", reason.matcher)
      buffer.member("count", reason.count)
      buffer.texts("examples", reason.examples)
    }
    texts("shared_with", cell.sharedWith)
  }
}
