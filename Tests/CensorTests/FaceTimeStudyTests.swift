import Censor
import Foundation
import Separability
import TestSupport
import Testing

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite("Why FaceTime and not iMessage: made-up figures, each of which turns a sentence")
struct FaceTimeStudyTests {
  private func sentence(
    _ id: String, _ act: ActTable? = MadeUpLab.table(), _ change: (inout MadeUpMatrix) -> Void = { _ in }
  ) -> String {
    var matrix = MadeUpMatrix.expected()
    change(&matrix)
    let study = FaceTimeStudy(matrix.collateral, act: act)
    return study.claims.first { $0.id == id }?.sentence.replacingOccurrences(of: "\u{A0}", with: " ") ?? "no such claim"
  }

  private func outcome(
    _ act: ActTable? = MadeUpLab.table(), _ change: (inout MadeUpMatrix) -> Void = { _ in }
  ) -> FaceTimeStudy.Outcome {
    var matrix = MadeUpMatrix.expected()
    change(&matrix)
    return FaceTimeStudy(matrix.collateral, act: act).outcome
  }

  private static let pipe = ["block-push-prefixes", "block-push-name", "block-17-8"]
  private static let media = ["facetime-ports", "facetime-relay-prefixes", "facetime-name"]

  // The push connection

  @Test("The price of the push connection is said as it is")
  func pipeCost() {
    let dear = sentence("pipe-cost")
    #expect(dear.contains("hits 97 % of the iMessages"))
    #expect(dear.contains("96 % of all notifications (0.49 for each iMessage)"))
    #expect(dear.contains("100 % of FaceTime’s ringing"))
    let cheap = sentence("pipe-cost") { matrix in
      for policy in Self.pipe { matrix.set(policy, "notifications", percent: 3) }
    }
    #expect(cheap.contains("97 % of the iMessages but only 3 %"))
    let weak = sentence("pipe-cost") { matrix in
      for policy in Self.pipe { matrix.set(policy, "imessage-sent", "imessage-received", percent: 31) }
    }
    #expect(weak.contains("No rule on the push connection hits half"))
    #expect(weak.contains("31 %"))
  }

  @Test("Where no truth names messages, connections are spoken of, and messages are not answered for")
  func pipeWithoutMessages() {
    let study = {
      var matrix = MadeUpMatrix.expected()
      matrix.remove("imessage-sent", "imessage-received", "notifications", "facetime-ringing", "status")
      return FaceTimeStudy(matrix.collateral, act: nil)
    }()
    let cost = study.claims.first { $0.id == "pipe-cost" }
    #expect(cost?.sentence.contains("of the push connections") == true)
    #expect(cost?.sentence.contains("cannot be answered from this traffic") == true)
    #expect(cost?.isAnswered == false)
    #expect(study.outcome == .unanswered)
  }

  @Test("Rules that do not stop iMessage are set apart from those that do")
  func pipeRules() {
    let expected = sentence("pipe-rules")
    #expect(expected.contains("three hit half of the iMessages or more, each for 96 %"))
    #expect(expected.contains("less: on their port 8 % and 8 %"))
    let all = sentence("pipe-rules") { matrix in
      matrix.set("block-port-5223", "imessage-sent", "imessage-received", percent: 90)
      matrix.set("block-port-5223", "notifications", percent: 70)
    }
    #expect(all.contains("four hit half of the iMessages or more, each for 70 %"))
    #expect(!all.contains("other"))
  }

  @Test("Whether FaceTime can have been blocked on the push connection depends on ringing and price")
  func pipeAndFaceTime() {
    #expect(
      sentence("pipe-facetime").contains(
        "96 % of the notifications would go with it, and nobody reported such a loss. It was hardly the way"))
    #expect(
      sentence("pipe-facetime") { matrix in
        for policy in Self.pipe { matrix.set(policy, "notifications", percent: 3) }
      }.contains("for 3 % of the notifications: from this traffic it may have been the way"))
    #expect(
      sentence("pipe-facetime") { matrix in
        for policy in Self.pipe { matrix.set(policy, "facetime-ringing", percent: 2) }
      }.contains("would not stop its calls"))
    #expect(
      sentence("pipe-facetime") { $0.remove("facetime-ringing") }.contains("cannot be answered from this traffic"))
  }

  // The calls' media

  @Test("What rules on the media hit, and that a call asks for no name")
  func mediaReach() {
    let expected = sentence("media-reach")
    #expect(expected.contains("90 % by ports"))
    #expect(expected.contains("60 % by Apple’s addresses (its relays)"))
    #expect(expected.contains("0 % by name. Between iPhones a call looks up no name"))
    let named = sentence("media-reach") { $0.set("facetime-name", "facetime", flows: 19) }
    #expect(named.contains("95 % by name"))
    #expect(!named.contains("looks up no name"))
    #expect(sentence("media-reach") { $0.remove("facetime") }.contains("cannot be answered from this traffic"))
  }

  @Test("FaceTime stands alone only if nothing on the push connection is hit")
  func mediaPrice() {
    #expect(sentence("media-price").contains("FaceTime can be blocked without touching the push connection"))
    let dear = sentence("media-price") { matrix in
      for policy in Self.media { matrix.set(policy, "notifications", percent: 40) }
    }
    #expect(dear.contains("40 % of the notifications as well: the calls do not stand alone here"))
    let weak = sentence("media-price") { matrix in
      for policy in Self.media { matrix.set(policy, "facetime", flows: 2) }
    }
    #expect(weak.contains("but stops few calls: 10 % of their flows"))
  }

  @Test("A rule that spares the push connection is preferred to one that hits more")
  func mediaRuleChoice() {
    let price = sentence("media-price") { matrix in
      matrix.set("facetime-ports", "facetime", flows: 20)
      matrix.set("facetime-ports", "notifications", percent: 80)
    }
    #expect(price.contains("relays) hits 0 % of the iMessages and 0 % of the notifications"))
  }

  @Test("The called phone rings or does not")
  func mediaRings() {
    #expect(sentence("media-rings").contains("would still ring (0 % of the ringing is hit)"))
    #expect(
      sentence("media-rings") { matrix in
        for policy in Self.media { matrix.set(policy, "facetime-ringing", percent: 90) }
      }.contains("The ringing is hit too, by 90 %"))
    #expect(
      sentence("media-rings") { matrix in
        for policy in Self.media { matrix.set(policy, "facetime", flows: 2) }
      }.contains("most calls would go on"))
    #expect(sentence("media-rings") { $0.remove("facetime-ringing") }.contains("cannot be answered"))
  }

  @Test("Other calls that a rule hits are named")
  func mediaOthers() {
    #expect(sentence("media-others").contains("It also hits 15 % of WebRTC calls."))
    #expect(
      sentence("media-others") { $0.set("facetime-ports", "webrtc", flows: 0) }
        .contains("Of the five other kinds of traffic read here it hits none"))
  }

  // Hosts beside it

  @Test("Sign-in hosts: what goes on, what breaks at once, what is not reached")
  func identity() {
    #expect(sentence("identity-now").contains("but 0 % of the iMessages and 0 % of the notifications: who is"))
    let broken = sentence("identity-now") { $0.set("block-identity", "imessage-sent", percent: 80) }
    #expect(broken.contains("40 % of the iMessages and 0 % of the notifications at once"))
    #expect(!broken.contains("goes on"))
    #expect(
      sentence("identity-now") { $0.set("block-identity", "imessage-identity", flows: 4) }.contains("reaches 20 %"))
    #expect(sentence("identity-now") { $0.remove("imessage-identity") }.contains("cannot be answered"))
    #expect(sentence("identity-later").contains("What breaks later, packets cannot show"))
  }

  @Test("Activation and attachments say their numbers, or that there are none")
  func activationAndAttachments() {
    #expect(
      sentence("activation").contains("hits 100 % of the activations and 0 % of the iMessages"))
    #expect(sentence("activation") { $0.set("block-activation", "apple-activation", flows: 5) }.contains("hits 25 %"))
    #expect(sentence("activation") { $0.remove("apple-activation") }.contains("cannot be answered"))
    #expect(sentence("attachments").contains("hits 100 % of these transfers"))
    #expect(sentence("attachments") { $0.set("block-attachments", "notifications", percent: 7) }.contains("7 % of the"))
    #expect(sentence("attachments") { $0.remove("imessage-attachments") }.contains("cannot be answered"))
  }

  // Single records

  @Test("A rule on sizes: cheap, dear, or blind")
  func shape() {
    let cheap = sentence("shape")
    #expect(
      cheap.contains("hits 93 % of them and 1 % of the notifications, and 71 % of the messages"))
    let dear = sentence("shape") { $0.set("sent-imessage-shape", "notifications", percent: 30) }
    #expect(dear.contains("but also 30 % of the notifications"))
    let blind = sentence("shape") { $0.set("sent-imessage-shape", "imessage-sent", percent: 20) }
    #expect(blind.contains("hits only 20 % of them here"))
    #expect(sentence("shape") { $0.remove("imessage-sent") }.contains("cannot be answered"))
  }

  @Test("What the lab measured turns the sentence on sent messages")
  func sentMeasured() {
    #expect(sentence("sent-measured").contains("The shared connection does not protect what is sent"))
    #expect(sentence("sent-measured").contains("“drop sent records” hit 99 % of the sent iMessages, 2 %"))
    #expect(sentence("sent-measured", MadeUpLab.table(sentCost: 45)).contains("No other was cheaper"))
    #expect(sentence("sent-measured", nil).contains("cannot be answered"))
    var weak = MadeUpLab.table()
    for index in weak.rules.indices { weak.rules[index].imessageOut = MadeUpLab.fate(3, 0, of: 100) }
    #expect(sentence("sent-measured", weak).contains("no rule hit half of the sent iMessages"))
  }

  @Test("Received messages: measured and replayed, agreeing or not")
  func received() {
    #expect(sentence("received").contains("hit 95 %, and 19 % of the notifications"))
    #expect(sentence("received").contains("such a rule hits 88 % and 24 %"))
    #expect(sentence("received").contains("waits in line with them"))
    #expect(sentence("received", MadeUpLab.table(receivedCost: 1)).contains("Measurement and replay differ here"))
    #expect(
      sentence("received", MadeUpLab.table(receivedCost: 1)) {
        $0.set("received-imessage-hold", "notifications", percent: 2)
      }.contains("can be hit apart as well"))
    #expect(sentence("received", nil) { $0.remove("imessage-received") }.contains("cannot be answered"))
  }

  @Test("A box that never errs: whether what is shared still protects")
  func perfect() {
    #expect(sentence("perfect").contains("hit 100 % of them and 62 % of the notifications: a gap"))
    #expect(
      sentence("perfect") { $0.set("perfect-record-imessage", "notifications", percent: 1) }
        .contains("not that it is shared"))
  }

  @Test("A collected list of addresses")
  func twoStage() {
    #expect(sentence("two-stage").contains("97 % of the iMessages are hit and 96 % of the notifications"))
    #expect(
      sentence("two-stage") { $0.set("tspu-two-stage", "notifications", percent: 2) }.contains("only 2 %"))
    #expect(
      sentence("two-stage") { $0.set("tspu-two-stage", "imessage-sent", "imessage-received", percent: 0) }
        .contains("hits 0 % of the iMessages"))
    var collateral = MadeUpMatrix.expected().collateral
    for index in collateral.policies.indices { collateral.policies[index].target = ["facetime", "whatsapp-calls"] }
    let aimed = FaceTimeStudy(collateral, act: nil)
    #expect(aimed.claims.first { $0.id == "two-stage" }?.sentence.contains("Aimed at calls, such a list hits") == true)
    #expect(sentence("two-stage") { $0.remove("notifications") }.contains("cannot be answered"))
  }

  // The answer

  @Test("Each outcome is reached by numbers alone, and its sentence says it")
  func outcomes() {
    #expect(outcome() == .enoughForKnownRules)
    #expect(
      sentence("verdict").contains("Enough against the rules that censors are known to use, but not against every"))
    #expect(
      sentence("verdict").contains(
        "99 % of the sent iMessages for 2 % of the notifications and 90 % of what"))
    #expect(outcome(MadeUpLab.table(sentCost: 30)) == .enough)
    #expect(sentence("verdict", MadeUpLab.table(sentCost: 30)).hasPrefix("Yes, as far as rules were tried"))
    #expect(outcome(nil) == .enoughWithoutRecords)
    #expect(sentence("verdict", nil).contains("was not measured"))
    #expect(outcome { $0.remove("facetime") } == .unanswered)
    #expect(outcome { $0.remove("notifications") } == .unanswered)
    #expect(outcome { $0.remove("imessage-sent", "imessage-received") } == .unanswered)
    #expect(sentence("verdict") { $0.remove("facetime") }.contains("cannot be answered from this traffic"))
    #expect(
      outcome { matrix in
        for policy in Self.pipe { matrix.set(policy, "imessage-sent", "imessage-received", percent: 20) }
      } == .untested)
    #expect(
      outcome { matrix in
        for policy in Self.media { matrix.set(policy, "facetime", flows: 1) }
      } == .noDifference)
    #expect(
      outcome { matrix in
        for policy in Self.media { matrix.set(policy, "notifications", percent: 60) }
      } == .noDifference)
    let cheap: (inout MadeUpMatrix) -> Void = { $0.set("block-push-name", "notifications", percent: 4) }
    #expect(outcome(MadeUpLab.table(), cheap) == .notShared)
    #expect(sentence("verdict", MadeUpLab.table(), cheap).hasPrefix("No. Here most iMessages can be stopped"))
    #expect(sentence("verdict", MadeUpLab.table(), cheap).contains("at 4 % of the notifications"))
  }

  @Test("The three questions are answered apart")
  func questions() {
    #expect(sentence("identify").contains("no; a rule that hits 97 % of the former hits 96 % of the latter"))
    #expect(sentence("identify").contains("FaceTime’s calls: yes; 90 % of their flows for 0 %"))
    #expect(sentence("detect").contains("iMessage is not undetectable"))
    #expect(sentence("act").contains("What is sent: yes, for 2 %"))
    #expect(sentence("act").contains("What is received: not for less than 19 %"))
    #expect(sentence("act", MadeUpLab.table(sentCost: 60)).contains("What is sent: not for less than 60 %"))
    #expect(sentence("act", nil) == "This was not measured.")
  }

  @Test("The objections are met only where the numbers do so")
  func doubts() {
    #expect(sentence("doubts").contains("calls can be cut with 0 % of their ringing hit"))
    #expect(sentence("doubts").contains("(0 % of the iMessages at once)"))
    let rung = sentence("doubts") { matrix in
      for policy in Self.media { matrix.set(policy, "facetime-ringing", percent: 90) }
    }
    #expect(!rung.contains("no objection"))
    let unreached = sentence("doubts") { $0.set("block-identity", "imessage-identity", flows: 1) }
    #expect(!unreached.contains("sign-in hosts"))
  }

  // All claims

  /// Numbers of a text: digits with what stands between them, but not those of a word such as IPv4.
  private func numbers(of text: String) -> Set<String> {
    Set(
      text.split { !($0.isNumber || $0.isLetter || $0 == "." || $0 == ",") }
        .map { $0.trimmingCharacters(in: CharacterSet(charactersIn: ".,")) }
        .filter { $0.first?.isNumber ?? false })
  }

  /// What is wrong with a study's claims: numbers from nowhere, answers that rest on nothing.
  private func faults(_ study: FaceTimeStudy) -> [String] {
    var faults: [String] = []
    if Set(study.claims.map(\.id)).count != study.claims.count { faults.append("an id twice") }
    for claim in study.claims {
      let known = claim.evidence.flatMap { [$0.rule, $0.column, $0.figure, $0.basis] }
        .reduce(into: Set<String>()) { $0.formUnion(numbers(of: $1)) }
      let text = ([claim.sentence] + claim.limits).joined(separator: " ")
      let missing = numbers(of: text).subtracting(known)
      if !missing.isEmpty { faults.append("\(claim.id): \(missing) of “\(text)”") }
      if claim.sentence.contains("  ") || claim.sentence.contains("not known %") { faults.append(claim.sentence) }
      if claim.isAnswered ? claim.evidence.isEmpty : !claim.sentence.contains("cannot be answered") {
        if claim.sentence != "This was not measured." { faults.append("\(claim.id): “\(claim.sentence)”") }
      }
    }
    return faults
  }

  @Test("Every number of every sentence is in what the sentence rests on, for random matrices")
  func numbersAreBacked() {
    var random = SystemRandom(state: 20_261_123)
    #expect(faults(FaceTimeStudy(MadeUpMatrix.expected().collateral, act: MadeUpLab.table())) == [])
    for _ in 0..<300 {
      var matrix = MadeUpMatrix(entries: [:])
      for policy in FaceTimeStudy.policyNames where random.next() % 8 != 0 {
        for column in MadeUpMatrix.columns where random.next() % 8 != 0 {
          let whole = random.next() % 400
          let part = whole == 0 ? 0 : random.next() % (whole + 1)
          let late = part == 0 ? 0 : random.next() % part
          matrix[policy, column.key] =
            column.kind == .flows
            ? .flows(part, of: whole, basis: random.next() % 2 == 0 ? .truth : .verdict)
            : .messages(lost: part - late, late: late, of: whole)
        }
      }
      let act =
        random.next() % 4 == 0
        ? nil : MadeUpLab.table(sentCost: Int(random.next() % 101), receivedCost: Int(random.next() % 101))
      let found = faults(FaceTimeStudy(matrix.collateral, act: act))
      #expect(found == [])
      guard found.isEmpty else { return }
    }
  }

  @Test("Traffic of nothing gives a page that answers nothing")
  func empty() {
    let study = FaceTimeStudy(Collateral(), act: nil)
    #expect(study.outcome == .unanswered)
    #expect(faults(study) == [])
    let answered = study.steps.flatMap(\.claims).filter(\.isAnswered)
    #expect(answered.isEmpty, "\(answered.map(\.id))")
    #expect(FaceTimeStudyText.text(study).contains("cannot be answered"))
    #expect(!study.bars.contains { $0.targetHit != nil })
  }

  @Test("The measured table of the lab is understood")
  func measuredTable() throws {
    let act = try #require(try ActTable.measured(path: nil))
    let study = FaceTimeStudy(MadeUpMatrix.expected().collateral, act: act)
    #expect(faults(study) == [])
    #expect(study.outcome == .enoughForKnownRules)
    #expect(study.claims.contains { $0.id == "pipe-measured" })
  }

  // Page and text

  @Test("The text in 80 columns reads as a person has read it")
  func text() throws {
    let study = FaceTimeStudy(MadeUpMatrix.expected().collateral, act: MadeUpLab.table())
    let text = FaceTimeStudyText.text(study)
    #expect(text.split(separator: "\n").allSatisfy { $0.count <= FaceTimeStudyText.columns })
    try expectGolden(text, "facetime-study.txt")
  }

  @Test("The page is well-formed, loads nothing, and each link leads somewhere")
  func page() {
    var matrix = MadeUpMatrix.expected()
    matrix.remove("facetime-ringing")
    for study in [
      FaceTimeStudy(MadeUpMatrix.expected().collateral, act: MadeUpLab.table()),
      FaceTimeStudy(matrix.collateral, act: nil), FaceTimeStudy(Collateral(), act: nil),
    ] {
      let reader = PageLinks()
      let page = FaceTimeStudyPage.html(study)
      #expect(reader.read(page), "\(reader.failure)")
      #expect(Set(reader.ids).count == reader.ids.count)
      #expect(Set(reader.references).subtracting(reader.ids).isEmpty)
      #expect(reader.loads.isEmpty)
      for claim in study.claims { #expect(reader.ids.contains("s-\(claim.id)")) }
      let places = Set(study.evidence.indices.map { "r-\($0 + 1)" })
      #expect(places.isSubset(of: reader.ids))
    }
  }

  @Test("Names out of traffic stay text")
  func hostileNames() {
    var collateral = MadeUpMatrix.expected().collateral
    let bad = "<script>alert(1)</script>\u{1B}[31m\u{202E}]]>"
    for index in collateral.columns.indices { collateral.columns[index].name = bad + "\(index)" }
    collateral.assumptions = [bad]
    collateral.command = bad
    let study = FaceTimeStudy(collateral, act: MadeUpLab.table())
    let page = String(decoding: FaceTimeStudyPage.html(study), as: UTF8.self)
    #expect(!page.contains("<script>alert"))
    #expect(PageLinks().read(Array(page.utf8)))
    #expect(!FaceTimeStudyText.text(study).contains("\u{1B}"))
  }

  /// A small generator with a fixed seed.
  private struct SystemRandom {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state ^ (state >> 29)) &* 0x9E37_79B9_7F4A_7C15 >> 33
    }
  }
}
