extension FaceTimeStudy {
  /// What rules on the hosts beside the push connection cost.
  static func hostClaims(_ figures: StudyFigures) -> [StudyClaim] {
    [identity(figures), identityLater(figures), activation(figures), attachments(figures)].compactMap { $0 }
  }

  private static func identity(_ figures: StudyFigures) -> StudyClaim {
    let policy = "block-identity"
    guard let visits = figures.hit(policy, .identity), let iMessages = figures.hit(policy, .iMessages) else {
      return unanswered(
        "identity-now", "What blocking the hosts on which an iPhone signs in to iMessage costs", figures,
        policies: [policy], subjects: [.identity, .iMessages])
    }
    let notifications = figures.hit(policy, .notifications)
    let cost = notifications.map { " and \($0.words) of the notifications" } ?? ""
    let sentence: String
    if !visits.isMost {
      sentence =
        "A rule on the hosts on which an iPhone signs in reaches \(visits.words) of these visits, and hits \(iMessages.words) of the iMessages\(cost)."
    } else if iMessages.isFew {
      sentence =
        "A rule on the hosts on which an iPhone signs in to iMessage and FaceTime hits \(visits.words) of these visits, but \(iMessages.words) of the iMessages\(cost): phones that are signed in go on writing."
    } else {
      sentence =
        "A rule on the hosts on which an iPhone signs in to iMessage and FaceTime hits \(visits.words) of these visits, and \(iMessages.words) of the iMessages\(cost) at once."
    }
    let shown = [visits, iMessages] + (notifications.map { [$0] } ?? [])
    return StudyClaim(
      "identity-now", sentence, evidence: shown.map(\.evidence),
      limit: caution(
        shown, "That a phone which failed to sign in sends nothing is not replayed: its messages count as sent."))
  }

  private static func identityLater(_ figures: StudyFigures) -> StudyClaim? {
    guard figures.isRun("block-identity") else { return nil }
    return StudyClaim(
      "identity-later",
      "What breaks later these packets cannot show. Open-source clients sign in again every few days, after 45 days at the latest; then iMessage would end, and with it FaceTime, which signs in on the same hosts. Such a rule cannot stop the one and leave the other.",
      evidence: [Report.renewal],
      limit: "Read from code, not measured. No censor is known to have blocked these hosts.")
  }

  private static func activation(_ figures: StudyFigures) -> StudyClaim {
    let policy = "block-activation"
    guard let activations = figures.hit(policy, .activation) else {
      return unanswered(
        "activation", "What blocking the activation of iPhones costs", figures, policies: [policy],
        subjects: [.activation])
    }
    let iMessages = figures.hit(policy, .iMessages)
    let running =
      iMessages.map {
        $0.isFew ? ", and \($0.words) of the iMessages of phones already in use" : ", and \($0.words) of the iMessages"
      } ?? ""
    let shown = [activations] + (iMessages.map { [$0] } ?? [])
    return StudyClaim(
      "activation",
      "A rule on Apple\u{2019}s activation host hits \(activations.words) of the activations\(running). An iPhone that is new or reset could then not be used at all.",
      evidence: shown.map(\.evidence),
      limit: caution(shown, "That it could not be used is known from Apple, not from packets."))
  }

  private static func attachments(_ figures: StudyFigures) -> StudyClaim {
    let policy = "block-attachments"
    guard let files = figures.hit(policy, .attachments) else {
      return unanswered(
        "attachments", "What blocking photos in iMessages costs", figures, policies: [policy], subjects: [.attachments])
    }
    let iMessages = figures.hit(policy, .iMessages)
    let notifications = figures.hit(policy, .notifications)
    let others = [iMessages, notifications].compactMap { figure in
      figure.map { "\($0.words) of the \($0.name)" }
    }
    let shown = [files, iMessages, notifications].compactMap { $0 }
    let cost = others.isEmpty ? "" : ", and \(listed(others)) themselves"
    return StudyClaim(
      "attachments",
      "Photos and long texts in iMessages travel apart. A rule on iCloud\u{2019}s file servers hits \(files.words) of these transfers\(cost). iCloud\u{2019}s own photos and backups use the same servers.",
      evidence: shown.map(\.evidence),
      limit: caution(shown, "What else of iCloud would break is not in this traffic."))
  }
}
