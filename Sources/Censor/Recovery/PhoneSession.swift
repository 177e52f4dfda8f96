import Bytes
import Decode

/// What became of a message.
public struct MessageFate: Sendable, Equatable {
  /// Seconds that the rule added; nil for a message that never arrived.
  public var delay: Double?

  /// Whether it arrived more than `Recovery.late` seconds late.
  public var isLate: Bool { delay.map { $0 > Recovery.late } ?? false }
  /// Whether it never arrived.
  public var isLost: Bool { delay == nil }
}

/// Plays a phone's push connections again with a rule in the way, by a model of what phone and courier do.
///
/// What was sent, and when, is the capture's. What happens after the first packet that a rule meets is a model's:
/// `Recovery` has its numbers. A connection is a stream in each direction; a direction whose packet vanishes with all its
/// copies stands still, and what was to follow waits for the next connection.
struct PhoneSession {
  /// The most breaks, attempts to connect and messages given up of one phone: a rule that resets everything makes many.
  static let maximumSteps = 200_000

  private var rule: SessionRule
  let recovery: Recovery
  let end: Int64
  private(set) var fates: [Int: MessageFate] = [:]
  /// Connections that were lost, and attempts that came to nothing.
  private(set) var breaks = 0, failedConnects = 0
  private var steps = 0

  private var link = Link()
  /// The connection as the phone would have it, which each attempt tries first.
  private var home = FlowSight()
  /// Down: sent by the server and not acknowledged, or kept for a phone that is away.
  private var stored: [Letter] = []
  /// Up: what waits to be sent, the first is on its way.
  private var queue: [Letter] = []
  private var ordered: (up: Int64, down: Int64) = (.min, .min)
  /// When the answer to the last message that was sent is there.
  private var busyUntil: Int64 = .min
  /// Whether the next message waits for nothing but that.
  private var isAnswerDue = false

  /// A message and the packet that carried it.
  struct Letter {
    var index: Int
    var time: Int64
    var packet: TracePacket
    var message: TraceMessage
    /// When sending began; nil before.
    var began: Int64?
  }

  /// The connection.
  struct Link {
    var isOpen = false
    var flow = FlowSight()
    var since: Int64 = 0
    var carried = SessionRule.Carried()
    /// Since when each direction stands still; nil while it moves.
    var upStalled: Int64?, downStalled: Int64?
    /// When the phone first had data that nobody acknowledges.
    var unacknowledged: Int64?
    /// When the next attempt to connect is made, and how many have failed.
    var nextAttempt: Int64 = .max
    /// When an attempt that nothing stops is complete, and by which way.
    var completes: (time: Int64, flow: FlowSight)?
    var round = 0
    /// Whether the capture shows how this connection begins.
    var isOfCapture = false
    /// Whether the server has given it up, which the phone learns when it next sends.
    var isHalfOpen = false
  }

  init(rule: SessionRule, recovery: Recovery, end: Int64) {
    self.rule = rule
    self.recovery = recovery
    self.end = end
  }

  /// A connection of the capture begins.
  mutating func connect(_ flow: FlowSight, at time: Int64) {
    advance(to: time)
    close(at: time)
    (home, link.flow) = (flow, flow)
    link.round = 0
    link.nextAttempt = time
    link.isOfCapture = true
    advance(to: time)
    link.isOfCapture = false
  }

  /// A packet of the capture, with the messages that end in it.
  mutating func take(_ packet: TracePacket, _ letters: [Letter]) {
    advance(to: packet.time)
    begin(at: packet.time)
    if letters.isEmpty {
      carry(packet, nil, at: packet.time)
    } else if packet.isUp {
      // What answers a message that did not come is not sent.
      for letter in letters where link.downStalled == nil || !letter.message.isAnswer { send(letter) }
    } else {
      for letter in letters { deliver(letter, at: packet.time) }
    }
  }

  /// What has not arrived by now is lost.
  mutating func finish() {
    advance(to: end)
  }

  /// The rule is switched on while a connection stands.
  private mutating func begin(at time: Int64) {
    if rule.breaksFirst, time >= rule.begin, link.isOpen, link.since < rule.begin {
      lose(at: rule.begin)
      return advance(to: time)
    }
    guard link.isOpen, let begin = rule.standingFrom(link.flow, since: link.since, at: time) else { return }
    link.since = begin
    if rule.resets { lose(at: time) } else { stall(up: true, down: true, at: begin) }
  }

  /// Moves time on: connections given up, attempts to connect, messages given up.
  private mutating func advance(to time: Int64) {
    while steps < Self.maximumSteps {
      let next = nextMoment()
      guard next.time <= time, next.time < .max else { return }
      // Of answers there are no more than messages.
      if next.kind != .answer { steps += 1 }
      switch next.kind {
      case .phoneGivesUp: lose(at: next.time)
      case .serverGivesUp:
        link.isHalfOpen = true
        link.downStalled = nil
      case .attempt: attempt(at: next.time)
      case .complete: complete(at: next.time)
      case .messageGivenUp: giveUp(at: next.time)
      case .answer: resume(at: next.time)
      }
    }
  }

  private enum Moment { case phoneGivesUp, serverGivesUp, attempt, complete, messageGivenUp, answer }

  private func nextMoment() -> (time: Int64, kind: Moment) {
    var best: (time: Int64, kind: Moment) = (.max, .attempt)
    func consider(_ time: Int64?, _ kind: Moment) {
      if let time, time < best.time { best = (time, kind) }
    }
    if link.isOpen {
      if isAnswerDue, !queue.isEmpty { consider(busyUntil, .answer) }
      consider(
        link.unacknowledged.flatMap { at in recovery.patience.map { at.advanced(bySeconds: $0) } }, .phoneGivesUp)
      if !link.isHalfOpen {
        consider(
          link.downStalled.flatMap { at in recovery.serverPatience.map { at.advanced(bySeconds: $0) } }, .serverGivesUp)
      }
    } else if let completes = link.completes {
      consider(completes.time, .complete)
    } else {
      consider(link.nextAttempt, .attempt)
    }
    consider(queue.first?.began.flatMap { at in recovery.giveUp.map { at.advanced(bySeconds: $0) } }, .messageGivenUp)
    return best
  }
}

extension PhoneSession {
  private mutating func stall(up: Bool, down: Bool, at time: Int64) {
    if up, link.upStalled == nil { link.upStalled = time }
    if down, link.downStalled == nil { link.downStalled = time }
  }

  /// The phone's connection is over, and it will try again.
  private mutating func lose(at time: Int64) {
    breaks += 1
    close(at: time)
    link.round = 0
    link.nextAttempt = time.advanced(bySeconds: pause(0))
  }

  private mutating func close(at time: Int64) {
    link.isOpen = false
    (link.upStalled, link.downStalled, link.unacknowledged) = (nil, nil, nil)
    link.isHalfOpen = false
    link.completes = nil
    ordered = (.min, .min)
  }

  private func pause(_ round: Int) -> Double {
    guard let pauses = recovery.pauses, !pauses.isEmpty else { return 1 }
    return pauses[min(round, pauses.count - 1)]
  }

  /// Tries to connect, by another way too where there is one.
  private mutating func attempt(at time: Int64) {
    var now = time
    var ways = [home]
    ways += (recovery.fallbacks ?? []).compactMap { home.by($0) }
    for flow in ways {
      switch rule.opening(flow, at: now) {
      case .open:
        // The capture shows by itself how long its own connections took.
        if link.isOfCapture { return open(flow, at: now) }
        link.completes = (now.advanced(bySeconds: recovery.handshake ?? 0), flow)
        return
      case .unreachable(let isFast):
        if !isFast { now = now.advanced(bySeconds: recovery.connectLimit ?? 5) }
      case .stalls:
        // A port that accepts and then stalls is no reason to try another.
        return fail(at: now.advanced(bySeconds: recovery.handshakeLimit ?? 10))
      }
    }
    fail(at: now)
  }

  private mutating func complete(at time: Int64) {
    guard let flow = link.completes?.flow else { return }
    open(flow, at: time)
  }

  private mutating func fail(at time: Int64) {
    failedConnects += 1
    link.isOpen = false
    link.round += 1
    link.nextAttempt = time.advanced(bySeconds: pause(link.round))
  }

  /// The connection stands: what was kept comes first, then what waits to be sent.
  private mutating func open(_ flow: FlowSight, at time: Int64) {
    link.isOpen = true
    link.flow = flow
    link.since = time
    // The packets of the capture's own handshake come by themselves.
    link.carried = link.isOfCapture ? SessionRule.Carried() : rule.handshake
    (link.upStalled, link.downStalled, link.unacknowledged, link.isHalfOpen) = (nil, nil, nil, false)
    link.completes = nil
    ordered = (.min, .min)
    flush(at: time)
    guard link.isOpen else { return }
    if link.downStalled != nil {
      // What is kept does not come, so that the connection is never complete.
      close(at: time)
      return fail(at: time.advanced(bySeconds: recovery.handshakeLimit ?? 10))
    }
    link.round = 0
    resume(at: time)
  }

  private mutating func flush(at time: Int64) {
    let letters = newestOnly(stored)
    stored = []
    for letter in letters {
      guard link.isOpen else {
        stored.append(letter)
        continue
      }
      transmit(down: letter, at: time)
    }
  }

  /// Of an app's notifications only the newest is kept.
  private func newestOnly(_ letters: [Letter]) -> [Letter] {
    guard recovery.keepsNewestOnly == true else { return letters }
    var newest: [String: Int] = [:]
    for (at, letter) in letters.enumerated() where letter.message.messageClass == "notification" {
      newest[letter.message.topic] = at
    }
    return letters.enumerated().filter { at, letter in
      letter.message.messageClass != "notification" || newest[letter.message.topic] == at
    }.map(\.element)
  }
}

extension PhoneSession {
  /// A packet without a message of interest: it counts, and a rule may meet it.
  private mutating func carry(_ packet: TracePacket, _ letter: Letter?, at time: Int64) {
    guard link.isOpen else { return }
    if packet.isUp, packet.payload > 0 { noteSending(at: time) }
    guard link.isOpen else { return }
    link.carried.add(packet)
    _ = meet(packet, letter, at: time)
  }

  /// The phone sends: it learns that the other end is gone, or begins to wait for an acknowledgement.
  private mutating func noteSending(at time: Int64) {
    if link.isHalfOpen { return lose(at: time) }
    if link.upStalled != nil, link.unacknowledged == nil { link.unacknowledged = time }
  }

  /// What the rule does to a packet on the connection as it stands; nil where it does not get through.
  private mutating func meet(_ packet: TracePacket, _ letter: Letter?, at time: Int64) -> Int64? {
    guard link.isOpen else { return nil }
    let isStalled = packet.isUp ? link.upStalled != nil : link.downStalled != nil
    guard !isStalled else { return nil }
    var arrives = time
    switch rule.judge(packet, letter?.message, link.flow, since: link.since, carried: link.carried, at: time) {
    case .pass: break
    case .hold(let nanoseconds) where isBeyondPatience(nanoseconds, isUp: packet.isUp):
      stall(up: packet.isUp, down: !packet.isUp, at: time)
      if packet.isUp { noteSending(at: time) }
      return nil
    case .hold(let nanoseconds): arrives = arrives.advanced(byNanoseconds: nanoseconds)
    case .stallDirection:
      stall(up: packet.isUp, down: !packet.isUp, at: time)
      if packet.isUp { noteSending(at: time) }
      return nil
    case .stallBoth:
      stall(up: true, down: true, at: time)
      if packet.isUp { noteSending(at: time) }
      return nil
    case .reset:
      lose(at: time)
      return nil
    }
    // A stream gives nothing out before what precedes it.
    if packet.isUp {
      ordered.up = max(ordered.up, arrives)
      return ordered.up
    }
    ordered.down = max(ordered.down, arrives)
    return ordered.down
  }

  /// Whether what is kept for so long, copies and all, is given up by its sender before.
  private func isBeyondPatience(_ nanoseconds: Int64, isUp: Bool) -> Bool {
    (isUp ? recovery.patience : recovery.serverPatience).map { nanoseconds > Int64(nanosecondsOf: $0) } ?? false
  }

  private mutating func arrived(_ letter: Letter, at time: Int64) {
    guard time <= end, fates[letter.index] == nil else { return }
    fates[letter.index] = MessageFate(delay: max(0, time.seconds(since: letter.time)))
  }

  /// The server has a message for the phone.
  private mutating func deliver(_ letter: Letter, at time: Int64) {
    guard link.isOpen, !link.isHalfOpen else {
      stored.append(letter)
      return
    }
    transmit(down: letter, at: time)
  }

  private mutating func transmit(down letter: Letter, at time: Int64) {
    link.carried.add(letter.packet)
    if let arrives = meet(letter.packet, letter, at: time) {
      arrived(letter, at: arrives)
    } else {
      // Not acknowledged, so the server keeps it.
      stored.append(letter)
    }
  }

  /// The phone has a message to send.
  private mutating func send(_ letter: Letter) {
    guard recovery.sendsOneAtATime == true, letter.message.isAwaited else {
      return transmit(up: letter, at: letter.time)
    }
    queue.append(letter)
    if queue.count == 1 { resume(at: letter.time) }
  }

  /// Sends the first of the queue, and those behind it as long as answers come.
  private mutating func resume(at time: Int64) {
    while link.isOpen, !queue.isEmpty {
      isAnswerDue = busyUntil > time
      if isAnswerDue { return }
      if queue[0].began == nil { queue[0].began = max(time, queue[0].time) }
      let letter = queue[0]
      transmit(up: letter, at: max(time, letter.time))
      // The answer comes down; where nothing moves down, it does not come.
      guard fates[letter.index] != nil, link.isOpen, link.downStalled == nil else { return }
      queue.removeFirst()
    }
  }

  private mutating func transmit(up letter: Letter, at time: Int64) {
    guard link.isOpen else { return }
    noteSending(at: time)
    guard link.isOpen else { return }
    link.carried.add(letter.packet)
    guard let arrives = meet(letter.packet, letter, at: time) else { return }
    busyUntil = max(busyUntil, arrives)
    arrived(letter, at: arrives)
  }

  /// The first of the queue is no longer tried; the next begins.
  private mutating func giveUp(at time: Int64) {
    guard !queue.isEmpty else { return }
    queue.removeFirst()
    if !queue.isEmpty, link.isOpen, link.upStalled == nil {
      resume(at: time)
    } else if !queue.isEmpty {
      queue[0].began = max(time, queue[0].time)
    }
  }
}

extension TraceMessage {
  /// Whether a phone sends it because something arrived.
  var isAnswer: Bool { isUp && (kind == "courier.ack" || kind.hasSuffix(".delivered")) }

  /// Whether a phone waits for the answer to it: texts and what services send, not acks, receipts and typing.
  var isAwaited: Bool { isUp && (isContent || kind == "facetime.ring" || kind.hasPrefix("status.")) }
}
