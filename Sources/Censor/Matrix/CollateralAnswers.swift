import Pages

/// For each target, what hitting it costs others: sentences that are computed from the matrix.
struct CollateralAnswer: Equatable {
  /// The target's name.
  let target: String
  /// The first is the answer, the others what it rests on.
  let sentences: [String]

  /// The most columns that a sentence names.
  static let namedColumns = 5
}

extension Collateral {
  /// One answer a frontier, in their order; `called` is how they name a policy.
  func answers(called: (Policy) -> String = CollateralWords.called) -> [CollateralAnswer] {
    frontiers.map { CollateralAnswer(target: name(of: $0.target), sentences: sentences(of: $0, called)) }
  }

  private func sentences(of frontier: Frontier, _ called: (Policy) -> String) -> [String] {
    let name = spokenName(of: frontier.target)
    let least = frontier.least
    guard let most = least.first, let row = row(of: most.policy) else {
      switch frontier.points.count {
      case 0: return ["No policy could be judged: this traffic has nothing of \(name)."]
      case 1: return ["The one policy here leaves \(name) alone."]
      case let count: return ["Each of the \(Numbers.grouped(count)) policies here leaves \(name) alone."]
      }
    }
    let others = others(row, besides: frontier.target)
    var sentences = [
      "The policy \(called(row.policy)) hits most of it: "
        + (others == nil ? "\(Numbers.percent(most.hit)), and nothing else in this traffic." : "\(price(most)).")
    ]
    if let others { sentences.append(others) }
    if let ratio = row.result.notificationsPerIMessage, ratio > 0 {
      let notifications = Numbers.significant(ratio, digits: 2)
      sentences.append(
        "For each iMessage lost or late, \(notifications) \(ratio == 1 ? "notification is" : "notifications are").")
    }
    var named = [most.policy]
    if row.policy.standing == .hypothetical {
      let (sentence, policy) = used(frontier, called)
      sentences.append("Nobody is known to use that policy. " + sentence)
      if let policy { named.append(policy) }
    }
    if let other = least.last, !named.contains(other.policy), let row = self.row(of: other.policy) {
      sentences.append(
        "Of those that hit any of it, \(called(row.policy)) hits the least of everything else: \(price(other)).")
    }
    if let index = columns.firstIndex(where: { $0.key == frontier.target }),
      row.result.cells.indices.contains(index), row.result.cells[index].basis == .verdict
    {
      sentences.append("What is \(name) was judged by Wiretag here; no truth file confirms all of it.")
    }
    return sentences
  }

  /// Who pays besides the target; nil for nobody.
  private func others(_ row: Row, besides target: String) -> String? {
    let hit = cells(of: row).filter { $0.column.key != target && ($0.cell.hit ?? 0) > 0 }
      .sorted { ($1.cell.hit ?? 0, $0.index) < ($0.cell.hit ?? 0, $1.index) }
    guard !hit.isEmpty else { return nil }
    let words = hit.map { "\(Numbers.percent($0.cell.hit ?? 0)) of \(CollateralWords.spoken($0.column))" }
    let limit = CollateralAnswer.namedColumns
    return "It hits \(CollateralWords.list(words, limit: limit, more: "others")), too."
  }

  /// The most that any rule hits that censors are known to use.
  private func used(_ frontier: Frontier, _ called: (Policy) -> String) -> (sentence: String, policy: Int?) {
    let used = frontier.points.filter {
      policies.indices.contains($0.policy) && policies[$0.policy].standing != .hypothetical
    }
    guard !used.isEmpty else { return ("No other policy here is known to be used.", nil) }
    guard let most = used.min(by: { ($1.hit, $0.collateral) < ($0.hit, $1.collateral) }), most.hit > 0 else {
      let rules = used.count == 1 ? "The one rule" : "None of the \(Numbers.grouped(used.count)) rules"
      return ("\(rules) here that somebody is known to use hits \(used.count == 1 ? "none" : "any") of it.", nil)
    }
    let sentence =
      "Of the rules that somebody is known to use, \(called(policies[most.policy])) hits most of it: \(price(most))."
    return (sentence, most.policy)
  }

  private func price(_ point: Frontier.Point) -> String {
    "\(Numbers.percent(point.hit)), and \(Numbers.percent(point.collateral)) of everything else"
  }
}

extension Frontier {
  /// The points on it that hit anything, those that hit most first.
  var least: [Point] {
    points.filter { $0.isBest && $0.hit > 0 }.sorted { ($1.hit, $0.collateral) < ($0.hit, $1.collateral) }
  }
}
