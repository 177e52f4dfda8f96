@testable import Censor

/// Matrices that are made up: their figures come from no traffic and say nothing about any.
enum CollateralMock {
  static let hostile = [
    "<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "\" onload='x' &amp; \u{0}\u{1B}[31m\u{7F}",
    "\u{5E9}\u{5DC}\u{5D5}\u{5DD} \u{202E}gnp.exe", "]]>", "=cmd|' /C calc'!A0", "a\r\nb,\"c\"",
    String(repeating: "very-long-name-", count: 20) + "end",
  ]

  static let columns: [Column] = [
    Column(key: "imessage-sent", name: "iMessage, sent", group: "Apple", kind: .messages),
    Column(key: "imessage-received", name: "iMessage, received", group: "Apple", kind: .messages),
    Column(key: "notifications", name: "notifications", group: "Apple", kind: .messages),
    Column(key: "facetime-ringing", name: "FaceTime, ringing", group: "Apple", kind: .messages),
    Column(key: "apns", name: "APNs", group: "Apple", kind: .flows),
    Column(key: "facetime", name: "FaceTime calls", group: "Apple", kind: .flows),
    Column(key: "identity", name: "Apple identity", group: "Apple", kind: .flows),
    Column(key: "icloud", name: "iCloud", group: "Apple", kind: .flows),
    Column(key: "whatsapp", name: "WhatsApp", group: "messengers", kind: .flows),
    Column(key: "telegram", name: "Telegram", group: "messengers", kind: .flows),
    Column(key: "signal", name: "Signal", group: "messengers", kind: .flows),
    Column(key: "snapchat", name: "Snapchat", group: "messengers", kind: .flows),
    Column(key: "whatsapp-call", name: "WhatsApp calls", group: "calls", kind: .flows),
    Column(key: "telegram-call", name: "Telegram calls", group: "calls", kind: .flows),
    Column(key: "zoom", name: "Zoom", group: "calls", kind: .flows),
    Column(key: "fcm", name: "FCM", group: "push", kind: .flows),
    Column(key: "web", name: "other web", group: "other", kind: .flows),
    Column(key: "dns", name: "DNS", group: "other", kind: .flows),
  ]

  private static func policy(
    _ name: String, _ title: String, _ group: String, _ target: [String], _ standing: Policy.Standing,
    _ match: Formula, _ kind: PolicyAction.Kind = .drop
  ) -> Policy {
    Policy(
      name: name, title: title, about: "\(title): a made-up description of what the rule looks for and does.",
      group: group, target: target,
      source: standing == .hypothetical ? "asked to see what else it would hit" : "a made-up source, section 2",
      date: "2026-01-31", standing: standing, match: match, action: PolicyAction(kind))
  }

  static func names(_ kind: NameMatch.Kind, _ values: [String]) -> Formula {
    (try? NameMatch(kind, values)).map { .leaf(.sni($0)) } ?? .any([])
  }

  static func policies() -> [Policy] {
    [
      policy(
        "tspu-sni-1", "Reset by server name", "Russia", [], .paper, names(.suffix, ["signal.org"]),
        .reset(isInjected: false)),
      policy(
        "tspu-freeze", "Freeze after 16 kB", "Russia", [], .field, names(.suffix, ["example.net"]),
        .freeze(packets: 25, bytes: 16_000)),
      policy(
        "gfw-fully-encrypted", "Drop what looks like nothing", "China", ["telegram"], .paper,
        .leaf(.fullyEncrypted(FullyEncryptedTest()))),
      policy(
        "iran-protocol-filter", "Pass only known protocols", "Iran", [], .corpus,
        .leaf(.unrecognised(packets: 2, allowed: [.tls, .http, .dns]))),
      policy(
        "apple-push-name", "Block push.apple.com", "Apple", ["imessage-sent", "imessage-received"], .hypothetical,
        names(.suffix, ["push.apple.com"])),
      policy(
        "apple-push-port", "Block port 5223 only", "Apple", ["imessage-sent", "imessage-received"], .hypothetical,
        .leaf(.port([], isBothEnds: false))),
      policy(
        "apple-17", "Block 17.0.0.0/8", "Apple", ["imessage-sent", "imessage-received"], .hypothetical,
        .leaf(.owner("Apple", []))),
      policy("facetime-ports", "Block FaceTime by its ports", "calls", ["facetime"], .hypothetical, .any([])),
      policy("facetime-name", "Block FaceTime by its names", "calls", ["facetime"], .field, .any([])),
      policy(
        "record-shape", "Drop records of a sent message\u{2019}s length", "shape", ["imessage-sent"], .hypothetical,
        .any([])),
      policy(
        "perfect-record", "A perfect classifier of records", "perfect", ["imessage-sent", "imessage-received"],
        .hypothetical, .leaf(.message(kinds: ["imessage"], direction: .both))),
      policy("nothing-here", "Block a service nobody used", "other", ["line"], .field, .any([])),
    ]
  }

  /// What each policy hits, in percent of a column by its key; everything else is left alone.
  private static let hits: [String: [String: Double]] = [
    "tspu-sni-1": ["signal": 100],
    "tspu-freeze": ["icloud": 12, "snapchat": 40, "zoom": 3, "web": 6.2, "whatsapp": 0.4],
    "gfw-fully-encrypted": ["telegram": 26, "whatsapp": 21, "web": 0.6],
    "iran-protocol-filter": ["telegram": 100, "whatsapp": 99.7, "apns": 55],
    "apple-push-name": [
      "imessage-sent": 100, "imessage-received": 100, "notifications": 100, "facetime-ringing": 100, "apns": 100,
    ],
    "apple-push-port": ["imessage-sent": 2, "imessage-received": 1, "notifications": 3],
    "apple-17": [
      "imessage-sent": 100, "imessage-received": 100, "notifications": 100, "facetime-ringing": 100, "apns": 100,
      "facetime": 100, "identity": 100, "icloud": 100,
    ],
    "facetime-ports": ["facetime": 85, "zoom": 4], "facetime-name": ["facetime": 35, "identity": 2],
    "record-shape": [
      "imessage-sent": 97, "imessage-received": 22, "notifications": 31, "facetime-ringing": 18, "apns": 88,
    ],
    "perfect-record": ["imessage-sent": 100, "imessage-received": 100, "notifications": 9, "facetime-ringing": 2],
    "nothing-here": [:],
  ]

  private static func share(_ percent: Double, of whole: UInt64) -> Share {
    Share(UInt64((percent / 100 * Double(whole)).rounded()), of: whole)
  }

  private static func cell(_ policy: Policy, _ column: Column) -> Cell {
    var cell = Cell()
    // No Zoom by truth, and no FCM at all.
    guard column.key != "fcm" else { return cell }
    cell.basis = column.kind == .messages ? .messages : column.key == "zoom" ? .verdict : .truth
    let percent = hits[policy.name]?[column.key] ?? 0
    if column.kind == .messages {
      let whole: UInt64 = column.key == "notifications" ? 2_610 : 400
      cell.lost = share(percent * 0.6, of: whole)
      cell.late = share(percent, of: whole)
      cell.late.part -= cell.lost.part
    } else {
      cell.flows = share(percent, of: 1_000)
      cell.bytes = share(percent * 0.8, of: 48_000_000)
      if column.group == "calls" || column.key == "facetime" { cell.conversations = share(percent, of: 20) }
    }
    if policy.name == "apple-push-port", column.key == "apns" { cell.fallenBack = 1_000 }
    cell.phones = share(percent > 0 ? 60 : 0, of: 30)
    guard percent > 0 || cell.fallenBack > 0 else { return cell }
    let count = max(column.kind == .messages ? cell.lost.part + cell.late.part : cell.flows.part, cell.fallenBack)
    cell.reasons = [
      Cell.Reason(
        matcher: policy.match.leaves.isEmpty ? "\(policy.title), the matcher" : "server name under push.apple.com",
        count: count, examples: ["1-courier.push.apple.com", "17.57.144.10:5223"])
    ]
    if ["imessage-sent", "imessage-received", "notifications", "facetime-ringing"].contains(column.key) {
      cell.sharedWith = columns.prefix(5).filter { $0.key != column.key }.map(\.name)
    }
    return cell
  }

  /// A matrix with every part.
  static func full() -> Collateral {
    var all = Collateral()
    all.captures = ["made-up-phone-1.pcapng", "made-up-phone-2.pcapng"]
    (all.flows, all.packets, all.bytes, all.messages, all.phones) = (14_000, 2_100_000, 672_000_000, 3_810, 30)
    all.columns = columns
    all.policies = policies()
    all.results = all.policies.enumerated().map { index, policy in
      result(index, policy, all.columns.map { cell(policy, $0) })
    }
    for target in ["imessage-sent", "facetime", "telegram"] {
      let column = all.columns.firstIndex { $0.key == target } ?? 0
      var points = all.results.compactMap { result -> Frontier.Point? in
        guard let hit = result.cells[column].hit else { return nil }
        let others = result.cells.indices.filter { $0 != column }.compactMap { result.cells[$0].hit }
        return Frontier.Point(
          policy: result.policy, hit: hit, collateral: others.reduce(0, +) / Double(max(others.count, 1)), isBest: false
        )
      }
      let candidates = points
      for index in points.indices {
        let point = points[index]
        points[index].isBest = !candidates.contains { isBetter($0, than: point) }
      }
      all.frontiers.append(Frontier(target: target, points: points))
    }
    all.assumptions = [
      "A phone whose connection to port 5223 fails tries port 443 after 5 seconds (made up).",
      "A notification that a courier holds back is sent when the phone comes back (made up).",
    ]
    all.notices = ["These figures are made up. They test the output, and say nothing about any traffic."]
    all.command = "wiretag censor captures --html matrix.html"
    return all
  }

  /// Whether one point hits at least as much for no more, and is not the same.
  private static func isBetter(_ one: Frontier.Point, than other: Frontier.Point) -> Bool {
    guard one.hit >= other.hit, one.collateral <= other.collateral else { return false }
    return one.hit > other.hit || one.collateral < other.collateral
  }

  private static func result(_ index: Int, _ policy: Policy, _ cells: [Cell]) -> PolicyResult {
    var result = PolicyResult(policy: index, cells: cells)
    let targets = columns.indices.filter { policy.target.contains(columns[$0].key) }
    func mean(_ indices: [Int]) -> Double? {
      let hits = indices.compactMap { cells[$0].hit }
      return hits.isEmpty ? nil : hits.reduce(0, +) / Double(hits.count)
    }
    result.target = mean(targets)
    result.collateral = mean(columns.indices.filter { !targets.contains($0) })
    let lost = cells[0...1].reduce(0) { $0 + $1.lost.part + $1.late.part }
    if lost > 0 { result.notificationsPerIMessage = Double(cells[2].lost.part + cells[2].late.part) / Double(lost) }
    result.flows = Share(cells.reduce(0) { $0 + $1.flows.part }, of: 14_000)
    result.phones = Share(cells.map(\.phones.part).max() ?? 0, of: 30)
    if policy.name == "nothing-here" { result.notes = ["no flow of this traffic could fire it"] }
    return result
  }

  /// The same with hostile text wherever a name out of traffic or a file may stand.
  static func hostileOne() -> Collateral {
    var all = full()
    for (index, text) in hostile.enumerated() {
      all.captures.append(text)
      all.notices.append(text)
      all.assumptions.append(text)
      all.policies[index].name = text
      all.policies[index].title = text
      all.policies[index].about = text
      all.policies[index].group = text
      all.policies[index].source = text
      all.columns[index].name = text
      if index > 2 { all.columns[index].key = text }
      all.columns[index].group = text
      for row in all.results.indices {
        all.results[row].cells[index].sharedWith = [text]
        all.results[row].cells[index].reasons.append(.init(matcher: text, count: 1, examples: [text]))
      }
      all.results[index].notes = [text]
    }
    // Two names that become the same anchor.
    all.policies[8].name = "script alert 1 script"
    all.command = hostile[2]
    return all
  }
}
