/// What rules did to live connections in the lab: the measurement of `tools/lab/act`.
public struct ActTable: Sendable, Codable {
  /// When it was measured: a date.
  public var made = ""
  /// Phones that each rule was tried on.
  public var repetitions = 0
  /// The rules; the first, "control", is none.
  public var rules: [Rule] = []
  /// A table of nothing.
  public init() {}

  /// One rule.
  public struct Rule: Sendable, Codable {
    /// "drop-send-record".
    public var name = ""
    /// What it is called and what it does, in words.
    public var title = "", what = ""
    /// The commands that install it.
    public var commands: [String] = []
    /// "record", "connection", "port", "address", "name" or "none".
    public var unit = ""
    /// What became of messages.
    public var imessageIn: Fate?, imessageOut: Fate?, notifications: Fate?
    /// What became of messages of other Apple services that the phones sent: status, Find My, FaceTime ringing.
    public var otherServicesSent: Fate?
    /// Broken connections of a phone.
    public var connectionsBrokenPerPhone: Estimate?
    /// Seconds from a break to the first message after it.
    public var recoverSeconds: Delay?
    /// Share of phones that went on by port 443.
    public var fallbackShare: Estimate?
    /// What to bear in mind; why it was not run, where so.
    public var notes: [String]?
    /// A rule of nothing.
    public init() {}

    enum CodingKeys: String, CodingKey {
      case name, title, what, commands, unit, notifications, notes
      case imessageIn = "imessage_in"
      case imessageOut = "imessage_out"
      case otherServicesSent = "other_services_sent"
      case connectionsBrokenPerPhone = "connections_broken_per_phone"
      case recoverSeconds = "recover_s"
      case fallbackShare = "fallback_share"
    }
  }

  /// What became of messages of one kind.
  public struct Fate: Sendable, Codable {
    /// How many were sent; how many of them never came, and how many came late by more than a second.
    public var sent = 0, lost = 0, late = 0
    /// Their shares.
    public var lostShare: Estimate?, lateShare: Estimate?
    /// Seconds that those which came were under way.
    public var delayMedian: Double?, delayHigh: Double?
    /// A fate of nothing.
    public init() {}

    enum CodingKeys: String, CodingKey {
      case sent, lost, late
      case lostShare = "lost_share"
      case lateShare = "late_share"
      case delayMedian = "delay_median_s"
      case delayHigh = "delay_p95_s"
    }
  }

  /// A duration's distribution.
  public struct Delay: Sendable, Codable {
    /// Seconds.
    public var median: Double?, p95: Double?
    /// A delay of nothing.
    public init() {}
  }
}
