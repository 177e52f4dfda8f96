extension FaceTimeStudy {
  /// What rules on the hosts beside the push connection cost.
  static func hostClaims(_ figures: StudyFigures) -> [StudyClaim] {
    [identity(figures), identityLater(figures), activation(figures), attachments(figures)].compactMap { $0 }
  }

  private static func identity(_ figures: StudyFigures) -> StudyClaim {
    let policy = "block-identity"
    guard let visits = figures.hit(policy, .identity), let iMessages = figures.hit(policy, .iMessages) else {
      return unanswered(
        "identity-now", "What blocking the hosts on which iPhones sign in costs", figures, policies: [policy],
        subjects: [.identity, .iMessages])
    }
    let notifications = figures.hit(policy, .notifications)
    let cost = notifications.map { " and \($0.words) of the notifications" } ?? ""
    let opening = "Blocking the hosts on which iPhones sign in to iMessage and FaceTime"
    let sentence: String
    if !visits.isMost {
      sentence =
        "\(opening) reaches \(visits.words) of the visits, and hits \(iMessages.words) of the iMessages\(cost)."
    } else if iMessages.isFew {
      sentence =
        "\(opening) hits \(visits.words) of the visits, but \(iMessages.words) of the iMessages\(cost): who is signed in goes on."
    } else {
      sentence =
        "\(opening) hits \(visits.words) of the visits, and \(iMessages.words) of the iMessages\(cost) at once."
    }
    let shown = [visits, iMessages] + (notifications.map { [$0] } ?? [])
    return StudyClaim(
      "identity-now", sentence, evidence: shown.map(\.evidence),
      limits: caution(shown))
  }

  private static func identityLater(_ figures: StudyFigures) -> StudyClaim? {
    guard figures.isRun("block-identity") else { return nil }
    return StudyClaim(
      "identity-later",
      "What breaks later, packets cannot show. Known clients sign in again after 45 days at the latest; then iMessage and FaceTime end together: such a rule cannot stop the one and leave the other.",
      evidence: [Report.renewal, Report.signIn],
      limits: ["That is read from code; nobody is known to have blocked these hosts."])
  }

  private static func activation(_ figures: StudyFigures) -> StudyClaim {
    let policy = "block-activation"
    guard let activations = figures.hit(policy, .activation) else {
      return unanswered(
        "activation", "What blocking the activation of iPhones costs", figures, policies: [policy],
        subjects: [.activation])
    }
    let iMessages = figures.hit(policy, .iMessages)
    let shown = [activations] + (iMessages.map { [$0] } ?? [])
    return StudyClaim(
      "activation",
      "Blocking the host that activates new and reset iPhones hits \(activations.words) of the activations\(iMessages.map { " and \($0.words) of the iMessages" } ?? "").",
      evidence: shown.map(\.evidence), limits: caution(shown))
  }

  private static func attachments(_ figures: StudyFigures) -> StudyClaim {
    let policy = "block-attachments"
    guard let files = figures.hit(policy, .attachments) else {
      return unanswered(
        "attachments", "What blocking photos in iMessages costs", figures, policies: [policy], subjects: [.attachments])
    }
    let others = [StudySubject.iMessages, .notifications].compactMap { figures.hit(policy, $0) }
    let cost = others.isEmpty ? "" : ", with " + listed(others.map { "\($0.words) of the \($0.name)" })
    return StudyClaim(
      "attachments",
      "Photos in iMessages travel apart: blocking iCloud\u{2019}s file servers hits \(files.words) of these transfers\(cost). iCloud\u{2019}s photos and backups use the same servers.",
      evidence: ([files] + others).map(\.evidence),
      limits: caution([files] + others, "What else of iCloud would break is not in this traffic."))
  }
}
