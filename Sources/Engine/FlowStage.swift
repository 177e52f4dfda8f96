import Bytes
import Capture
import Classify
import Decode
import Flows
import Protocols
import Report

/// From decoded packets to ended flows: the table, the payload readers, and the verdict at the end.
struct FlowStage: ~Copyable {
  /// The most bytes that all payload readers together may hold; beyond it the oldest readers are given up.
  static let maximumHeldBytes = 32 << 20
  /// The most flows whose payload is read at a time; beyond it the oldest reader is given up, and its flow is judged
  /// by what it has said so far.
  static let maximumReadings = 32_768

  var table: FlowTable
  let classifier: Classifier
  // Of the options: to reach into them where they lie together copies all that they hold.
  let wantsPackets: Bool, wantsFingerprints: Bool, wantsShape: Bool, hasShapeModel: Bool, isBlind: Bool
  let maximumMemory: Int?
  var sessions = FlowSessions()
  var plains = PlainPayloads()
  var names = NameCache()
  let fingerprints = FingerprintCache()
  var conversations = ConversationTable()
  var paths = QUICPaths()
  /// Names of the programs that the capture names, by the decoder's numbers.
  var processes: [UInt16: String] = [:]
  var readings = 0
  private var queue = ReadingQueue()
  var heldBytes = 0
  var captures: [String?] = [nil]
  var limits = StageLimits()
  var verdicts: VerdictStage
  /// Where findings go that another thread judges and delivers; nil where this one does.
  var outlet: FindingsOutlet?
  private var sink: UInt64 = 0

  init(classifier: Classifier, options: AnalyzerOptions) {
    self.classifier = classifier
    verdicts = VerdictStage(classifier: classifier, options: options)
    wantsPackets = options.wantsPackets
    wantsFingerprints = options.wantsFingerprints
    maximumMemory = options.maximumMemory
    wantsShape = options.wantsShape
    hasShapeModel = options.shapeModel != nil
    isBlind = options.isBlind
    table = FlowTable(maximumFlows: options.maximumFlows, timeouts: options.timeouts)
  }

  /// The most readers of each kind that are kept for later flows.
  static let maximumIdleReadings = 1024
  private var idleReadings: [StreamReading] = []
  private var idleDatagramReadings: [DatagramsReading] = []

  /// What the caps of this stage cost.
  struct StageLimits {
    var readingsGivenUp: UInt64 = 0
    var gapsSkipped: UInt64 = 0
    var namesForgotten: UInt64 = 0
  }

  /// Counts a batch into its flows and reads the payloads that are wanted.
  /// - Parameters:
  ///   - batch: visits whose payloads lie in `bytes`; emptied.
  ///   - bytes: the source's bytes, or the decoder's reassembled datagram.
  ///   - events: where to deliver.
  mutating func apply(_ batch: inout FlowBatch, bytes: RawSpan, events: borrowing AnalyzerEvents) {
    guard batch.count > 0 else { return }
    if table.count + PacketBatch.capacity > table.maximumFlows { makeRoom(events) }
    if maximumMemory != nil { keepWithinMemory(events) }
    sink &+= table.apply(&batch)
    for i in 0..<batch.count {
      let wantsMore =
        batch.items[i].isNew
        || (batch.items[i].payloadLength > 0
          && (table[batch.items[i].record].stage != .done || table[batch.items[i].record].watch > 0))
      if wantsMore { look(at: batch.items[i], bytes, events) }
      if wantsPackets { report(packet: batch.items[i], events) }
      if let deliver = events.payload { lend(batch.items[i], bytes, deliver) }
      if let deliver = events.visit { show(batch.items[i], bytes, deliver) }
    }
    // Not before: the batch may hold payload of a flow that a later packet of it has ended.
    if !table.ended.isEmpty { reportEnded(events) }
    batch.count = 0
  }

  private mutating func look(at touch: FlowTouch, _ bytes: RawSpan, _ events: borrowing AnalyzerEvents) {
    if touch.isNew { begin(touch) }
    if touch.process != 0, table[touch.record].process == 0 { table[touch.record].process = touch.process }
    guard touch.payloadLength > 0, !touch.isFirstFragment else { return }
    let payload = bytes.slice(Int(touch.payloadOffset), Int(touch.payloadCaptured))
    if touch.key.transport == .tcp { table.meterRecords(payload, touch) }
    guard !isBlind else { return }
    guard table[touch.record].stage != .done || isMedia(payload, beside: touch.record) else { return }
    if touch.key.transport == .udp, touch.ordinal == 1, !paths.isEmpty, goOn(payload, touch) { return }
    if touch.key.transport == .udp, table[touch.record].stage != .reading, !canRead(payload, touch) { return }
    read(payload, touch, readingSession(of: touch), events)
  }

  /// Packets of a UDP flow that are looked at for the beginning of something that can be read.
  static let maximumProbedPackets: UInt64 = 12

  /// Whether a datagram of a flow that is not read is worth a reader; what is not is kept for its first bytes only.
  private mutating func canRead(_ payload: RawSpan, _ touch: FlowTouch) -> Bool {
    let side: FlowSide = touch.isToServer ? .client : .server
    // Ports are hints here; nobody knows who opened a UDP flow.
    let ports = (UInt16(truncatingIfNeeded: touch.key.ports), UInt16(truncatingIfNeeded: touch.key.ports >> 16))
    if let application = NameResolution.application(ports.0, ports.1), resolve(payload, touch, application) {
      return false
    }
    let isWorth = DatagramParser.canBegin(
      payload, from: side, clientPort: max(ports.0, ports.1), serverPort: min(ports.0, ports.1),
      isCut: touch.payloadCaptured < touch.payloadLength)
    if isWorth { return true }
    noteFirstBytes(payload, touch, side)
    if touch.ordinal >= Self.maximumProbedPackets { table[touch.record].stage = .done }
    return false
  }

  /// Keeps the first bytes of a side of a flow that no reader has understood.
  private mutating func noteFirstBytes(_ payload: RawSpan, _ touch: FlowTouch, _ side: FlowSide) {
    if let session = session(of: touch.record) {
      session.noteFirstBytes(payload, from: side)
      if session.arrivals.payload == 0 { session.arrivals.payload = UInt32(clamping: touch.ordinal) }
      return
    }
    let mark: FlowMarks = side == .client ? .hasClientBytes : .hasServerBytes
    // In the record, which is at hand: most packets need not look at the bytes.
    guard !table[touch.record].marks.contains(mark) else { return }
    table[touch.record].marks.insert(mark)
    var place = table[touch.record].session
    if place == 0 {
      place = plains.add(PlainPayloads.Payload(packet: UInt32(clamping: touch.ordinal)))
      table[touch.record].session = place
    }
    if side == .client, plains[place].client.count == 0 { plains[place].client = FirstBytes(payload) }
    if side == .server, plains[place].server.count == 0 { plains[place].server = FirstBytes(payload) }
  }

  /// Lets go of a session that holds first bytes only.
  private mutating func makePlain(_ record: UInt32, _ session: FlowSession) {
    let index = table[record].session
    guard index != 0, index & PlainPayloads.mark == 0, session.isPlain else { return }
    table[record].session = plains.add(
      PlainPayloads.Payload(
        client: session.facts.clientFirstBytes, server: session.facts.serverFirstBytes,
        packet: session.arrivals.payload))
    sessions.giveBack(index &- 1)
  }

  /// Takes a message of name resolution; each says all that it has to say, so that its flow needs no reader.
  /// - Returns: whether it was one.
  private mutating func resolve(_ payload: RawSpan, _ touch: FlowTouch, _ application: ApplicationProtocol) -> Bool {
    let session = session(of: touch.record) ?? makeSession(for: touch.record)
    var resolution = NameResolution()
    guard resolution.take(payload, into: &session.facts) else { return false }
    session.noteFirstBytes(payload, from: touch.isToServer ? .client : .server)
    if session.facts.application == nil {
      session.facts.application = application
      session.arrivals.note(session.facts, at: touch.ordinal)
    }
    learnNames(resolution.takeAnswers(), touch)
    return true
  }

  /// Packets of a QUIC flow that are looked at for media behind its hello.
  static let mediaWatch: UInt8 = 32

  /// Whether a packet of a QUIC flow that was read to its end is media beside it, by its first byte (RFC 9443).
  private mutating func isMedia(_ payload: RawSpan, beside record: UInt32) -> Bool {
    guard table[record].key.transport == .udp, table[record].watch > 0 else { return false }
    table[record].watch -= 1
    guard payload.byteCount > 0, payload.u8(0) & 0xc0 == 0x80 else { return false }
    table[record].watch = 0
    table[record].stage = .untouched
    return true
  }

  /// Looks up what is known of a flow's addresses, at its first packet.
  private mutating func begin(_ touch: FlowTouch) {
    findNames(touch)
    findConversation(touch)
  }

  private mutating func findNames(_ touch: FlowTouch) {
    guard !names.isEmpty else { return }
    let ends = table[touch.record].serviceEnds
    let own = names.names(client: ends.client, server: ends.server, at: touch.timestamp)
    let others =
      own.isEmpty ? names.namesToldToOthers(client: ends.client, server: ends.server, at: touch.timestamp) : []
    guard !own.isEmpty || !others.isEmpty else { return }
    let session = makeSession(for: touch.record)
    session.names = own
    session.weakNames = others
  }

  mutating func makeSession(for record: UInt32) -> FlowSession {
    let place = table[record].session
    let (index, session) = sessions.take()
    table[record].session = index &+ 1
    if place & PlainPayloads.mark != 0 {
      let payload = plains.take(place)
      session.facts.clientFirstBytes = payload.client
      session.facts.serverFirstBytes = payload.server
      session.arrivals.payload = payload.packet
    }
    return session
  }

  /// Takes a new flow for the continuation of a QUIC connection whose addresses have changed; whether it is one.
  private mutating func goOn(_ payload: RawSpan, _ touch: FlowTouch) -> Bool {
    guard let origin = paths.origin(of: payload) else { return false }
    let session = session(of: touch.record) ?? makeSession(for: touch.record)
    session.facts.application = .quic
    session.facts.tls = origin.facts.tls
    session.facts.quic = origin.facts.quic
    session.facts.quic?.hasMigrated = true
    session.facts.notes = ["QUIC connection of flow \(origin.flow), with another address or port"]
    session.arrivals.note(session.facts, at: touch.ordinal)
    table[touch.record].stage = .done
    return true
  }

  func session(of record: UInt32) -> FlowSession? {
    let index = table[record].session
    return index == 0 || index & PlainPayloads.mark != 0 ? nil : sessions[index &- 1]
  }

  private mutating func readingSession(of touch: FlowTouch) -> FlowSession {
    let record = touch.record
    if let session = session(of: record), session.reading != nil { return session }
    if readings >= Self.maximumReadings { _ = giveUpOldest() }
    let session = session(of: record) ?? makeSession(for: record)
    if touch.key.transport == .tcp {
      if let reading = idleReadings.popLast() {
        reading.begin(table, record, wantsFingerprints: wantsFingerprints, cache: fingerprints)
        session.reading = reading
      } else {
        session.reading = StreamReading(
          table, record, wantsFingerprints: wantsFingerprints, cache: fingerprints)
      }
    } else {
      let isAnnounced = session.tie?.source != nil
      if let reading = idleDatagramReadings.popLast() {
        reading.begin(
          table[record], isAnnounced: isAnnounced, wantsFingerprints: wantsFingerprints, cache: fingerprints)
        session.reading = reading
      } else {
        session.reading = DatagramsReading(
          table[record], isAnnounced: isAnnounced, wantsFingerprints: wantsFingerprints, cache: fingerprints)
      }
    }
    readings += 1
    table[record].stage = .reading
    queue.append(ReadingQueue.Entry(record: record, flow: table[record].id))
    if queue.count > 2 * Self.maximumReadings { tidyQueue() }
    return session
  }

  private func isReading(_ entry: ReadingQueue.Entry) -> Bool {
    table[entry.record].id == entry.flow && table[entry.record].stage == .reading
  }

  private mutating func tidyQueue() {
    var tidied = ReadingQueue()
    swap(&tidied, &queue)
    tidied.tidy { isReading($0) }
    swap(&tidied, &queue)
  }

  /// Stops the reader that has been at work longest.
  /// - Returns: whether there was one.
  mutating func giveUpOldest() -> Bool {
    while let entry = queue.popFirst() {
      guard isReading(entry), let session = session(of: entry.record) else { continue }
      limits.readingsGivenUp += 1
      stopReading(entry.record, session)
      makePlain(entry.record, session)
      return true
    }
    return false
  }

  private mutating func read(
    _ payload: RawSpan, _ touch: FlowTouch, _ session: FlowSession, _ events: borrowing AnalyzerEvents
  ) {
    guard let reading = session.reading else { return }
    let side: FlowSide = touch.isToServer ? .client : .server
    let outcome = reading.take(payload, touch, from: side)
    if outcome.hasGap { limits.gapsSkipped += 1 }
    if outcome.hasNews {
      let isOfCall = reading.note(&session.arrivals, at: touch.ordinal)
      learnNames(reading.takeAnswers(), touch)
      if isOfCall { relate(touch.record, session, reading.facts, reading.takeAnnouncements()) }
    } else if session.arrivals.payload == 0 {
      session.arrivals.payload = UInt32(clamping: touch.ordinal)
    }
    heldBytes += outcome.heldBytes - reading.countedBytes
    reading.countedBytes = outcome.heldBytes
    if !outcome.wantsMore {
      stopReading(touch.record, session)
      if session.conversation != nil { settle(touch.record, session) }
      announce(touch.record, session, session.facts, events)
      makePlain(touch.record, session)
    } else if outcome.isTelling {
      announce(touch.record, session, reading.facts, events)
    }
    while heldBytes > Self.maximumHeldBytes, giveUpOldest() {}
  }

  /// Delivers a decision, once.
  private func announce(
    _ record: UInt32, _ session: FlowSession, _ facts: @autoclosure () -> FlowFacts, _ events: borrowing AnalyzerEvents
  ) {
    guard let decided = events.flowDecided, !session.wasAnnounced else { return }
    session.wasAnnounced = true
    let observation = observation(of: record, session: session, facts: facts(), isTied: true)
    decided(verdicts.event(of: ending(of: record, session: session, observation: observation)))
  }

  private mutating func learnNames(_ answers: [DNSAnswer], _ touch: FlowTouch) {
    guard !answers.isEmpty else { return }
    names.learn(client: table[touch.record].serviceEnds.client, answers: answers, at: touch.timestamp)
  }

  /// Lets go of all that reading needed, and keeps what was read.
  private mutating func stopReading(_ record: UInt32, _ session: FlowSession) {
    guard let reading = session.reading else { return }
    heldBytes -= reading.countedBytes
    let isFirst = session.facts.application == nil
    session.merge(reading.takeFacts())
    if isFirst, session.facts.application == .quic { table[record].watch = Self.mediaWatch }
    if isFirst, session.facts.hasRareFacts, session.facts.quic?.hasMigrated == false,
      let id = reading.connectionIDs.server
    {
      paths.learn(QUICPaths.Origin(flow: table[record].id, id: id, facts: session.facts))
    }
    keep(reading)
    session.reading = nil
    readings -= 1
    table[record].stage = .done
  }

  /// Keeps a reader for a later flow. Their classes are final and only two.
  private mutating func keep(_ reading: PayloadReading) {
    if let reading = reading as? StreamReading {
      if idleReadings.count < Self.maximumIdleReadings { idleReadings.append(reading) }
    } else if let reading = reading as? DatagramsReading {
      if idleDatagramReadings.count < Self.maximumIdleReadings { idleDatagramReadings.append(reading) }
    }
  }

  private mutating func makeRoom(_ events: borrowing AnalyzerEvents) {
    table.makeRoom()
    reportEnded(events)
  }

  /// Ends the flows that were silent too long at a time of the packets' clock.
  mutating func advance(to time: Int64, events: borrowing AnalyzerEvents) {
    table.advance(to: time)
    if !table.ended.isEmpty { reportEnded(events) }
  }

  /// Reports what has left the table.
  mutating func reportEnded(_ events: borrowing AnalyzerEvents) {
    let ended = table.ended
    table.ended.removeAll(keepingCapacity: true)
    for flow in ended {
      report(
        flow.record,
        flow.end == .evicted ? .evicted : flow.end == .timeout ? .timeout : table[flow.record].closeReason, events)
    }
  }

  /// Ends all flows, and forgets the names and the clock of what was read.
  mutating func finish(events: borrowing AnalyzerEvents) {
    defer {
      limits.namesForgotten &+= names.evictions
      names = NameCache()
      paths = QUICPaths()
      table.forgetClock()
    }
    for record in table.endAll() {
      report(record, table[record].state == .closed ? table[record].closeReason : .endOfCapture, events)
    }
    assert(readings == 0 && heldBytes == 0, "a reader has outlived its flow")
  }

  private mutating func report(_ record: UInt32, _ reason: EndReason, _ events: borrowing AnalyzerEvents) {
    let session = session(of: record)
    var facts = FlowFacts()
    if let session {
      stopReading(record, session)
      if session.conversation != nil {
        settle(record, session)
        nameConversation(of: session)
      }
      swap(&facts, &session.facts)
    }
    var arrivals = session?.arrivals ?? EvidenceArrivals()
    if table[record].session & PlainPayloads.mark != 0 {
      let payload = plains.take(table[record].session)
      facts.clientFirstBytes = payload.client
      facts.serverFirstBytes = payload.server
      arrivals.payload = payload.packet
    }
    deliver(record, session, consume facts, arrivals, reason, events)
    if session != nil { sessions.giveBack(table[record].session &- 1) }
    table.release(record)
  }

  private mutating func deliver(
    _ record: UInt32, _ session: FlowSession?, _ facts: consuming FlowFacts, _ arrivals: EvidenceArrivals,
    _ reason: EndReason, _ events: borrowing AnalyzerEvents
  ) {
    let observation = observation(of: record, session: session, facts: consume facts, isTied: true)
    let isOfCall = session?.conversation != nil
    // Most flows of a run that only counts need none of what a report holds.
    if let wants = events.wantsFlow, !isOfCall, !isBlind, outlet == nil {
      let shape = isForModel(record, observation) ? table.shape(of: record) : nil
      guard wants(verdicts.count(table[record], observation, shape: shape)) else { return }
      var ending = ending(of: record, session: session, observation: consume observation, reason: reason)
      ending.arrivals = arrivals
      return events.flowEnded(verdicts.event(of: consume ending))
    }
    var ending = ending(of: record, session: session, observation: consume observation, reason: reason)
    ending.arrivals = arrivals
    if let session, isOfCall {
      let event = verdicts.event(of: consume ending)
      endConversation(event, session, events)
      if let outlet { outlet.put(.judged(event)) } else { verdicts.deliver(event, events) }
    } else if let outlet {
      outlet.put(.ended(consume ending))
    } else {
      verdicts.deliver(consume ending, events)
    }
  }

  /// Who sent a packet; nobody knows who opened some flows, and there the lower port counts as the server's.
  private func side(of touch: FlowTouch) -> FlowSide {
    let isClientLast =
      !table[touch.record].isOpenerKnown && table[touch.record].clientPort < table[touch.record].serverPort
    return touch.isToServer != isClientLast ? .client : .server
  }

  private func show(_ touch: FlowTouch, _ bytes: RawSpan, _ deliver: (PacketVisit, RawSpan) -> Void) {
    let ends = table[touch.record].serviceEnds
    let hasPayload = touch.payloadLength > 0 && !touch.isFirstFragment
    deliver(
      PacketVisit(
        flow: table[touch.record].id, ordinal: touch.ordinal, time: touch.timestamp, side: side(of: touch),
        transport: touch.key.transport, flags: touch.flags,
        sequence: touch.sequence &+ (touch.flags.contains(.syn) ? 1 : 0), wireLength: Int(touch.wireBytes),
        payloadLength: Int(max(0, touch.payloadLength)), fragments: Int(touch.packets),
        isFirstFragment: touch.isFirstFragment,
        client: Endpoint(ends.client, ends.clientPort),
        server: Endpoint(ends.server, ends.serverPort)),
      hasPayload ? bytes.slice(Int(touch.payloadOffset), Int(touch.payloadCaptured)) : RawSpan())
  }

  private func lend(_ touch: FlowTouch, _ bytes: RawSpan, _ deliver: (PayloadEvent, RawSpan) -> Void) {
    guard touch.payloadLength > 0, !touch.isFirstFragment else { return }
    deliver(
      PayloadEvent(
        flow: table[touch.record].id, time: touch.timestamp, side: side(of: touch), isToDestination: touch.isToServer,
        transport: touch.key.transport,
        sequence: touch.sequence &+ (touch.flags.contains(.syn) ? 1 : 0),
        start: table.startSequence(of: touch.record, isClient: touch.isToServer), length: Int(touch.payloadLength)),
      bytes.slice(Int(touch.payloadOffset), Int(touch.payloadCaptured)))
  }

  private func report(packet touch: FlowTouch, _ events: borrowing AnalyzerEvents) {
    guard let deliver = events.packet else { return }
    var packet = PacketEvent()
    packet.number = touch.number
    packet.timestamp = touch.timestamp
    packet.flowID = table[touch.record].id
    packet.isToServer = touch.isToServer
    packet.wireLength = touch.wireBytes
    packet.payloadLength = UInt32(max(touch.payloadLength, 0))
    packet.capture = captures[table[touch.record].capture]
    deliver(packet)
  }
}

extension FlowStage {
  /// Names the source that new flows belong to.
  mutating func begin(capture: String?) {
    guard captures.last != .some(capture) else { return }
    captures.append(capture)
    table.capture = captures.count - 1
  }

  /// What the caps cost, by name; nothing where nothing was lost.
  func limitCosts(decoder: borrowing Decoder) -> [String: UInt64] {
    let costs = [
      "flows evicted": table.evicted,
      "payloads given up": limits.readingsGivenUp,
      "stream gaps skipped": limits.gapsSkipped,
      "names forgotten": limits.namesForgotten &+ names.evictions,
      "conversations not told apart": conversations.conversationsRefused &+ conversations.keysRefused,
      "program names not kept": decoder.packetsWithoutProcessName,
      "datagrams in fragments given up": decoder.fragmentCounters.evicted &+ decoder.fragmentCounters.overLimit,
    ]
    return costs.filter { $0.value > 0 }
  }
}
