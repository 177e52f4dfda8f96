import Pages

extension SeparabilityPage {
  static func detect(_ study: Study, _ names: Names) -> Markup {
    guard !study.detect.tasks.isEmpty else {
      return missing("Shape was not studied: there were too few records of both kinds.")
    }
    let overview = Table(
      caption:
        "What was asked. AUC is the chance that a rule ranks a random one of the target above a random one of the "
        + "rest: 0.5 is guessing, 1 never errs.",
      columns: [
        .text("question"), .number(names.target), .number(names.background), .number("captures with both"),
        .text("best single feature"), .number("its AUC"), .number("classifier\u{2019}s AUC"),
      ],
      rows: study.detect.tasks.map { task in
        [
          "\(task.title)", "\(Numbers.grouped(task.positives))", "\(Numbers.grouped(task.negatives))",
          "\(Numbers.grouped(task.capturesWithBoth)) of \(Numbers.grouped(task.captures))",
          task.features.first.map { "\($0.feature)" } ?? "",
          EstimateText.cell(task.features.first?.auc.map { EstimateText.decimal($0) }),
          EstimateText.cell(task.classifier?.auc.map { EstimateText.decimal($0) }),
        ]
      },
      note: EstimateText.note(study.detect.tasks.flatMap { [$0.features.first?.auc, $0.classifier?.auc] }))
    let tasks = study.detect.tasks.enumerated().map { index, task -> Markup in
      let title = task.title.prefix(1).uppercased() + task.title.dropFirst()
      return "<h3>\(title)</h3>\n\(detect(task, anchor(task.id, index), names))"
    }
    return overview.markup + tasks.joined()
  }

  private static func detect(_ task: DetectTask, _ id: String, _ names: Names) -> Markup {
    var markup = task.notes.map { "<p>\($0)</p>\n" as Markup }.joined()
    var figures: [Figure] = []
    if let sizes = task.sizes, let figure = histogram(sizes, task, "\(id)-sizes", names) { figures.append(figure) }
    if let classifier = task.classifier, classifier.roc.count > 1 { figures.append(roc(classifier, task, "\(id)-roc")) }
    markup += Figure.row(figures)
    if figures.isEmpty, task.features.isEmpty, task.notes.isEmpty {
      markup += missing("There was too little to judge this.")
    }
    markup += features(task)
    if let classifier = task.classifier { markup += operatingPoints(classifier) }
    markup += baseRates(task, id, names)
    markup += kinds(task, names)
    markup += alsoHit(task)
    markup += sensitivity(task, names)
    return markup
  }

  private static func histogram(_ pair: HistogramPair, _ task: DetectTask, _ id: String, _ names: Names) -> Figure? {
    let plot = HistogramPlot(
      title: pair.quantity.prefix(1).uppercased() + pair.quantity.dropFirst(),
      summary: "Two distributions of \(pair.quantity) over the same bins, \(names.target) and \(names.background); "
        + "they overlap by \(Numbers.percent(pair.overlap)).",
      edges: pair.edges, target: pair.target, background: pair.background, targetName: names.target,
      backgroundName: names.background, quantity: pair.quantity + (pair.isLogarithmic ? " (logarithmic)" : ""),
      isLogarithmic: pair.isLogarithmic, overlap: pair.overlap)
    guard plot.isDrawable else { return nil }
    return Figure(
      id: id, plot: plot,
      caption: """
        Each kind\u{2019}s bars add up to 100 %. Filled: \(names.target), \(Numbers.grouped(task.positives)). Hatched: \
        \(names.background), \(Numbers.grouped(task.negatives)).
        """, size: .half)
  }

  private static func roc(_ classifier: ClassifierResult, _ task: DetectTask, _ id: String) -> Figure {
    let points = classifier.roc.map { (x: $0.falseAlarms, y: $0.hits) }
    let auc = classifier.auc.map { EstimateText.line(EstimateText.decimal($0)) }
    return Figure(
      id: id,
      plot: LinePlot(
        title: "Hits against false alarms",
        summary: "ROC curve of the classifier" + (auc.map { "; area under it \($0)" } ?? "") + ".",
        x: .share("false alarms: share of the rest that is flagged"), y: .share("hits: share found"),
        series: [
          .init(
            name: "classifier" + (classifier.auc.map { ", AUC " + EstimateText.decimal($0).value } ?? ""),
            points: points, ink: .target)
        ],
        markers: classifier.operatingPoints.map {
          .init(x: $0.falseAlarms.value, y: $0.hits.value, label: $0.name)
        }, diagonal: "guessing", isSquare: true),
      caption: """
        The classifier is judged on captures that it was not trained on. \
        \(auc.map { "Area under the curve: \($0)." } ?? "")
        """, size: .half)
  }

  private static func features(_ task: DetectTask) -> Markup {
    Table(
      caption: "Rules that use one feature, the best first, judged on captures that they were not chosen on.",
      columns: [
        .text("feature"), .text("best rule"), .number("AUC"), .number("hits"), .number("false alarms"),
        .number("overlap"),
      ],
      rows: task.features.map { row in
        [
          "\(row.feature)", "\(row.rule)", EstimateText.cell(row.auc.map { EstimateText.decimal($0) }),
          EstimateText.cell(row.hits.map { EstimateText.share($0) }),
          EstimateText.cell(row.falseAlarms.map { EstimateText.share($0) }),
          row.overlap.map { "\(Numbers.percent($0))" } ?? "",
        ]
      }, note: EstimateText.note(task.features.flatMap { [$0.auc, $0.hits, $0.falseAlarms] })
    ).markup
  }

  private static func operatingPoints(_ classifier: ClassifierResult) -> Markup {
    let method: Markup = classifier.method.isEmpty ? "" : "<p>The classifier: \(classifier.method)</p>\n"
    return method
      + Table(
        caption: "Where a censor might stand on the classifier\u{2019}s curve.",
        columns: [.text("threshold"), .number("hits"), .number("false alarms")],
        rows: classifier.operatingPoints.map { point in
          [
            "\(point.name)", EstimateText.cell(EstimateText.share(point.hits)),
            EstimateText.cell(EstimateText.share(point.falseAlarms)),
          ]
        }, note: EstimateText.note(classifier.operatingPoints.flatMap { [$0.hits, $0.falseAlarms] })
      ).markup
  }

  /// A share as people say it: "1 in 1,000", "1 in 2".
  static func fraction(_ share: Double) -> String {
    guard share > 0, share.isFinite else { return Numbers.percent(share) }
    let whole = (1 / share).rounded()
    return (1 / share - whole).magnitude < 0.01 * whole
      ? "1 in " + Numbers.grouped(Int(min(whole, 1e12))) : Numbers.percent(share)
  }

  private static func baseRates(_ task: DetectTask, _ id: String, _ names: Names) -> Markup {
    let rows = task.baseRates.filter { $0.share > 0 && $0.share.isFinite }.sorted { $0.share > $1.share }
    guard !rows.isEmpty else { return "" }
    let unit = task.unit.isEmpty ? "records" : task.unit + "s"
    var markup =
      Table(
        caption:
          "Precision at the base rate: the rarer \(names.targetMark) is among the \(unit), the more alarms are false.",
        columns: [
          .text("share of \(names.target)"), .number("precision: alarms that are right"),
          .number("recall: share found"), .number("false alarms a phone and day"),
        ],
        rows: rows.map { row in
          [
            "\(fraction(row.share))", EstimateText.cell(row.precision.map { EstimateText.share($0) }),
            EstimateText.cell(row.recall.map { EstimateText.share($0) }),
            EstimateText.cell(row.falseAlarmsPerPhoneDay.map { EstimateText.count($0) }),
          ]
        }, note: EstimateText.note(rows.flatMap { [$0.precision, $0.recall, $0.falseAlarmsPerPhoneDay] })
      ).markup
    let known = rows.compactMap { row in row.precision.map { (share: row.share, precision: $0) } }
    if known.count > 1, let most = known.first?.share, let least = known.last?.share, least < most {
      let band = known.compactMap { point -> (x: Double, low: Double, high: Double)? in
        guard let low = point.precision.low, let high = point.precision.high else { return nil }
        return (point.share, low, high)
      }
      let summary = known.map { "\(fraction($0.share)): \(Numbers.percent($0.precision.value))" }
      markup +=
        Figure(
          id: "\(id)-rates",
          plot: LinePlot(
            title: "Precision against base rate",
            summary:
              "Share of alarms that are right by the share of \(names.target): \(summary.joined(separator: ", ")).",
            x: Axis(
              "share of \(names.target) among the \(unit), rarer to the right", from: least, to: most,
              isLogarithmic: true, isReversed: true, fixedTicks: known.map { .init($0.share, fraction($0.share)) }),
            y: .share("alarms that are right"),
            series: [
              .init(
                name: "precision", points: known.map { (x: $0.share, y: $0.precision.value) }, band: band, ink: .target,
                shape: .disc)
            ]),
          caption: band.count > 1
            ? "The band is the 95 % interval." : "There is no band: \(EstimateText.noInterval)."
        ).markup
    }
    return markup
  }

  private static func kinds(_ task: DetectTask, _ names: Names) -> Markup {
    Table(
      caption:
        "By kind of message. Half of a kind\u{2019}s sizes are below the median, 5 % each below and above the range.",
      columns: [
        .text("kind"), .text("of"), .number("count"), .number("median, bytes"), .number("range, bytes"),
        .number("AUC by size"), .number("flagged by the best rule"),
      ],
      rows: task.kinds.map { row in
        [
          Markup.name(row.kind, limit: 60), row.isTarget ? names.targetMark : names.backgroundMark,
          "\(Numbers.grouped(row.count))", "\(Numbers.significant(row.median, digits: 4))",
          "\(Numbers.significant(row.low, digits: 4)) to \(Numbers.significant(row.high, digits: 4))",
          row.auc.map { "\(Numbers.decimal($0, places: 2))" } ?? "",
          row.flagged.map { "\(Numbers.percent($0))" } ?? "",
        ]
      }
    ).markup
  }

  private static func alsoHit(_ task: DetectTask) -> Markup {
    Table(
      caption: "What else the best rule flags on the same connections, besides both kinds.",
      columns: [.text("what"), .number("how many"), .number("flagged"), .number("share")],
      rows: task.alsoHit.map { row in
        [
          Markup.name(row.name, limit: 60), "\(Numbers.grouped(row.count))", "\(Numbers.grouped(row.flagged))",
          row.count > 0 ? "\(Numbers.percent(Double(row.flagged) / Double(row.count)))" : "",
        ]
      }
    ).markup
  }

  private static func sensitivity(_ task: DetectTask, _ names: Names) -> Markup {
    Table(
      caption: "The same question under other assumptions.",
      columns: [
        .text("assumption"), .text("set to"), .number("AUC"), .number(names.target), .number(names.background),
        .text("remark"),
      ],
      rows: task.sensitivity.map { row in
        [
          "\(row.assumption)", "\(row.variant)", EstimateText.cell(row.auc.map { EstimateText.decimal($0) }),
          "\(Numbers.grouped(row.positives))", "\(Numbers.grouped(row.negatives))", "\(row.note)",
        ]
      }, note: EstimateText.note(task.sensitivity.map(\.auc))
    ).markup
  }

  static func timeline(_ study: Study, _ names: Names) -> Markup {
    guard let timeline = study.detect.timeline, timeline.records.count > 1 else {
      return missing("No connection with enough records was there to draw.")
    }
    let inks: [Drawing.Ink] = [.target, .background, .other]
    let all = [names.target, names.background, "other records"]
    let present = inks.indices.filter { index in
      timeline.records.contains { ($0.whose < 0 || $0.whose > 2 ? 2 : $0.whose) == index }
    }
    let plot = TimelinePlot(
      title: "Records of one connection",
      summary: "\(Numbers.grouped(timeline.records.count)) records in time, sent ones above the line, received ones "
        + "below, as long as they are large, on a logarithmic scale.",
      records: timeline.records.map {
        .init(
          seconds: $0.seconds, bytes: Double($0.size), isUp: $0.isUp,
          whose: inks.indices.contains($0.whose) ? inks[$0.whose] : .other)
      }, names: present.map { (inks[$0], all[$0]) })
    return Figure(
      id: "records", plot: plot,
      caption: """
        \(Markup.name(timeline.title, limit: 140)). Each line is a record: sent ones rise, received ones hang, the longer \
        the larger, on a logarithmic scale. Above, time runs evenly. Below, some bursts stand beside each other: inside a \
        burst time runs evenly, and the pauses between bursts are not drawn but written. A pause of five seconds ends a burst.
        """
    ).markup
  }
}
