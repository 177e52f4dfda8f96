import Pages

extension FaceTimeStudy {
  /// What others have written and measured, as evidence.
  enum Report {
    static let blocked = StudyEvidence(
      .report, rule: "Moscow Times, cyberinsider, menafn", column: "FaceTime in Russia",
      figure:
        "calls fail from September 2025; confirmed on 4 December 2025; \u{201C}User unavailable\u{201D}; a VPN helps",
      basis: "news, no packets")
    static let notBlocked = StudyEvidence(
      .report, rule: "news, forums, papers", column: "iMessage, push",
      figure: "no report found of a block", basis: "absence of reports")
    static let proxied = StudyEvidence(
      .report, rule: "itdoginfo/allow-domains 118", column: "FaceTime in Russia",
      figure: "one user needed a detour for 17.0.0.0/8 and apple.com", basis: "field report")
    static let onePipe = StudyEvidence(
      .report, rule: "pypush, rustpush, Apple Support 102266", column: "the push connection",
      figure: "one for all topics, to port 5223, else 443; a call\u{2019}s relay is named in it by address",
      basis: "client code, vendor")
    static let mediaForm = StudyEvidence(
      .report, rule: "Apple Support 103229; blog.krisk.org", column: "FaceTime\u{2019}s media",
      figure: "ports as documented; form as seen in 2013", basis: "vendor, observed")
    static let renewal = StudyEvidence(
      .report, rule: "beeper/imessage, rustpush", column: "renewing a sign-in",
      figure: "every few days, after 45 days at the latest", basis: "client code")
    static let signIn = StudyEvidence(
      .report, rule: "rustpush, beeper/imessage", column: "hosts for signing in",
      figure: "the same for iMessage and FaceTime", basis: "client code")
    static let twoStages = StudyEvidence(
      .report, rule: "lecture for engineers, about 2021", column: "how Russia\u{2019}s boxes block protocols",
      figure: "boxes recognise; a centre sends back lists of addresses and ports", basis: "leaked, transcribed")
    static let noRecordRule = StudyEvidence(
      .report, rule: "papers and field reports", column: "rules within an open connection",
      figure: "none found in use that splits one by kind of message", basis: "absence of reports")
    static let sizes = StudyEvidence(
      .report, rule: "Coull and Dyer, CCR 2014", column: "iMessage alone, by length",
      figure: "96 % of actions told right", basis: "paper")
    static let noCapture = StudyEvidence(
      .report, rule: "public captures", column: "push connection of a current iPhone",
      figure: "none found with its content", basis: "absence of reports")
  }

  static let backgroundClaims = [
    StudyClaim(
      "blocked",
      "In December 2025 Russia confirmed that it restricts FaceTime, Apple\u{2019}s calls, which had failed since September (\u{201C}User unavailable\u{201D}) and worked through a VPN. No report says that iMessage, Apple\u{2019}s text messages, was touched.",
      evidence: [Report.blocked, Report.notBlocked],
      limits: ["What was not reported may still have happened."]),
    StudyClaim(
      "one-pipe",
      "An iPhone keeps one encrypted line open to Apple, the push connection: for the notifications of all apps, for iMessages, and for the ringing of FaceTime. A call\u{2019}s picture and sound travel apart.",
      evidence: [Report.onePipe]),
  ]

  static let unknownClaims = [
    StudyClaim(
      "rule-unknown",
      "The rule by which Russia stops FaceTime is not published. This page shows what rules would cost, not which was chosen or why.",
      evidence: [Report.blocked, Report.proxied]),
    StudyClaim(
      "lab-model",
      "No capture of a current iPhone\u{2019}s push connection with its content is public; the lab\u{2019}s phones follow published descriptions. How Apple\u{2019}s servers and phones treat a connection that stands still is not known.",
      evidence: [Report.noCapture]),
  ]

  static func traffic(of collateral: Collateral) -> String {
    func count(_ number: UInt64, _ one: String, _ many: String) -> String {
      "\(Numbers.grouped(Int(clamping: number))) \(number == 1 ? one : many)"
    }
    let captures = count(UInt64(clamping: collateral.captures.count), "capture", "captures")
    var parts = [count(collateral.flows, "flow", "flows")]
    if collateral.messages > 0 { parts.append(count(collateral.messages, "known message", "known messages")) }
    if collateral.phones > 0 { parts.append(count(collateral.phones, "client", "clients")) }
    return "\(captures) of recorded traffic (\(listed(parts)))"
  }
}
