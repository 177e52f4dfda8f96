import Statistics
import Truth

/// The same question under other assumptions: on a part of what was judged, with fewer features, or on padded records.
struct Sensitivity {
  let task: DetectionTask
  let samples: Samples
  let plan: FoldPlan
  let scores: [Double?]
  let index: TrafficIndex
  let bootstrap: Bootstrap?

  /// Shares of attachments among messages.
  static let attachmentShares = [0, 0.05, 0.2]
  /// Bytes to whose multiples TLS 1.3 pads a record's content (RFC 8446, section 5.4).
  static let paddings = [16, 64, 128]

  func rows() -> [SensitivityRow] {
    var rows = framing() + viewpoint()
    guard task.judgesRecords else { return rows }
    rows += caches() + devices() + attachments() + alerts() + padding()
    return rows
  }

  private func record(_ row: Int) -> LabelledRecord { index.traffic.records[Int(samples.records[row])] }

  private func kind(_ row: Int) -> String { index.traffic.kindName(record(row)) }

  /// The classifier's scores of some rows only; the others are no number, so that the groups stay the same.
  private func part(
    _ assumption: String, _ variant: String, missing: String = "There is none of this here.", note: String = "",
    _ isKept: (Int) -> Bool
  ) -> SensitivityRow {
    let kept = scores.indices.filter { scores[$0] != nil && isKept($0) }
    var row = SensitivityRow()
    row.assumption = assumption
    row.variant = variant
    row.positives = kept.count { samples.isPositive[$0] }
    row.negatives = kept.count - row.positives
    row.auc = GroupedArea(
      scores: kept.compactMap { scores[$0] }, isPositive: kept.map { samples.isPositive[$0] },
      groups: kept.map { samples.captures[$0] }
    ).estimate(bootstrap)
    row.note = row.auc == nil ? missing : note
    return row
  }

  private func framing() -> [SensitivityRow] {
    [("today's (pack)", "pack"), ("older (TLV)", "tlv")].map { variant, framing in
      part("framing", variant, missing: "Not both kinds are here in this framing.") {
        let flow = Int(record($0).flow)
        return index.traffic.flows.indices.contains(flow) && index.traffic.flows[flow].framing == framing
      }
    }
  }

  private func caches() -> [SensitivityRow] {
    [("first of its kind on the connection", true), ("later ones", false)].map { variant, isFirst in
      part("cache of the framing", variant, note: "Of the target; of the background everything counts.") {
        !samples.isPositive[$0] || record($0).isFirstOfKind == isFirst
      }
    }
  }

  private func devices() -> [SensitivityRow] {
    let variants: [(String, ClosedRange<UInt8>)] = [("1", 1...1), ("2", 2...2), ("3 and more", 3...UInt8.max)]
    return variants.map { variant, range in
      part("recipient's devices", variant, missing: "No message here says that it went to so many.") {
        !samples.isPositive[$0] || range.contains(record($0).devices)
      }
    }
  }

  private func attachments() -> [SensitivityRow] {
    guard task != .record else { return [] }
    let isAttachment = scores.indices.map { kind($0).hasSuffix(".attachment") }
    func area(_ attachments: Bool) -> GroupedArea {
      GroupedArea(
        scores: scores.indices.map {
          samples.isPositive[$0] && isAttachment[$0] != attachments ? .nan : scores[$0] ?? .nan
        }, isPositive: samples.isPositive, groups: samples.captures)
    }
    let with = scores.indices.count { samples.isPositive[$0] && isAttachment[$0] && scores[$0] != nil }
    let parts = (with: area(true), without: area(false))
    return Self.attachmentShares.map { share in
      var row = SensitivityRow()
      row.assumption = "share of attachments"
      row.variant = "\(Sentence.figure(share * 100)) %"
      row.positives = scores.indices.count { samples.isPositive[$0] && scores[$0] != nil }
      if share == 0 { row.positives -= with }
      row.negatives = scores.indices.count { !samples.isPositive[$0] && scores[$0] != nil }
      row.auc = GroupedArea.estimate([(parts.without, 1 - share), (parts.with, share)], bootstrap)
      row.note =
        row.auc == nil ? "There are no attachments here." : "Reweighted from \(with) attachments."
      return row
    }
  }

  private func alerts() -> [SensitivityRow] {
    guard task == .incoming else { return [] }
    let variants: [(String, [String])] = [
      ("silent and short only", ["notification.silent", "notification.short"]), ("chat only", ["notification.chat"]),
      ("rich only", ["notification.rich"]),
    ]
    return variants.map { variant, kinds in
      part("length of alerts", variant, missing: "There are no such alerts here.") {
        samples.isPositive[$0] || kinds.contains(kind($0))
      }
    }
  }

  /// Trained anew on some of the features; where the direction is given, size alone needs no training.
  private func viewpoint() -> [SensitivityRow] {
    let assumption = "what the box sees"
    guard task.judgesRecords else {
      return [
        retrained(
          samples.selecting { $0 != WindowFeatures.all[12] }, assumption, "this connection alone",
          "Without the beginning of other flows.")
      ]
    }
    let noDelay = retrained(
      samples.selecting { !$0.needsFuture }, assumption, "nothing after the record", "The box need not wait.")
    guard task != .record else {
      let alone = samples.selecting { RecordFeatures.all.prefix(2).contains($0) }
      return [retrained(alone, assumption, "size and direction alone", "In \(ShapeClassifier.bins) bins."), noDelay]
    }
    var size = SensitivityRow()
    size.assumption = assumption
    size.variant = "size alone"
    (size.positives, size.negatives) = (samples.positives, samples.negatives)
    size.auc = GroupedArea(
      scores: samples.columns.first ?? [], isPositive: samples.isPositive, groups: samples.captures
    ).estimate(bootstrap, turned: true)
    size.note = "By a threshold on size; there is nothing to train."
    return [size, noDelay]
  }

  private func padding() -> [SensitivityRow] {
    Self.paddings.map { multiple in
      let padded = TrafficIndex(
        Padding.multiples(of: multiple).applied(to: index.traffic), roles: index.roles)
      return retrained(
        task.samples(in: padded), "padding of TLS 1.3", "to multiples of \(multiple) bytes",
        "Trained anew on what it makes of the sizes.")
    }
  }

  private func retrained(
    _ samples: Samples, _ assumption: String, _ variant: String, _ note: String
  ) -> SensitivityRow {
    var row = SensitivityRow()
    row.assumption = assumption
    row.variant = variant
    row.positives = samples.positives
    row.negatives = samples.negatives
    row.auc = Judgement(samples, ShapeClassifier.outOfFold(samples, plan).scores, bootstrap).result?.auc
    row.note = row.auc == nil ? "It could not be trained." : note
    return row
  }
}
