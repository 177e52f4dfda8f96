import Bytes
import Classify
import Decode
import Flows
import Protocols
import Report

extension FlowFacts {
  /// Whether something in it is part of a call, or prepares one.
  var isOfCall: Bool {
    isCallProtocol || hasRareFacts && (rtp != nil || stun != nil || call != nil || dtls?.srtpProfiles.isEmpty == false)
  }

  /// Whether it shows a call, and not only that one is possible: a lone Binding request is none.
  var provesCall: Bool {
    isCallProtocol || rtp != nil || dtls?.srtpProfiles.isEmpty == false || stun?.hasICE == true || stun?.hasTURN == true
      || call?.callerSide != nil
  }
}

extension FlowStage {
  /// The most flows of a conversation that are asked which service it is.
  static let maximumAskedFlows = 16

  /// Finds the call that a new flow belongs to by its addresses.
  mutating func findConversation(_ touch: FlowTouch) {
    guard touch.key.transport == .udp, !conversations.isEmpty else { return }
    let flow = table[touch.record]
    let ends = flow.serviceEnds
    let found = conversations.match(
      client: Endpoint(ends.client, ends.clientPort), server: Endpoint(ends.server, ends.serverPort))
    guard let found, isAlive(found.place, at: touch.timestamp),
      conversations.join(found.place, Conversation.Member(record: touch.record, flow: flow.id))
    else {
      return
    }
    let session = session(of: touch.record) ?? makeSession(for: touch.record)
    session.conversation = found.place
    session.tie = found.tie
    session.arrivals.conversation = 1
  }

  /// Ties a flow to its call by what its payload said.
  mutating func relate(_ record: UInt32, _ session: FlowSession, _ facts: FlowFacts, _ announced: [AnnouncedEndpoint]) {
    let flow = table[record]
    let member = Conversation.Member(record: record, flow: flow.id)
    guard var place = session.conversation ?? conversations.begin(member) else { return }
    session.conversation = place
    let own = ConversationTable.Tie(flow: flow.id)
    let ends = flow.serviceEnds
    if flow.key.transport == .udp, facts.call == nil {
      let client = Endpoint(ends.client, ends.clientPort)
      tie(.socket(client), &place, record, own)
      tie(.server(ends.client, Endpoint(ends.server, ends.serverPort)), &place, record, own)
    }
    if let call = facts.call?.callID { tie(.call(call), &place, record, own) }
    for next in announced {
      let why = ConversationTable.Tie(source: next.source, media: next.media, flow: flow.id)
      guard let call = next.call, call != facts.call?.callID else {
        tie(.announced(next.endpoint), &place, record, why)
        continue
      }
      // A signalling flow of several calls belongs to the first; the others are conversations of their media.
      guard var other = conversations.place(of: .call(call)) ?? beginFurtherCall(member, session) else { continue }
      tie(.call(call), &other, record, own)
      tie(.announced(next.endpoint), &other, record, why)
      conversations.prove(other)
    }
    if facts.provesCall { conversations.prove(place) }
  }

  private mutating func beginFurtherCall(
    _ member: Conversation.Member, _ session: FlowSession
  ) -> ConversationTable.Place? {
    guard session.furtherCalls.count < FlowSession.maximumCalls, let place = conversations.begin(member) else {
      return nil
    }
    session.furtherCalls.append(place)
    return place
  }

  /// Whether something of a call was seen lately: its flows may be silent for long and only not have ended yet.
  private func isAlive(
    _ place: ConversationTable.Place, at time: Int64, within silence: Int64 = ConversationTable.longestSilence
  ) -> Bool {
    guard let conversation = conversations[place] else { return false }
    return conversation.members.contains { table[$0.record].lastSeen >= time - silence }
  }

  private mutating func tie(
    _ key: ConversationTable.Key, _ place: inout ConversationTable.Place, _ record: UInt32,
    _ why: ConversationTable.Tie
  ) {
    if let other = conversations.place(of: key), other != place,
      !isAlive(other, at: table[record].start, within: key.longestSilence)
    {
      conversations.drop(key)
    }
    let tied = conversations.tie(key, to: place, why)
    for member in tied.moved where table[member.record].id == member.flow {
      guard let session = session(of: member.record) else { continue }
      if let index = session.furtherCalls.firstIndex(of: place) {
        session.furtherCalls[index] = tied.now
        continue
      }
      session.conversation = tied.now
      if session.arrivals.conversation == 0 {
        session.arrivals.conversation = UInt32(clamping: table[member.record].packets)
      }
    }
    place = tied.now
  }

  /// Names the service of a flow's call by what the flow itself shows, and ties the client's other flows with it.
  mutating func settle(_ record: UInt32, _ session: FlowSession) {
    guard var place = session.conversation, !session.isSettled else { return }
    session.isSettled = true
    let facts = session.reading?.facts ?? session.facts
    let verdict = classifier.verdict(on: observation(of: record, session: session, facts: facts, isTied: false))
    guard verdict.tag == .calling, let service = verdict.service else { return }
    // The name of a protocol ties nothing.
    guard classifier.isOperators(service) else { return }
    conversations.prove(place)
    conversations.name(place, service)
    let flow = table[record]
    tie(.service(flow.serviceEnds.client, service), &place, record, ConversationTable.Tie(flow: flow.id))
    session.conversation = place
  }

  /// Asks the flows of a call that go on which service it is, where nobody has said so.
  mutating func nameConversation(of session: FlowSession) {
    guard let place = session.conversation, let conversation = conversations[place], conversation.service == nil else {
      return
    }
    for member in conversation.members.prefix(Self.maximumAskedFlows) where table[member.record].id == member.flow {
      if let other = self.session(of: member.record) { settle(member.record, other) }
    }
  }

  /// What the other flows of its call say of a flow.
  func announcement(of session: FlowSession, _ flow: UInt64) -> Announcement? {
    guard let place = session.conversation, let conversation = conversations[place], conversation.isCall else {
      return nil
    }
    if let tie = session.tie {
      return Announcement(
        tie.source.map(Announcement.Link.init) ?? .sharedSocket, media: tie.media, tag: .calling,
        service: conversation.service, flowID: tie.flow)
    }
    // The first flow of a call learns its service from those that came later.
    guard let service = conversation.service, let other = conversation.members.first(where: { $0.flow != flow })?.flow
    else { return nil }
    return Announcement(.sharedSocket, tag: .calling, service: service, flowID: other)
  }

  /// Takes a flow that has ended out of its call.
  mutating func endConversation(
    _ event: borrowing FlowEvent, _ session: FlowSession, _ events: borrowing AnalyzerEvents
  ) {
    // A call that turned out to be the flow's own ends with it below.
    for place in session.furtherCalls where place != session.conversation {
      if let ended = conversations.leave(event.id, place) { deliver(ended, events) }
    }
    guard let place = session.conversation else { return }
    if let ended = conversations.end(copy event, in: place) { deliver(ended, events) }
  }

  private func deliver(_ call: ConversationEvent, _ events: borrowing AnalyzerEvents) {
    if let outlet { outlet.put(.call(call)) } else { events.conversationEnded?(call) }
  }
}
