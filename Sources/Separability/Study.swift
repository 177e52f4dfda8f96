// Separability may hold: the study of two kinds of traffic: what identifies, what detects, what acting would do.

/// A number with a 95 % interval where there is one.
public struct Estimate: Sendable, Codable, Equatable {
  /// The number.
  public var value: Double
  /// The interval's ends; nil where too few groups allow none.
  public var low: Double?, high: Double?
  /// A number, with an interval or without.
  public init(_ value: Double, low: Double? = nil, high: Double? = nil) {
    (self.value, self.low, self.high) = (value, low, high)
  }
}

/// The whole study: what the page, the JSON and the tables say.
public struct Study: Sendable, Codable {
  /// Form of the JSON.
  public var version = 1
  /// The command that made it, in one line.
  public var command = ""
  /// The two kinds of traffic; the first is the one that a censor looks for.
  public var target = ClassSummary(), background = ClassSummary()
  /// What was read.
  public var captures: [CaptureSummary] = []
  /// The three answers, a few plain sentences each, the most important first.
  public var answers = Answers()
  /// Identifiers, one by one.
  public var identify = IdentifyResult()
  /// Shape.
  public var detect = DetectResult()
  /// Coull and Dyer's experiment on this traffic; nil where it has too little iMessage.
  public var actions: ActionStudy?
  /// What acting does, as measured in the lab; nil where nothing was measured for this pair.
  public var act: ActTable?
  /// Defences and their price.
  public var defences: [DefenceRow] = []
  /// How it was done, what was assumed, and what it cannot say: sentences.
  public var method: [String] = [], assumptions: [String] = [], limits: [String] = []
  /// A study of nothing.
  public init() {}
}

/// One of the two kinds of traffic.
public struct ClassSummary: Sendable, Codable {
  /// As the user called it, and as sentences call it ("iMessage", "notifications").
  public var name = "", title = ""
  /// By what its records are known ("class of message").
  public var basis = ""
  /// Records, and flows that carry them.
  public var records = 0, flows = 0
  /// Records in each direction.
  public var up = 0, down = 0
  /// A summary of nothing.
  public init() {}
}

/// One capture.
public struct CaptureSummary: Sendable, Codable {
  /// Its name.
  public var name = ""
  /// Flows and records, and records of target and background.
  public var flows = 0, records = 0, target = 0, background = 0
  /// Hours from the first packet to the last.
  public var hours = 0.0
  /// Where its labels come from, in words: "decryption", "truth file", "labels file", "verdicts (no truth)".
  public var labels = ""
  /// A summary of nothing.
  public init() {}
}

/// The three answers.
public struct Answers: Sendable, Codable {
  /// Sentences, the most important first.
  public var identify: [String] = [], detect: [String] = [], act: [String] = []
  /// No answers.
  public init() {}
}

/// What identifiers say.
public struct IdentifyResult: Sendable, Codable {
  /// Connections that carried both kinds, and all connections that carried any.
  public var sharedConnections = 0, connections = 0
  /// Records of target and background on shared connections.
  public var targetOnShared = 0, backgroundOnShared = 0
  /// One row an identifier.
  public var rows: [IdentifierRow] = []
  /// A result of nothing.
  public init() {}
}

/// One identifier.
public struct IdentifierRow: Sendable, Codable {
  /// "5-tuple", "server address", "address prefix", "server port", "DNS name", "server name (SNI)", "ALPN", "JA3",
  /// "JA4", "certificate".
  public var identifier = ""
  /// What it says, in a plain sentence: "the same for both: 0 bits".
  public var sentence = ""
  /// Mutual information of identifier and kind in bits, both kinds equally frequent (at most 1): on the same phone, and
  /// over all captures together.
  public var bitsOnPhone: Estimate?, bitsOverall: Estimate?
  /// What shuffled labels give in 95 of 100 cases: information below it is chance.
  public var bitsByChance: Double?
  /// Share of wrong answers of the best possible rule, both kinds equally frequent: 0.5 is guessing.
  public var bestError: Double?
  /// Records whose flow has the identifier at all.
  public var known = 0
  /// The values with the largest shares: of the target's records, and of the background's.
  public var values: [ValueShare] = []
  /// Different values in all.
  public var distinct = 0
  /// A row of nothing.
  public init() {}

  /// A value's share in both kinds.
  public struct ValueShare: Sendable, Codable {
    /// The value.
    public var value: String
    /// Shares from 0 to 1.
    public var target: Double, background: Double
    /// A value's shares.
    public init(value: String, target: Double, background: Double) {
      (self.value, self.target, self.background) = (value, target, background)
    }
  }
}

/// What shape says.
public struct DetectResult: Sendable, Codable {
  /// The tasks: sent messages and incoming messages first, then all records, bursts, minutes, connections.
  public var tasks: [DetectTask] = []
  /// One connection in time, for a picture.
  public var timeline: Timeline?
  /// A result of nothing.
  public init() {}
}

/// One question that is asked of shape.
public struct DetectTask: Sendable, Codable {
  /// "sent", "incoming", "record", "burst", "minute", "connection".
  public var id = ""
  /// What is asked: "messages that the phone sends, against everything that it sends because of notifications".
  public var title = ""
  /// What is judged: "record", "burst", ...
  public var unit = ""
  /// How many there are of each, and captures that have both, and captures in all.
  public var positives = 0, negatives = 0, capturesWithBoth = 0, captures = 0
  /// One-feature rules, the best first.
  public var features: [FeatureRow] = []
  /// The classifier, cross-validated by capture.
  public var classifier: ClassifierResult?
  /// Precision at base rates from 1/2 to 1/1000.
  public var baseRates: [BaseRateRow] = []
  /// Distributions of size, for the picture of the overlap.
  public var sizes: HistogramPair?
  /// By kind of message.
  public var kinds: [KindRow] = []
  /// What the best rule also hits on the same connections: other classes and kinds.
  public var alsoHit: [AlsoHitRow] = []
  /// How the answer depends on what was modelled.
  public var sensitivity: [SensitivityRow] = []
  /// What else there is to say, in sentences; why it could not be answered, where so.
  public var notes: [String] = []
  /// A task of nothing.
  public init() {}
}

/// One feature on its own.
public struct FeatureRow: Sendable, Codable {
  /// Its name and unit: "record size, bytes".
  public var feature = ""
  /// Area under the ROC curve, from 0.5 (nothing) to 1, whichever direction is better.
  public var auc: Estimate?
  /// The best rule as a sentence: "up, 427 to 1,460 bytes".
  public var rule = ""
  /// Its hits and false alarms on captures that it was not chosen on.
  public var hits: Estimate?, falseAlarms: Estimate?
  /// Overlap of the two distributions, from 0 (apart) to 1 (the same).
  public var overlap: Double?
  /// A row of nothing.
  public init() {}
}

/// A trained classifier, judged on captures that it has not seen.
public struct ClassifierResult: Sendable, Codable {
  /// What it is, in words.
  public var method = ""
  /// Area under the ROC curve.
  public var auc: Estimate?
  /// Points of the ROC curve, from (0, 0) to (1, 1), at most 200.
  public var roc: [Point] = []
  /// Where a censor might stand on it.
  public var operatingPoints: [OperatingPoint] = []
  /// A result of nothing.
  public init() {}

  /// A point of the curve.
  public struct Point: Sendable, Codable {
    /// False alarms and hits, from 0 to 1.
    public var falseAlarms: Double, hits: Double
    /// A point.
    public init(falseAlarms: Double, hits: Double) { (self.falseAlarms, self.hits) = (falseAlarms, hits) }
  }

  /// A threshold.
  public struct OperatingPoint: Sendable, Codable {
    /// "at most 1 % false alarms", "most hits less false alarms".
    public var name: String
    /// Shares from 0 to 1.
    public var hits: Estimate, falseAlarms: Estimate
    /// An operating point.
    public init(name: String, hits: Estimate, falseAlarms: Estimate) {
      (self.name, self.hits, self.falseAlarms) = (name, hits, falseAlarms)
    }
  }
}

/// What a share of target traffic makes of a rule.
public struct BaseRateRow: Sendable, Codable {
  /// The target's share of what is judged: 0.5, 0.2, 0.05, 0.01, 0.001.
  public var share = 0.0
  /// Share of alarms that are right, and share of the target that is found.
  public var precision: Estimate?, recall: Estimate?
  /// False alarms of one phone in a day.
  public var falseAlarmsPerPhoneDay: Estimate?
  /// A row of nothing.
  public init() {}
}

/// Shares of both kinds over the same bins.
public struct HistogramPair: Sendable, Codable {
  /// What is counted and its unit.
  public var quantity = "record size, bytes"
  /// Ends of the bins, one more than there are bins, ascending; and whether the axis is better logarithmic.
  public var edges: [Double] = [], isLogarithmic = false
  /// Share of each kind in each bin.
  public var target: [Double] = [], background: [Double] = []
  /// Overlap of the two, from 0 to 1.
  public var overlap = 0.0
  /// A pair of nothing.
  public init() {}
}

/// Messages of one kind.
public struct KindRow: Sendable, Codable {
  /// "imessage.text", and whether it is of the target.
  public var kind = "", isTarget = false
  /// How many, and the 5th, 50th and 95th percentile of their sizes in bytes.
  public var count = 0, low = 0.0, median = 0.0, high = 0.0
  /// How well size alone tells it from the other class: AUC from 0.5 to 1.
  public var auc: Double?
  /// Share that the best rule flags.
  public var flagged: Double?
  /// A row of nothing.
  public init() {}
}

/// What the best rule hits besides target and background.
public struct AlsoHitRow: Sendable, Codable {
  /// Class and kind: "courier", "courier.filter".
  public var name = ""
  /// How many there were, and how many of them were flagged.
  public var count = 0, flagged = 0
  /// A row of nothing.
  public init() {}
}

/// The same question under another assumption.
public struct SensitivityRow: Sendable, Codable {
  /// What is varied, and to what: "framing", "older (TLV)".
  public var assumption = "", variant = ""
  /// AUC under it, and what was there to judge.
  public var auc: Estimate?, positives = 0, negatives = 0
  /// Why it is missing, or what to bear in mind.
  public var note = ""
  /// A row of nothing.
  public init() {}
}

/// Records of one connection in time.
public struct Timeline: Sendable, Codable {
  /// What connection: "shared-day.pcapng, 198.18.0.10:40112 to 17.57.144.18:5223".
  public var title = ""
  /// At most 1,500 records in the order of time.
  public var records: [Mark] = []
  /// A timeline of nothing.
  public init() {}

  /// One record.
  public struct Mark: Sendable, Codable {
    /// Seconds from the first, bytes, direction, and whose it is: 0 target, 1 background, 2 other.
    public var seconds: Double, size: Int, isUp: Bool, whose: Int
    /// A mark.
    public init(seconds: Double, size: Int, isUp: Bool, whose: Int) {
      (self.seconds, self.size, self.isUp, self.whose) = (seconds, size, isUp, whose)
    }
  }
}

/// Coull and Dyer's experiment (CCR 44(5), 2014) on this traffic.
public struct ActionStudy: Sendable, Codable {
  /// Their questions beside ours.
  public var rows: [Row] = []
  /// The five actions in their order, rows of truth, columns of what was said.
  public var actions: [String] = [], confusion: [[Int]] = []
  /// Why the figures differ, and what the model cannot speak to: sentences.
  public var differences: [String] = []
  /// A study of nothing.
  public init() {}

  /// One question.
  public struct Row: Sendable, Codable {
    /// "user action", "operating system", "language", "message length".
    public var question = ""
    /// Their method and result; our method and result, in words with the number.
    public var theirs = "", method = "", ours = ""
    /// Our figure; nil where it cannot be asked.
    public var figure: Estimate?
    /// Samples.
    public var samples = 0
    /// What our figure can speak to, and what not.
    public var remark = ""
    /// A row of nothing.
    public init() {}
  }
}

/// A defence, applied to the recorded traffic.
public struct DefenceRow: Sendable, Codable {
  /// "none", "pad to 512", and a sentence on what it does.
  public var name = "", what = ""
  /// Bytes of all courier records over those without a defence; 1 is none.
  public var bytes = 1.0
  /// Bytes that one phone pays in a day more.
  public var extraBytesPerDay = 0.0
  /// Seconds that messages wait: median and 95th percentile.
  public var delayMedian = 0.0, delayHigh = 0.0
  /// AUC of a classifier that is trained on the defended traffic: incoming and sent messages.
  public var incoming: Estimate?, sent: Estimate?
  /// False alarms a phone and day when 90 % of the sent messages are to be found.
  public var falseAlarmsPerPhoneDay: Estimate?
  /// What to bear in mind.
  public var note = ""
  /// A row of nothing.
  public init() {}
}
