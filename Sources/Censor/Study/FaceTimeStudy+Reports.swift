import Pages

extension FaceTimeStudy {
  /// What others have written and measured, as evidence.
  enum Report {
    static let blocked = StudyEvidence(
      .report, rule: "Moscow Times, cyberinsider, menafn", column: "FaceTime in Russia",
      figure:
        "calls fail from September 2025; Roskomnadzor confirms on 4 December 2025; \u{201C}User unavailable\u{201D}; a VPN helps",
      basis: "news; no packets")
    static let notBlocked = StudyEvidence(
      .report, rule: "search of news, forums and papers", column: "iMessage and push anywhere",
      figure: "no report of a block found", basis: "absence of reports")
    static let proxied = StudyEvidence(
      .report, rule: "itdoginfo/allow-domains, issue 118", column: "FaceTime in Russia",
      figure: "one user needed a detour for 17.0.0.0/8 and for apple.com", basis: "field report")
    static let onePipe = StudyEvidence(
      .report, rule: "pypush, rustpush, Apple Support 102266", column: "an iPhone\u{2019}s push connection",
      figure: "one TCP connection to port 5223, or 443 where that is blocked, for all topics",
      basis: "client code, vendor"
    )
    static let renewal = StudyEvidence(
      .report, rule: "beeper/imessage, rustpush", column: "renewal of a sign-in",
      figure: "every few days, after 45 days at the latest", basis: "client code")
    static let twoStages = StudyEvidence(
      .report, rule: "lecture for engineers of Russia\u{2019}s boxes (about 2021)", column: "how protocols are blocked",
      figure: "boxes recognise; a centre sends back lists of addresses and ports", basis: "leaked, machine-transcribed")
    static let noRecordRule = StudyEvidence(
      .report, rule: "papers and field reports on censors to 2026", column: "rules inside an established connection",
      figure: "no deployed rule found that splits one by kind of message", basis: "absence of reports")
    static let sizes = StudyEvidence(
      .report, rule: "Coull and Dyer, CCR 2014", column: "kinds of iMessage, by length alone",
      figure: "96 % told right", basis: "paper; only iMessage on the connection")
    static let noCapture = StudyEvidence(
      .report, rule: "search of public captures", column: "push connection of a current iPhone",
      figure: "no capture with content found", basis: "absence of reports")
  }

  static let backgroundClaims = [
    StudyClaim(
      "blocked",
      "In December 2025 Russia confirmed that it restricts FaceTime, Apple\u{2019}s calls. They had failed since September with the words \u{201C}User unavailable\u{201D}; through a VPN they worked. iMessage, Apple\u{2019}s text messages, was left alone in every report found.",
      evidence: [Report.blocked, Report.notBlocked],
      limit: "News and users\u{2019} reports. What was not reported may still have happened."),
    StudyClaim(
      "one-pipe",
      "A push connection is the one encrypted line that an iPhone keeps open to Apple. The notifications of all apps come through it, and so do iMessages and the ringing of a FaceTime call. The picture and sound of the call travel apart from it.",
      evidence: [Report.onePipe],
      limit: "Development apps get a second connection; photos in iMessages travel apart."),
  ]

  static let unknownClaims = [
    StudyClaim(
      "rule-unknown",
      "The rule by which Russia\u{2019}s boxes stop FaceTime is not published. This page shows what would be possible and at what cost, not what was done, and nothing of motives.",
      evidence: [Report.blocked], limit: "One user\u{2019}s detour is all that was found about hosts."),
    StudyClaim(
      "lab-model",
      "The traffic read here may be the lab\u{2019}s model of iPhones. Sizes and order follow published descriptions; no capture of a current iPhone with its content is public. How Apple\u{2019}s servers and phones answer a line that stands still is not known.",
      evidence: [Report.noCapture], limit: "Shares depend on how many messages and notifications the samples hold."),
  ]

  static func traffic(of collateral: Collateral) -> String {
    func count(_ number: UInt64, _ one: String, _ many: String) -> String {
      "\(Numbers.grouped(Int(clamping: number))) \(number == 1 ? one : many)"
    }
    let captures = count(UInt64(clamping: collateral.captures.count), "capture", "captures")
    var parts = [count(collateral.flows, "flow", "flows")]
    if collateral.messages > 0 {
      parts.append("\(count(collateral.messages, "message", "messages")) that truth files name")
    }
    if collateral.phones > 0 { parts.append(count(collateral.phones, "client address", "client addresses")) }
    return "\(captures): \(listed(parts))"
  }
}
